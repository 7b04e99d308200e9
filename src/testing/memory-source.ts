import { Observable, type Subscriber } from 'rxjs'
import type { Batch, OffsetRange } from '../core/batch.ts'
import { Credit } from '../core/credit/credit.ts'
import { PipelineError } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import type { Source } from '../kafka/source/source.ts'
import { rawBatchesOf, type TestBatchOptions, type TestValue } from './test-batches.ts'

/** Configures a source in memory. */
export interface MemorySourceOptions extends Pick<
  TestBatchOptions,
  'topic' | 'batchRecords' | 'timestampMs' | 'keyOf'
> {
  /** Returns the last offset that the table holds for a partition; by default reading starts, also after a reset, at 0. */
  readonly resume?: (partition: number) => Promise<bigint | undefined>
  /** `latest` (default) completes when everything is read and committed, `stopped` waits for further records. */
  readonly until?: 'latest' | 'stopped'
}

/** Bounds nothing: batches in memory hold no credit. */
const CREDIT_BYTES = 2 ** 30

/**
 * Returns a source that reads records in memory as Kafka's does: batches of each partition at consecutive offsets, read again
 * from the offsets in the table after a reset. `values` are the records of partition 0, or of each partition by its number.
 */
export function memorySource(
  values: readonly TestValue[] | Readonly<Record<number, readonly TestValue[]>>,
  options: MemorySourceOptions = {},
): MemorySource {
  return new MemorySource(values, options)
}

/** A source of records in memory, for tests. */
export class MemorySource implements Source {
  readonly batches: Observable<Batch<Raw>>
  /** The credit for a `pipeline`; batches take none of it. */
  readonly credit = new Credit(CREDIT_BYTES)
  /** The ranges that were committed, in order. */
  readonly commits: OffsetRange[] = []
  /** The partitions of each reset, in order: a chain resets its source when a flush was fenced. */
  readonly resets: (readonly number[])[] = []
  readonly #options: MemorySourceOptions
  readonly #values: Map<number, TestValue[]>
  /** The last offset that was read of each partition whose position is known. */
  readonly #read = new Map<number, bigint | undefined>()
  readonly #committed = new Map<number, bigint>()
  #subscriber: Subscriber<Batch<Raw>> | undefined
  #isSubscribed = false
  #awaitsCommits = false
  #isFlushing = false
  /** Positions and reads partitions, one after the other. */
  #work: Promise<void> = Promise.resolve()

  constructor(
    values: readonly TestValue[] | Readonly<Record<number, readonly TestValue[]>>,
    options: MemorySourceOptions,
  ) {
    this.#options = options
    const entries = isList(values) ? [[0, values] as const] : Object.entries(values)
    this.#values = new Map(entries.map(([partition, list]) => [Number(partition), [...list]]))
    this.batches = new Observable((subscriber) => {
      if (this.#isSubscribed)
        throw new PipelineError('KD_SOURCE_FAILED', 'the batches of a source can be subscribed to once')
      this.#isSubscribed = true
      this.#subscriber = subscriber
      void this.#continue([...this.#values.keys()])
    })
  }

  /** Appends records to a partition. Resolves when they were emitted, which begins with the subscription. */
  push(values: readonly TestValue[], partition = 0): Promise<void> {
    this.#values.set(partition, [...(this.#values.get(partition) ?? []), ...values])
    return this.#subscriber === undefined ? Promise.resolve() : this.#continue([partition])
  }

  commitOffsets(ranges: readonly OffsetRange[]): Promise<void> {
    this.commits.push(...ranges)
    for (const { partition, last } of ranges) this.#committed.set(partition, last)
    this.#completeAtEnd()
    return Promise.resolve()
  }

  awaitCommits(): void {
    this.#awaitsCommits = true
  }

  reset(partitions: readonly number[]): Promise<void> {
    this.resets.push([...partitions])
    for (const partition of partitions) this.#read.delete(partition)
    return this.#continue(partitions)
  }

  /** Makes `batches` fail with `error`, as a source does that cannot continue. */
  fail(error: Error): void {
    this.#subscriber?.error(error)
  }

  stop(): void {
    this.#subscriber?.complete()
  }

  close(): Promise<void> {
    this.stop()
    return Promise.resolve()
  }

  #continue(partitions: readonly number[]): Promise<void> {
    this.#work = this.#work
      .then(() => this.#readAll(partitions))
      .catch((error: unknown) => this.#subscriber?.error(error))
    return this.#work
  }

  async #readAll(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) {
      if (!this.#read.has(partition)) {
        const held = await this.#options.resume?.(partition)
        this.#read.set(partition, held)
        if (held !== undefined) this.#committed.set(partition, held)
      }
      const follows = this.#read.get(partition)
      const firstOffset = follows === undefined ? 0n : follows + 1n
      const rest = (this.#values.get(partition) ?? []).slice(Number(firstOffset))
      for (const batch of rawBatchesOf(rest, { ...this.#options, partition, firstOffset, follows })) {
        this.#read.set(partition, batch.provenance.last)
        this.#subscriber?.next(batch)
      }
    }
    this.#completeAtEnd()
  }

  #completeAtEnd(): void {
    if (this.#options.until === 'stopped' || this.#subscriber === undefined) return
    for (const [partition, list] of this.#values) {
      const end = BigInt(list.length) - 1n
      if (end < 0n) continue
      if ((this.#read.get(partition) ?? -1n) < end) return
    }
    const isCommitted = [...this.#values].every(
      ([partition, list]) => (this.#committed.get(partition) ?? -1n) >= BigInt(list.length) - 1n,
    )
    if (!this.#awaitsCommits || isCommitted) this.#subscriber.complete()
    else {
      // Nothing else is coming, so no flush need wait for its age: neither the one of the buffered batches, nor that of batches
      // which an asynchronous operator still holds.
      if (!this.#isFlushing) this.credit.flushEagerly()
      this.#isFlushing = true
      void this.credit.flush()
    }
  }
}

function isList(
  values: readonly TestValue[] | Readonly<Record<number, readonly TestValue[]>>,
): values is readonly TestValue[] {
  return Array.isArray(values)
}
