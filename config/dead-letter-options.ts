import type { OptionTree } from './option.ts'

/** Where records go of which no row can be made: options below `deadLetters` of an entry of `topics`. */
export const DEAD_LETTER_OPTIONS = {
  topic: {
    doc: 'Kafka topic for records of which no row can be made.',
    format: 'text',
    default: null,
    computed: { text: '`<topic>-dlq`', of: ({ topic }) => `${topic}-dlq` },
  },
} as const satisfies OptionTree
