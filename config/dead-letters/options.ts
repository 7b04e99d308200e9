import type { OptionTree } from '../option.ts'

/** Where records go of which no row can be made: options below `deadLetters` of an entry of `topics`. */
export const DEAD_LETTER_OPTIONS = {
  mode: {
    doc: 'What becomes of a record of which no row can be made: it is kept as a dead letter (`dlq`), counted and logged but kept nowhere (`skip`), or it stops the pipeline with its place and reason (`stop`).',
    format: ['dlq', 'skip', 'stop'],
    default: 'dlq',
  },
  to: {
    doc: 'Where dead letters are kept: in the Kafka topic, in the Delta table, or in both. Unset, in the table where `deadLetters.table` is given, otherwise in the topic.',
    format: ['topic', 'table', 'both'],
    default: null,
    nullable: true,
  },
  topic: {
    doc: 'Kafka topic for records of which no row can be made.',
    format: 'text',
    default: null,
    template: true,
    computed: { text: '`<topic>-dlq`', of: ({ topic }) => `${topic}-dlq` },
  },
  table: {
    doc: 'Delta table for records of which no row can be made; created, partitioned by `date`, where it is absent. A table of kafka-delta-ingest is gone on with. Topics may share one.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    template: true,
  },
  transforms: {
    doc: 'Columns of `deadLetters.table` made of the row of a dead letter: name → JMESPath expression, as in `transforms`. Times in the row are microseconds since the epoch. What an expression cannot make is null.',
    format: 'map',
    default: [],
  },
  marks: {
    doc: 'Delta table that notes which dead letters were played again or discarded. Unset, the URI of `deadLetters.table`, or else of `table.uri`, with `-marks` behind it.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    template: true,
  },
  maxRate: {
    doc: "Share of a flush's records that may be dead letters, such as 0.2. Above it the pipeline stops and commits nothing of the flush, so that a broken deploy upstream does not run on unseen. Unset, no limit.",
    format: 'share',
    default: null,
    nullable: true,
  },
  maxRateRecordsMin: {
    doc: 'Flushes of fewer records are not held to `deadLetters.maxRate`.',
    format: 'whole-number',
    unit: 'records',
    default: 1_000,
  },
} as const satisfies OptionTree
