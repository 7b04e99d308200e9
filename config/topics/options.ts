import type { OptionTree } from '../option.ts'

/** Which Kafka topics an entry of `topics` is about. */
export const TOPIC_NAME_OPTIONS = {
  topic: {
    doc: 'Kafka topic to read.',
    format: 'text',
    default: null,
    computed: { text: "the entry's name in `topics`", of: ({ name }) => name },
  },
  topics: {
    doc: 'Several Kafka topics instead of one: each is read as if it had an entry of its own with these options, under the name `<entry>/<topic>`.',
    format: 'text-list',
    default: null,
    nullable: true,
  },
  pattern: {
    doc: 'All Kafka topics whose whole name this regular expression (RE2) matches, instead of one; new ones are found every `kafka.discoverEveryMs` and begun. Topics that begin with `__`, topics that have an entry and dead-letter topics are left out.',
    format: 'text',
    default: null,
    nullable: true,
  },
  topicsMax: {
    doc: 'Most topics that `topics` or `pattern` may come to. Each has a buffer of its own, of up to `creditBytes`.',
    format: 'whole-number',
    default: 100,
  },
} as const satisfies OptionTree
