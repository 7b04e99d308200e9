import {
  Observable,
  asyncScheduler,
  type OperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs'
import { bytesOf, type Columns } from '../src/arrow/column.ts'
import {
  plusCounts,
  type Batch,
  type Counts,
  type DeadLetter,
  type Flush,
  type OffsetRange,
  type Provenance,
} from '../src/core/batch.ts'
import { NO_TRACE } from '../src/core/flush-trace.ts'
import { type FlushTrace } from '../src/core/flush-trace.ts'
import { OpenPartitions, type FoundPartitions } from '../src/core/open-partitions.ts'
import { messagesOf } from '../src/core/raw.ts'
import { nowMs } from '../src/core/stage/span.ts'
import type { Labelled } from './partition-by.ts'

/** The rows of one batch as the buffer holds them: columns only; the bytes they came from are gone. */
export type Chunk = Pick<Labelled, 'labels' | 'partitions'> & { readonly columns: Columns }

/** When a flush is formed: whichever comes first. */
export interface FlushLimits {
  /** Records. */
  readonly count: number
  /** Bytes, by the credit that batches hold or the columns take, whichever is more. */
  readonly bytes: number
  /** Milliseconds since the first batch of the flush, by the wall clock: a quiet topic flushes too. */
  readonly ageMs: number
  /** Table partitions; 10,000 by default. A batch that has more of them by itself is a flush of its own. */
  readonly partitionsMax?: number
}

const PARTITIONS_MAX = 10_000

/** What the buffer needs beside its limits; all of it has a default that does nothing. */
export interface BufferParts {
  /** Takes credit for columns that are larger than the records they came from. Never waits. */
  readonly charge?: (bytes: number) => void
  /** Told of every flush that is formed. */
  readonly flushed?: () => void
  /** Told the credit of batches that are dropped because their partition was taken up again from another offset. */
  readonly dropped?: (bytes: number) => void
  /** Opens the flush's trace. */
  readonly openTrace?: (facts: FlushFacts) => FlushTrace
  /** Given what makes a flush of what is held now; what it returns is called once there is nothing more to flush. */
  readonly onFlush?: (form: () => void) => () => void
  /** Whether what is held should be flushed at once, since its bytes are needed. */
  readonly isPressed?: () => boolean
  readonly scheduler?: SchedulerLike
}

/** What is known of a flush when it is formed. */
export interface FlushFacts {
  readonly id: number
  readonly provenances: readonly Provenance[]
  readonly counts: Counts
  readonly bytes: number
  readonly deadLetters: readonly DeadLetter[]
}

/** What the objects of one batch take beside their buffers; keeps a flush of many tiny batches within its bytes. */
export const BATCH_BYTES_OVERHEAD = 4096

interface Held {
  readonly provenance: Provenance
  readonly chunk: Chunk
  readonly deadLetters: readonly DeadLetter[]
  readonly counts: Counts
  readonly newestMs: number
  readonly bytes: number
}

/**
 * Joins batches into flushes: the only place where provenances meet. A flush holds a contiguous offset range of every
 * Kafka partition in it. A batch that does not follow on from what is held of its partition replaces it: the partition
 * was taken up again elsewhere, and what was held can never be committed. An empty buffer flushes nothing; what is held
 * when the source completes is flushed before completion, what is held on an error is not.
 */
export function bufferTimeOrCount(
  limits: FlushLimits,
  parts: BufferParts = {},
): OperatorFunction<Batch<Labelled>, Flush<readonly Chunk[]>> {
  const scheduler = parts.scheduler ?? asyncScheduler
  const partitionsMax = limits.partitionsMax ?? PARTITIONS_MAX
  return (source) =>
    new Observable((subscriber) => {
      const buffer = new Buffered(parts)
      let timer: Subscription | undefined

      const flush = (): void => {
        timer?.unsubscribe()
        timer = undefined
        const flushed = buffer.take()
        if (flushed === undefined) return
        parts.flushed?.()
        subscriber.next(flushed)
      }
      const forget = parts.onFlush?.(flush)
      const subscription = source.subscribe({
        next(batch) {
          const found = buffer.findFor(batch)
          if (buffer.partitions + found.fresh > partitionsMax) flush()
          buffer.add(batch, found)
          const isFull = buffer.records >= limits.count || buffer.bytes >= limits.bytes
          if (isFull || buffer.partitions > partitionsMax || parts.isPressed?.() === true) flush()
          else timer ??= scheduler.schedule(flush, limits.ageMs)
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          flush()
          subscriber.complete()
        },
      })
      return () => {
        forget?.()
        subscription.unsubscribe()
        timer?.unsubscribe()
      }
    })
}

/** What one subscription holds. */
class Buffered {
  readonly #parts: BufferParts
  #held: Held[] = []
  #flushes = 0
  #open = new OpenPartitions()
  bytes = 0
  records = 0

  constructor(parts: BufferParts) {
    this.#parts = parts
  }

  /** Table partitions that what is held has rows of. */
  get partitions(): number {
    return this.#open.size
  }

  /** The table partitions of a batch that is about to be added; what it replaces is dropped. */
  findFor({ provenance, payload }: Batch<Labelled>): FoundPartitions {
    this.#dropStale(provenance)
    return this.#open.find(payload.partitions)
  }

  add({ provenance, payload }: Batch<Labelled>, found: FoundPartitions): void {
    const { rows, labels } = payload
    const { shared, bytes: opened } = this.#open.open(found)
    const bytes = Math.max(provenance.bytes, sizeOf(payload) + opened)
    if (bytes > provenance.bytes) this.#parts.charge?.(bytes - provenance.bytes)
    const counts = countsOf(payload)
    this.#held.push({
      provenance,
      chunk: { columns: rows.columns, labels, partitions: shared },
      deadLetters: rows.deadLetters,
      counts,
      newestMs: rows.raw.timestampsMs.reduce((newest, ms) => Math.max(newest, ms), 0),
      bytes,
    })
    this.bytes += bytes
    this.records += weightOf(provenance, counts)
  }

  take(): Flush<readonly Chunk[]> | undefined {
    const held = this.#held
    if (held.length === 0) return undefined
    const bytes = this.bytes
    this.#held = []
    this.#open = new OpenPartitions()
    this.bytes = 0
    this.records = 0
    const provenances = held.map((one) => one.provenance)
    const counts = held.map((one) => one.counts).reduce(plusCounts)
    noteBuffering(provenances)
    const id = ++this.#flushes
    const deadLetters = held.flatMap((one) => one.deadLetters)
    return {
      id,
      ranges: rangesOf(provenances),
      payload: held.map((one) => one.chunk),
      deadLetters,
      counts,
      bytes,
      newestMs: held.reduce((newest, one) => Math.max(newest, one.newestMs), 0),
      trace: this.#parts.openTrace?.({ id, provenances, counts, bytes, deadLetters }) ?? NO_TRACE,
    }
  }

  #dropStale({ topic, partition, follows }: Provenance): void {
    const stale = this.#held.filter(
      ({ provenance }) => provenance.topic === topic && provenance.partition === partition,
    )
    const last = stale.at(-1)?.provenance.last
    if (last === undefined || last === follows) return
    const gone = new Set(stale)
    this.#held = this.#held.filter((one) => !gone.has(one))
    this.#open = new OpenPartitions()
    for (const { chunk } of this.#held) this.#open.open(this.#open.find(chunk.partitions))
    const freed = stale.reduce((sum, one) => sum + one.bytes, 0)
    this.bytes -= freed
    this.records -= stale.reduce((sum, one) => sum + weightOf(one.provenance, one.counts), 0)
    this.#parts.dropped?.(freed)
  }
}

