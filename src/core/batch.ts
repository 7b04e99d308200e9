import type { Headers } from './raw.ts'
import type { FlushTrace } from './flush-trace.ts'

/**
 * Where a batch comes from: one contiguous piece of one Kafka partition. Operators map the payload and never
 * touch this; only `bufferTimeOrCount` joins provenances, into a `Flush`.
 */
export interface Provenance {
  readonly topic: string
  readonly partition: number
  /**
   * The offset this batch continues from: it speaks for every offset in (follows, last]. `undefined` when the table
   * holds no `txn` for the partition yet. A chain of batches whose `follows` equals the `last` before it has no gap.
   */
  readonly follows: bigint | undefined
  /** First offset of a record in the batch, inclusive. */
  readonly first: bigint
  /** Last offset that the batch speaks for, inclusive; may lie past the last record (compaction, transaction markers). */
  readonly last: bigint
  /** Records that the batch carries, tombstones included. */
  readonly records: number
  /** Byte credit that the batch holds; given back once its flush is committed or dropped. */
  readonly bytes: number
  /** When the fetch delivered it, in milliseconds since the epoch. */
  readonly polledAtMs: number
  /** Producers' `traceparent` headers, sampled, at most 128; only filled when tracing is on. */
  readonly traceparents: readonly string[]
  /** What each stage took so far, in order; the flush adds them up, and makes spans of them where it is traced. */
  readonly timings: StageTiming[]
}

/** How long one stage worked on one batch; milliseconds since the epoch with fractions. */
export interface StageTiming {
  readonly stage: string
  readonly startMs: number
  readonly endMs: number
  readonly attributes?: Readonly<Record<string, string | number>>
}

/** The unit that flows: what one fetch returned for one partition, as payload `P`. */
export interface Batch<P> {
  readonly provenance: Provenance
  readonly payload: P
}

/** The offsets of one Kafka partition in a flush: every offset in (follows, last]. */
export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  readonly follows: bigint | undefined
  readonly first: bigint
  readonly last: bigint
}

/** Why a record became a dead letter. */
export type DeadLetterReason =
  | 'decode'
  | 'contract'
  | 'rule'
  | 'transform'
  | 'type'
  | 'tombstone'
  | 'partition'
  | 'constraint'
  | 'parquet'
  | 'custom'

/** Where on its way a record became a dead letter. */
export type DeadLetterStage =
  'bytes' | 'schema' | 'rules' | 'transform' | 'types' | 'partition' | 'constraint' | 'parquet' | 'custom'

/** One record that no row can be made of; `key` and `value` are copies of the bytes. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** That of the reason where absent. */
  readonly stage?: DeadLetterStage
  /** What was expected and what was got. */
  readonly message: string
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  readonly key: Uint8Array | undefined
  readonly value: Uint8Array | undefined
  readonly headers?: Headers | undefined
  /**
   * Which of the records that the message held it is, from 0, where a message may hold several; `value` is then a message
   * of its own with this record alone.
   */
  readonly part?: number | undefined
}

/** The conservation law in numbers: records + expanded = rows + deadLetters + tombstones + filtered. */
export interface Counts {
  /** Messages. */
  readonly records: number
  /** Records beyond one a message, where messages hold several; absent where there were none. */
  readonly expanded?: number
  readonly rows: number
  readonly deadLetters: number
  readonly tombstones: number
  /** Let go on purpose; messages that hold no record at all are among them. */
  readonly filtered: number
  /** Fields of rows that no column took; absent where there were none. No part of the law, which is about records. */
  readonly droppedFields?: number
}

/** Nothing was read. */
export const NO_COUNTS: Counts = { records: 0, rows: 0, deadLetters: 0, tombstones: 0, filtered: 0 }

/** What was read and became of it in `a` and `b` together. */
export function plusCounts(a: Counts, b: Counts): Counts {
  const expanded = (a.expanded ?? 0) + (b.expanded ?? 0)
  const droppedFields = (a.droppedFields ?? 0) + (b.droppedFields ?? 0)
  return {
    records: a.records + b.records,
    rows: a.rows + b.rows,
    deadLetters: a.deadLetters + b.deadLetters,
    tombstones: a.tombstones + b.tombstones,
    filtered: a.filtered + b.filtered,
    ...(expanded > 0 ? { expanded } : {}),
    ...(droppedFields > 0 ? { droppedFields } : {}),
  }
}

/**
 * The unit of atomicity: a contiguous offset range of every Kafka partition in it, all its rows and its dead letters.
 * It becomes one Delta commit.
 */
export interface Flush<P> {
  /** Counts from 1 within the process. */
  readonly id: number
  readonly ranges: readonly OffsetRange[]
  readonly payload: P
  readonly deadLetters: readonly DeadLetter[]
  readonly counts: Counts
  /** Byte credit that all its batches hold. */
  readonly bytes: number
  /** Newest Kafka record timestamp in the flush, milliseconds since the epoch; for freshness. */
  readonly newestMs: number
  /** The trace of the flush: later stages open their spans in it. */
  readonly trace: FlushTrace
}

/** Asserts a fact that only a bug can break. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`)
}
