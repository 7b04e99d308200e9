import type { Commit } from '../../../operators/commit-offsets.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { FlushStages } from '../../core/flush-trace.ts'
import { messagesOf, type Raw } from '../../core/raw.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { TopicObserver } from '../topic/observer.ts'
import { Rate } from './rate.ts'
import { Unsettled } from './uncommitted.ts'

/** The last commit of a topic. */
export interface LastCommit {
  readonly version: bigint
  /** Milliseconds since the epoch, as all times here. */
  readonly atMs: number
  /** From the forming of the flush to its commit. */
  readonly durationMs: number
  readonly attempts: number
  /** Newest Kafka timestamp among its records. */
  readonly newestMs: number
}

/** The last flush of a topic, committed or not. */
export interface LastFlush {
  readonly stages: FlushStages
  readonly atMs: number
  readonly isCommitted: boolean
}

/** How a topic gets on: when it last moved, how fast, and what of it is not in the table; one for each topic of the process. */
export class Progress implements TopicObserver {
  readonly #clock: Clock
  readonly #unsettled = new Unsettled()
  readonly #records: Rate
  readonly #bytes: Rate
  #movedAtMs: number
  #flushedAtMs: number
  #failed = false
  #last: LastCommit | undefined
  #lastFlush: LastFlush | undefined

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    this.#movedAtMs = clock.now()
    this.#flushedAtMs = this.#movedAtMs
    this.#records = new Rate(this.#movedAtMs)
    this.#bytes = new Rate(this.#movedAtMs)
  }

  /** When it last read or committed something, or began. */
  get movedAtMs(): number {
    return this.#movedAtMs
  }

  get last(): LastCommit | undefined {
    return this.#last
  }

  get lastFlush(): LastFlush | undefined {
    return this.#lastFlush
  }

  /** Messages and bytes of their values that were read, a second, over the last minute. */
  rate(): { readonly records: number; readonly bytes: number } {
    const nowMs = this.#clock.now()
    return { records: this.#records.perSecond(nowMs), bytes: this.#bytes.perSecond(nowMs) }
  }

  /** Offsets of a partition that the table does not hold yet: those that were read and are on their way too. */
  lag({ partition, end, committed, next }: PartitionStatus): bigint {
    const from = committed === undefined ? (this.#unsettled.first(partition) ?? next) : committed + 1n
    return end > from ? end - from : 0n
  }

  /** The same of several partitions together. */
  totalLag(partitions: readonly PartitionStatus[]): bigint {
    return partitions.reduce((sum, partition) => sum + this.lag(partition), 0n)
  }

  /**
   * Milliseconds since the oldest record of a partition was produced that the table does not hold; 0 without lag, at most so
   * much where it was not read yet, `undefined` where nothing is known of it.
   */
  lagMs(partition: PartitionStatus): number | undefined {
    if (this.lag(partition) === 0n) return 0
    const oldestMs = this.#unsettled.oldestMs(partition.partition)
    return oldestMs === undefined ? undefined : Math.max(0, this.#clock.now() - oldestMs)
  }

  /** The longest of `lagMs` of these partitions, as far as they are known. */
  longestLagMs(partitions: readonly PartitionStatus[]): number | undefined {
    const lags = partitions.map((partition) => this.lagMs(partition)).filter((lag) => lag !== undefined)
    return lags.length === 0 ? undefined : Math.max(...lags)
  }

  /** It begins to be carried, or goes on after it was paused. */
  begun(): void {
    this.#movedAtMs = this.#clock.now()
  }

  read(raw: Raw): void {
    this.#movedAtMs = this.#clock.now()
    this.#unsettled.read(raw)
    this.#records.add(messagesOf(raw).messages, this.#movedAtMs)
    this.#bytes.add(raw.bytes.length, this.#movedAtMs)
  }

  flush(): (error?: unknown) => void {
    const startedAtMs = this.#clock.now()
    return (error) => {
      this.#flushedAtMs = startedAtMs
      this.#failed = error !== undefined
    }
  }

  stages(stages: FlushStages): void {
    this.#lastFlush = { stages, atMs: this.#clock.now(), isCommitted: !this.#failed }
  }

  committed({ version, attempts, newestMs, ranges }: Commit, status: readonly PartitionStatus[]): void {
    const atMs = this.#clock.now()
    this.#movedAtMs = atMs
    this.#unsettled.settled(ranges)
    this.#unsettled.keep(status.map(({ partition }) => partition))
    this.#last = { version, atMs, durationMs: atMs - this.#flushedAtMs, attempts, newestMs }
  }

  status(): void {
    // It asks by itself.
  }
}
