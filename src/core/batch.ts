import type { Headers } from './raw.ts'
import { NO_TRACE, type FlushTrace } from './flush-trace.ts'

/**
 * Describes the contiguous offset range of one Kafka partition from which a batch was read. Operators map the payload
 * and pass the provenance on unchanged; only `bufferTimeOrCount` joins provenances, into a `Flush`.
 */
export interface Provenance {
  readonly topic: string
  readonly partition: number
  /**
   * The offset after which this batch begins: it covers every offset in (follows, last]. `undefined` when the table
   * holds no `txn` for the partition yet. A chain of batches whose `follows` equals the preceding `last` has no gap.
   */
  readonly follows: bigint | undefined
  /** First offset of a record in the batch, inclusive. */
  readonly first: bigint
  /** Last offset that the batch covers, inclusive; may be past the last record (compaction, transaction markers). */
  readonly last: bigint
  /** First 63 bits of the id of the topic, which the commit stores beside the offsets; absent if it is unknown. */
  readonly topicId?: bigint
  /** Kafka messages in the batch, including tombstones. */
  readonly records: number
  /** Byte credit that the batch holds; given back once its flush is committed or dropped. */
  readonly bytes: number
  /** Time at which the fetch delivered the batch, in milliseconds since the epoch. */
  readonly polledAtMs: number
  /** Sampled `traceparent` headers of the producers, at most 128; empty without tracing. */
  readonly traceparents: readonly string[]
  /** Time that each stage has taken so far, in order; the flush adds them up and turns them into spans if it is traced. */
  readonly timings: StageTiming[]
}

/** Records when one stage started and ended processing one batch, in milliseconds since the epoch with fractions. */
export interface StageTiming {
  readonly stage: string
  readonly startMs: number
  readonly endMs: number
  readonly attributes?: Readonly<Record<string, string | number>>
}

/** Carries the records that one fetch returned for one Kafka partition through the operators, as payload `P`. */
export interface Batch<P> {
  readonly provenance: Provenance
  readonly payload: P
}

/** Describes the offsets of one Kafka partition in a flush: every offset in (follows, last]. */
export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  readonly follows: bigint | undefined
  readonly first: bigint
  readonly last: bigint
  /** First 63 bits of the id of the topic, which the commit stores beside the offsets; absent if it is unknown. */
  readonly topicId?: bigint
}

/** Names the reason why a record became a dead letter. */
export type DeadLetterReason =
  'decode' | 'contract' | 'rule' | 'transform' | 'type' | 'tombstone' | 'partition' | 'constraint' | 'custom'

/** Names the processing stage in which a record became a dead letter. */
export type DeadLetterStage =
  'bytes' | 'schema' | 'rules' | 'transform' | 'types' | 'partition' | 'constraint' | 'custom'

/** Describes a record that could not be converted to a row; `key` and `value` are copies of the bytes. */
export interface DeadLetter {
  readonly reason: DeadLetterReason
  /** Expected and actual value, for people. */
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
   * Position of the record in its message, from 0, if messages may contain several records; `value` is then a message
   * that contains this record alone.
   */
  readonly part?: number | undefined
}

/** Counts records by outcome. Always: records + expanded = rows + deadLetters + tombstones + filtered. */
export interface Counts {
  /** Kafka messages. */
  readonly records: number
  /** Records beyond one per message, if messages contain several; absent if there are none. */
  readonly expanded?: number
  readonly rows: number
  readonly deadLetters: number
  readonly tombstones: number
  /** Records that a filter left out, and messages that contain no record. */
  readonly filtered: number
  /** Fields of rows for which no column exists; absent if there are none. Not part of the equation, which counts records. */
  readonly droppedFields?: number
  /** Records that were decoded as objects instead of columns, by reason; absent if there are none. Each has one outcome above. */
  readonly slow?: Readonly<Partial<Record<string, number>>>
}

/** The counts of no records. */
export const NO_COUNTS: Counts = { records: 0, rows: 0, deadLetters: 0, tombstones: 0, filtered: 0 }

/** Returns the sums of `a` and `b`. */
export function addCounts(a: Counts, b: Counts): Counts {
  const expanded = (a.expanded ?? 0) + (b.expanded ?? 0)
  const droppedFields = (a.droppedFields ?? 0) + (b.droppedFields ?? 0)
  const slow = sumByReason(a.slow, b.slow)
  return {
    records: a.records + b.records,
    rows: a.rows + b.rows,
    deadLetters: a.deadLetters + b.deadLetters,
    tombstones: a.tombstones + b.tombstones,
    filtered: a.filtered + b.filtered,
    ...(expanded > 0 ? { expanded } : {}),
    ...(droppedFields > 0 ? { droppedFields } : {}),
    ...(slow === undefined ? {} : { slow }),
  }
}

/** Returns the sums of two counts by reason; `undefined` when both are absent. */
export function sumByReason<K extends string>(
  a: Readonly<Partial<Record<K, number>>> | undefined,
  b: Readonly<Partial<Record<K, number>>> | undefined,
): Readonly<Partial<Record<K, number>>> | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const sums: Partial<Record<K, number>> = { ...a }
  for (const reason of Object.keys(b) as K[]) sums[reason] = (sums[reason] ?? 0) + (b[reason] ?? 0)
  return sums
}

/**
 * A `Flush` is the unit of atomicity: it holds a contiguous offset range of each of its Kafka partitions with all rows
 * and dead letters, and becomes one Delta commit.
 */
export interface Flush<P> {
  /** Counts from 1 within the process. */
  readonly id: number
  readonly ranges: readonly OffsetRange[]
  readonly payload: P
  readonly deadLetters: readonly DeadLetter[]
  readonly counts: Counts
  /** Byte credit that the batches of the flush hold. */
  readonly bytes: number
  /**
   * Newest Kafka timestamp of the records, in milliseconds since the epoch; for freshness. `undefined` if none has a
   * timestamp that can be true: those from the future are left out.
   */
  readonly newestMs: number | undefined
  /** Newest Kafka timestamp more than a minute ahead of the clock; absent if there is none. */
  readonly futureMs?: number
  /** The trace in which later stages open their spans. */
  readonly trace: FlushTrace
}

/** Returns a flush of rows that were not read from Kafka: it holds no credit and no dead letters, and is not traced. */
export function createFlush<P>(
  payload: P,
  { id, ranges, counts }: Pick<Flush<P>, 'id' | 'ranges'> & { readonly counts: Partial<Counts> },
): Flush<P> {
  return {
    id,
    ranges,
    payload,
    deadLetters: [],
    counts: { ...NO_COUNTS, ...counts },
    bytes: 0,
    newestMs: undefined,
    trace: NO_TRACE,
  }
}

/** Asserts a condition that only a bug can violate. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`)
}
