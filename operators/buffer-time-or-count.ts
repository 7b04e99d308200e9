import {
  Observable,
  asyncScheduler,
  type OperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs'
import { bytesOf, type Columns } from '../src/arrow/column.ts'
import type { Rows } from '../src/arrow/rows.ts'
import { ChunkJoiner, type ChunkHolder } from '../src/arrow/sparse/join-chunks.ts'
import {
  addCounts,
  type Batch,
  type Counts,
  type DeadLetter,
  type Flush,
  type OffsetRange,
  type Provenance,
} from '../src/core/batch.ts'
import { systemClock } from '../src/core/clock.ts'
import type { FlushCredit } from '../src/core/credit/flush-credit.ts'
import { NO_TRACE, type FlushTrace } from '../src/core/flush-trace.ts'
import { OpenPartitions, type PartitionLookup } from '../src/core/open-partitions.ts'
import { CLOCK_SKEW_MS_MAX, isKafkaTimestamp, messageCountsOf } from '../src/core/raw.ts'
import { nowMs } from '../src/core/stage/span.ts'
import type { PartitionedRows } from './partition-by.ts'
import { assertRows } from './rows-fault.ts'

/** Holds the rows of one batch in the buffer, or of several small ones: only the columns, without the bytes of the Kafka records. */
export type Chunk = Pick<PartitionedRows, 'labels' | 'partitions'> &
  Pick<Rows, 'droppedPaths'> & { readonly columns: Columns }

/** Sets the limits of a flush; it is formed when the first of them is reached. */
export interface FlushLimits {
  /** Records. */
  readonly count: number
  /** Bytes: the credit that the batches hold or the size of the columns, whichever is larger. */
  readonly bytes: number
  /** Milliseconds since the first batch of the flush, by the wall clock, so that an idle topic is flushed too. */
  readonly ageMs: number
  /** Table partitions; 10,000 by default. A batch with more of them is a flush of its own. */
  readonly partitionsMax?: number
}

const PARTITIONS_MAX = 10_000

/** Connects the buffer to credit and tracing; what is absent is not used. */
export interface BufferOptions {
  /** The credit that batches hold until their flush is settled. */
  readonly credit?: Omit<FlushCredit, 'flushSettled'> | undefined
  /** Opens the flush's trace. */
  readonly openTrace?: ((flush: FormedFlush) => FlushTrace) | undefined
  readonly scheduler?: SchedulerLike
}

/** Describes a flush when it is formed. */
export interface FormedFlush {
  readonly id: number
  readonly provenances: readonly Provenance[]
  readonly counts: Counts
  readonly bytes: number
  readonly deadLetters: readonly DeadLetter[]
}

/** Bytes added for the objects of each batch, so that a flush of many tiny batches stays within its limit. */
export const BATCH_BYTES_OVERHEAD = 4096

interface BufferedBatch extends ChunkHolder<Chunk> {
  readonly provenance: Provenance
  readonly deadLetters: readonly DeadLetter[]
  readonly counts: Counts
  readonly newestMs: number
  readonly futureMs: number
  readonly bytes: number
}

/**
 * Joins batches into flushes; no other operator joins provenances. A flush holds a contiguous offset range of each of its
 * Kafka partitions. A batch that does not follow the buffered batches of its Kafka partition replaces them: reading
 * continued from another offset, and the buffered batches can never be committed. The buffer is flushed when the source
 * completes, but not when it fails. An empty buffer is not flushed.
 * @throws KD_OPERATOR_INVALID if a batch does not account for each of its records exactly once
 */
export function bufferTimeOrCount(
  limits: FlushLimits,
  options: BufferOptions = {},
): OperatorFunction<Batch<PartitionedRows>, Flush<readonly Chunk[]>> {
  const { credit, scheduler = asyncScheduler } = options
  const partitionsMax = limits.partitionsMax ?? PARTITIONS_MAX
  return (source) =>
    new Observable((subscriber) => {
      const buffer = new FlushBuffer(options)
      let timer: Subscription | undefined

      const flush = (): void => {
        timer?.unsubscribe()
        timer = undefined
        const flushed = buffer.take()
        if (flushed === undefined) return
        credit?.flushOpened()
        subscriber.next(flushed)
      }
      const add = (batch: Batch<PartitionedRows>): void => {
        if (subscriber.closed) return
        assertRows(batch.payload.rows, batch.provenance, 'the format, an operator or an enrichment')
        const found = buffer.findFor(batch)
        if (buffer.partitions + found.newCount > partitionsMax) flush()
        buffer.add(batch, found)
        const isFull = buffer.records >= limits.count || buffer.bytes >= limits.bytes
        if (isFull || buffer.partitions > partitionsMax || credit?.shouldFlush === true) flush()
        else timer ??= scheduler.schedule(flushGuarded, limits.ageMs)
      }
      // An error that is thrown in a timer, or in the observer of a source, would end the process instead of the stream.
      const guarded = (run: () => void) => (): void => {
        try {
          run()
        } catch (error) {
          subscriber.error(error)
        }
      }
      const flushGuarded = guarded(flush)
      const unregister = credit?.registerFlush(flushGuarded)
      const subscription = source.subscribe({
        next: (batch) => guarded(() => add(batch))(),
        error: (error: unknown) => subscriber.error(error),
        complete() {
          flushGuarded()
          subscriber.complete()
        },
      })
      return () => {
        unregister?.()
        subscription.unsubscribe()
        timer?.unsubscribe()
      }
    })
}

/** The buffered batches of one subscription. */
class FlushBuffer {
  readonly #options: BufferOptions
  #held: BufferedBatch[] = []
  #flushes = 0
  readonly #joiner = new ChunkJoiner<Chunk>()
  #open = new OpenPartitions()
  bytes = 0
  records = 0

  constructor(options: BufferOptions) {
    this.#options = options
  }

  /** Number of table partitions of the buffered rows. */
  get partitions(): number {
    return this.#open.size
  }

  /** Drops the batches that `batch` replaces and returns the table partitions of `batch`. */
  findFor({ provenance, payload }: Batch<PartitionedRows>): PartitionLookup {
    this.#dropStale(provenance)
    return this.#open.find(payload.partitions)
  }

  add({ provenance, payload }: Batch<PartitionedRows>, found: PartitionLookup): void {
    const { rows, labels } = payload
    const { shared, bytes: opened } = this.#open.open(found)
    const bytes = Math.max(provenance.bytes, sizeOf(payload) + opened)
    if (bytes > provenance.bytes) this.#options.credit?.charge(bytes - provenance.bytes)
    const counts = countsOf(payload)
    const held = {
      provenance,
      chunk: chunkOf(rows, { labels, partitions: shared }),
      deadLetters: rows.deadLetters,
      counts,
      ...newestTimestampsOf(rows.raw.timestampsMs),
      bytes,
    }
    this.#held.push(held)
    this.#joiner.add(keyOf(provenance), held)
    this.bytes += bytes
    this.records += recordsOf(provenance, counts)
  }

  take(): Flush<readonly Chunk[]> | undefined {
    const held = this.#held
    if (held.length === 0) return undefined
    const bytes = this.bytes
    this.#held = []
    this.#joiner.forget()
    this.#open = new OpenPartitions()
    this.bytes = 0
    this.records = 0
    const provenances = held.map((batch) => batch.provenance)
    const counts = held.map((batch) => batch.counts).reduce(addCounts)
    noteBuffering(provenances)
    const id = ++this.#flushes
    const deadLetters = held.flatMap((batch) => batch.deadLetters)
    return {
      id,
      ranges: rangesOf(provenances),
      payload: held.flatMap(({ chunk }) => chunk ?? []),
      deadLetters,
      counts,
      bytes,
      ...newestOf(held),
      trace: this.#options.openTrace?.({ id, provenances, counts, bytes, deadLetters }) ?? NO_TRACE,
    }
  }

  #dropStale(provenance: Provenance): void {
    const { topic, partition, follows } = provenance
    const stale = this.#held.filter(
      (held) => held.provenance.topic === topic && held.provenance.partition === partition,
    )
    const last = stale.at(-1)?.provenance.last
    if (last === undefined || last === follows) return
    const dropped = new Set(stale)
    this.#held = this.#held.filter((batch) => !dropped.has(batch))
    this.#open = new OpenPartitions()
    this.#joiner.forget(keyOf(provenance))
    for (const { chunk } of this.#held)
      if (chunk !== undefined) this.#open.open(this.#open.find(chunk.partitions))
    const freed = stale.reduce((sum, batch) => sum + batch.bytes, 0)
    this.bytes -= freed
    this.records -= stale.reduce((sum, batch) => sum + recordsOf(batch.provenance, batch.counts), 0)
    this.#options.credit?.give(freed)
  }
}

