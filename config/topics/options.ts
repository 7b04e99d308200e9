import type { OptionTree } from '../option.ts'

/** Lists the options that select several topics, which the configuration of a single topic does not have. */
export const TOPIC_SELECTORS = ['topics', 'pattern', 'topicsMax'] as const

/** Names an option that selects several topics. */
export type TopicSelector = (typeof TOPIC_SELECTORS)[number]

/** Declares the options that select the Kafka topics of an entry of `topics`. */
export const TOPIC_NAME_OPTIONS = {
  topic: {
    doc: 'Kafka topic to read. Set it when the entry should have another name than the topic.',
    format: 'text',
    default: null,
    computed: { description: "the entry's name in `topics`", compute: ({ topic }) => topic },
  },
  topics: {
    doc: 'Kafka topics to read instead of `topic`. Each is treated as an entry of its own with the same options, under the name `<entry>/<topic>`. Use it for a few topics that share their settings.',
    format: 'text-list',
    default: null,
    nullable: true,
  },
  pattern: {
    doc: 'Regular expression (RE2): every Kafka topic whose whole name matches is read, instead of `topic`. The brokers are asked for new matching topics every `kafka.discoverEveryMs`. Topics whose name starts with `__`, topics with an entry of their own and dead-letter topics are skipped.',
    format: 'text',
    default: null,
    nullable: true,
  },
  topicsMax: {
    doc: 'Maximum number of Kafka topics of one entry, by `topics` or `pattern`. Each topic buffers up to `creditBytes`, so raise it only with enough memory.',
    format: 'whole-number',
    default: 100,
  },
} as const satisfies OptionTree
