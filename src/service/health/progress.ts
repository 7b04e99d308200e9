import { type Clock, systemClock } from '../../core/clock.ts'
import type { FlushStages } from '../../core/flush-trace.ts'
import { messageCountsOf, type Raw } from '../../core/raw.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { TopicEvent, TopicEventHandler } from '../topic/events.ts'
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
export class TopicProgress {
  readonly #clock: Clock
  readonly #uncommitted = new UncommittedBatches()
  readonly #records: Rate
  readonly #bytes: Rate
  #movedAtMs: number
  #flushMs = 0
  #lastCommit: LastCommit | undefined
  #lastFlush: LastFlush | undefined

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    this.#movedAtMs = clock.now()
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

  /** Follows the topic by its events. */
  readonly onEvent: TopicEventHandler = (event) => {
    if (event.kind === 'read') this.#noteRead(event.raw)
    else if (event.kind === 'flush-ended') {
      const { stages, durationMs, error } = event
      this.#flushMs = Math.round(durationMs)
      this.#lastFlush = { stages, atMs: this.#clock.now(), isCommitted: error === undefined }
    } else if (event.kind === 'committed') this.#noteCommit(event)
  }

  #noteRead(raw: Raw): void {
    this.#movedAtMs = this.#clock.now()
    this.#uncommitted.add(raw)
    this.#records.add(messageCountsOf(raw).messages, this.#movedAtMs)
    this.#bytes.add(raw.bytes.length, this.#movedAtMs)
  }

  #noteCommit({ commit, partitions }: Extract<TopicEvent, { kind: 'committed' }>): void {
    const { version, attempts, newestMs, ranges } = commit
    this.#movedAtMs = this.#clock.now()
    this.#uncommitted.markCommitted(ranges)
    this.#uncommitted.retain(partitions)
    this.#lastCommit = { version, atMs: this.#movedAtMs, durationMs: this.#flushMs, attempts, newestMs }
  }
}