function keyOf({ topic, partition }: Provenance): string {
  return `${topic}/${partition}`
}

/** Returns the newest timestamp that can be true, and the newest of those from the future; -1 stands for none. */
function newestTimestampsOf(timestampsMs: Float64Array): Pick<BufferedBatch, 'newestMs' | 'futureMs'> {
  const futureFromMs = systemClock.now() + CLOCK_SKEW_MS_MAX
  let newestMs = -1
  let futureMs = -1
  for (const ms of timestampsMs) {
    if (ms > futureFromMs) {
      if (ms > futureMs && isKafkaTimestamp(ms)) futureMs = ms
    } else if (ms > newestMs && isKafkaTimestamp(ms)) newestMs = ms
  }
  return { newestMs, futureMs }
}

function newestOf(
  held: readonly Pick<BufferedBatch, 'newestMs' | 'futureMs'>[],
): Pick<Flush<unknown>, 'newestMs' | 'futureMs'> {
  const newestMs = held.reduce((newest, batch) => Math.max(newest, batch.newestMs), -1)
  const futureMs = held.reduce((newest, batch) => Math.max(newest, batch.futureMs), -1)
  return { newestMs: newestMs < 0 ? undefined : newestMs, ...(futureMs < 0 ? {} : { futureMs }) }
}

