import type { OptionTree } from '../option.ts'

/**
 * Declares the options below `deadLetters` of an entry of `topics`: what happens to records that cannot
 * become rows.
 */
export const DEAD_LETTER_OPTIONS = {
  mode: {
    doc: 'What happens to a record that cannot become a row: it is stored as a dead letter (`dlq`), counted and logged but not stored (`skip`), or it stops the topic with an error that names the record and the reason (`stop`).',
    format: ['dlq', 'skip', 'stop'],
    default: 'dlq',
  },
  /** Use `deadLetterSinksOf`, which knows the default. */
  to: {
    doc: 'Where dead letters are stored: in the Kafka topic, in the Delta table, or in both. Unset: in the table if `deadLetters.table` is set, otherwise in the topic.',
    format: ['topic', 'table', 'both'],
    default: null,
    nullable: true,
  },
  topic: {
    doc: 'Kafka topic that dead letters are written to.',
    format: 'text',
    default: null,
    template: true,
    computed: { description: '`<topic>-dlq`', compute: ({ topic }) => `${topic}-dlq` },
  },
  /** URI whose local path is absolute. */
  table: {
    doc: 'Delta table that dead letters are written to. It is created, partitioned by `date`, if it does not exist; a dead-letter table of kafka-delta-ingest can be continued. Several topics may share one.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    template: true,
  },
  /** Expressions that parse, by column name. */
  transforms: {
    doc: 'Additional columns of `deadLetters.table`, computed from the row of a dead letter: column name → JMESPath expression, as in `transforms`. Times in the row are microseconds since the epoch. An expression that fails yields null.',
    format: 'map',
    default: [],
  },
  /** Use `replayLedgerUriOf`, which knows the default. */
  replayLedger: {
    doc: 'Delta table of the replay ledger: it records which dead letters were replayed or discarded, so that none is replayed twice. Unset: the URI of `deadLetters.table`, or else of `table.uri`, followed by `-marks`.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    template: true,
  },
  maxRate: {
    doc: 'Maximum share of dead letters in a flush, such as 0.2. Above it the topic stops and nothing of that flush is committed, so that a broken producer does not go unnoticed. Unset: no limit.',
    format: 'share',
    default: null,
    nullable: true,
  },
  maxRateRecordsMin: {
    doc: '`deadLetters.maxRate` applies only to flushes of at least this many records.',
    format: 'whole-number',
    unit: 'records',
    default: 1_000,
  },
} as const satisfies OptionTree