function sizeOf({ rows, labels }: Labelled): number {
  const columns = rows.columns.columns.reduce((sum, column) => sum + bytesOf(column), 0)
  const letters = rows.deadLetters.reduce(
    (sum, letter) => sum + (letter.key?.length ?? 0) + (letter.value?.length ?? 0) + 512,
    0,
  )
  return columns + letters + (labels?.byteLength ?? 0) + BATCH_BYTES_OVERHEAD
}

function countsOf({ rows }: Labelled): Counts {
  const { tombstones, filtered, deadLetters, raw, columns, droppedFields = 0 } = rows
  const { messages, expanded, empty } = messagesOf(raw)
  return {
    records: messages,
    ...(expanded > 0 ? { expanded } : {}),
    rows: columns.length,
    deadLetters: deadLetters.length,
    tombstones,
    filtered: filtered + empty,
    ...(droppedFields > 0 ? { droppedFields } : {}),
  }
}

/** Records of a batch, where messages may hold several. */
function weightOf({ records }: Provenance, { expanded = 0 }: Counts): number {
  return records + expanded
}

function noteBuffering(provenances: readonly Provenance[]): void {
  const endMs = nowMs()
  for (const { timings } of provenances)
    timings.push({ stage: 'buffer', startMs: timings.at(-1)?.endMs ?? endMs, endMs })
}

/** One range for each Kafka partition: from the first batch's start to the last batch's end. */
function rangesOf(provenances: readonly Provenance[]): readonly OffsetRange[] {
  const ranges = new Map<string, OffsetRange>()
  for (const { topic, partition, follows, first, last } of provenances) {
    const key = `${topic}/${partition}`
    const range = ranges.get(key)
    ranges.set(key, range === undefined ? { topic, partition, follows, first, last } : { ...range, last })
  }
  return [...ranges.values()]
}