function sizeOf({ rows, labels }: PartitionedRows): number {
  const columns = rows.columns.columns.reduce((sum, column) => sum + bytesOf(column), 0)
  const letters = rows.deadLetters.reduce(
    (sum, letter) => sum + (letter.key?.length ?? 0) + (letter.value?.length ?? 0) + 512,
    0,
  )
  return columns + letters + (labels?.byteLength ?? 0) + BATCH_BYTES_OVERHEAD
}

function chunkOf({ columns, droppedPaths }: Rows, labelled: Pick<Chunk, 'labels' | 'partitions'>): Chunk {
  return { columns, ...labelled, ...(droppedPaths === undefined ? {} : { droppedPaths }) }
}

function countsOf({ rows }: PartitionedRows): Counts {
  const { tombstones, filtered, deadLetters, raw, columns, droppedFields = 0, slow } = rows
  const { messages, expanded: parts, empty } = messageCountsOf(raw)
  const expanded = parts + (rows.expanded ?? 0)
  return {
    records: messages,
    ...(expanded > 0 ? { expanded } : {}),
    rows: columns.length,
    deadLetters: deadLetters.length,
    tombstones,
    filtered: filtered + empty,
    ...(droppedFields > 0 ? { droppedFields } : {}),
    ...(slow === undefined ? {} : { slow }),
  }
}

/** Returns the number of records of a batch; a message may contain several. */
function recordsOf({ records }: Provenance, { expanded = 0 }: Counts): number {
  return records + expanded
}

function noteBuffering(provenances: readonly Provenance[]): void {
  const endMs = nowMs()
  for (const { timings } of provenances)
    timings.push({ stage: 'buffer', startMs: timings.at(-1)?.endMs ?? endMs, endMs })
}

/** Returns one range for each Kafka partition, from the start of its first batch to the end of its last. */
function rangesOf(provenances: readonly Provenance[]): readonly OffsetRange[] {
  const ranges = new Map<string, OffsetRange>()
  for (const provenance of provenances) {
    const { topic, partition, follows, first, last, topicId } = provenance
    const key = keyOf(provenance)
    const id = topicId === undefined ? {} : { topicId }
    const range = ranges.get(key) ?? { topic, partition, follows, first }
    ranges.set(key, { ...range, last, ...id })
  }
  return [...ranges.values()]
}
