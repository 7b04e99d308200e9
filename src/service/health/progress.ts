import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { FlushStages } from '../../core/flush-trace.ts'
import { messageCountsOf, type Raw } from '../../core/raw.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { TopicObserver } from '../topic/observer.ts'
import { Rate } from './rate.ts'
import { UncommittedBatches } from './uncommitted.ts'

/** Describes the last commit of a topic. */
interface LastCommit {
  readonly version: bigint
  /** Milliseconds since the epoch, as for all times here. */
  readonly atMs: number
  /** Milliseconds from the formation of the flush to its commit. */
  readonly durationMs: number
  readonly attempts: number
  /** Newest Kafka timestamp among the committed records. */
  readonly newestMs: number
}

/** Describes the last flush of a topic, committed or failed. */
interface LastFlush {
  readonly stages: FlushStages
  readonly atMs: number
  readonly isCommitted: boolean
}

/** Tracks the progress of one topic: when it last read or committed, its rate, and its lag behind Kafka. */
export class TopicProgress implements TopicObserver {
  readonly #clock: Clock
  readonly #uncommitted = new UncommittedBatches()
  readonly #records: Rate
  readonly #bytes: Rate
  #movedAtMs: number
  #flushedAtMs: number
  #hasFailed = false
  #lastCommit: LastCommit | undefined
  #lastFlush: LastFlush | undefined

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    this.#movedAtMs = clock.now()
    this.#flushedAtMs = this.#movedAtMs
    this.#records = new Rate(this.#movedAtMs)
    this.#bytes = new Rate(this.#movedAtMs)
  }

  /** Time of the last read, commit or start. */
  get movedAtMs(): number {
    return this.#movedAtMs
  }

  get lastCommit(): LastCommit | undefined {
    return this.#lastCommit
  }

  get lastFlush(): LastFlush | undefined {
    return this.#lastFlush
  }

  /** Returns the messages and value bytes read per second, over the last minute. */
  rate(): { readonly records: number; readonly bytes: number } {
    const nowMs = this.#clock.now()
    return { records: this.#records.perSecond(nowMs), bytes: this.#bytes.perSecond(nowMs) }
  }

  /** Returns the number of offsets of a partition that the table does not hold yet, including those already read. */
  lag({ partition, end, committed, next }: PartitionStatus): bigint {
    const from = committed === undefined ? (this.#uncommitted.firstOffset(partition) ?? next) : committed + 1n
    return end > from ? end - from : 0n
  }

  /** Returns the lag of several partitions in total. */
  totalLag(partitions: readonly PartitionStatus[]): bigint {
    return partitions.reduce((sum, partition) => sum + this.lag(partition), 0n)
  }

  /**
   * Returns the age in milliseconds of the oldest record that the table does not hold: 0 without lag, an upper bound
   * while that record has not been read, and `undefined` when no timestamp is known.
   */
  lagMs(partition: PartitionStatus): number | undefined {
    if (this.lag(partition) === 0n) return 0
    const oldestMs = this.#uncommitted.oldestTimestampMs(partition.partition)
    return oldestMs === undefined ? undefined : Math.max(0, this.#clock.now() - oldestMs)
  }

  /** Returns the longest known `lagMs` of these partitions. */
  longestLagMs(partitions: readonly PartitionStatus[]): number | undefined {
    const lags = partitions.map((partition) => this.lagMs(partition)).filter((lag) => lag !== undefined)
    return lags.length === 0 ? undefined : Math.max(...lags)
  }

  /** Restarts the stall timer when the topic starts or resumes. */
  markStarted(): void {
    this.#movedAtMs = this.#clock.now()
  }

  read(raw: Raw): void {
    this.#movedAtMs = this.#clock.now()
    this.#uncommitted.add(raw)
    this.#records.add(messageCountsOf(raw).messages, this.#movedAtMs)
    this.#bytes.add(raw.bytes.length, this.#movedAtMs)
  }

  flush(): (error?: unknown) => void {
    const startedAtMs = this.#clock.now()
    return (error) => {
      this.#flushedAtMs = startedAtMs
      this.#hasFailed = error !== undefined
    }
  }

  stages(stages: FlushStages): void {
    this.#lastFlush = { stages, atMs: this.#clock.now(), isCommitted: !this.#hasFailed }
  }

  committed(
    { version, attempts, newestMs, ranges }: PipelineCommit,
    status: readonly PartitionStatus[],
  ): void {
    const atMs = this.#clock.now()
    this.#movedAtMs = atMs
    this.#uncommitted.markCommitted(ranges)
    this.#uncommitted.retain(status.map(({ partition }) => partition))
    this.#lastCommit = { version, atMs, durationMs: atMs - this.#flushedAtMs, attempts, newestMs }
  }

  status(): void {
    // Lag is computed on request from the status passed in.
  }
}
