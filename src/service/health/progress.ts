import { type Clock, systemClock } from '../../core/clock.ts'
import type { FlushStages } from '../../core/flush-trace.ts'
import { messageCountsOf, valueBytesOf, type Raw } from '../../core/raw.ts'
import { END_AGE_MS_MAX } from '../../kafka/fetch/end-offsets.ts'
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
  /** Newest Kafka timestamp among the committed records, of this or an earlier commit; `undefined` if none had one. */
  readonly newestMs: number | undefined
}

/** Describes the last flush of a topic, committed or failed. */
interface LastFlush {
  readonly stages: FlushStages
  readonly atMs: number
  readonly isCommitted: boolean
}

/** Time for which records from the future are reported, in milliseconds. */
const FUTURE_FOR_MS = 3_600_000

/** Tracks the progress of one topic: when it last read or committed, its rate, and its lag behind Kafka. */
export class TopicProgress {
  readonly #clock: Clock
  readonly #uncommitted = new UncommittedBatches()
  /** The oldest offset that the table lacks, by partition, and since when it is known to be in Kafka. */
  readonly #behind = new Map<number, { readonly from: bigint; readonly sinceMs: number }>()
  readonly #records: Rate
  readonly #bytes: Rate
  #movedAtMs: number
  #flushMs = 0
  #lastCommit: LastCommit | undefined
  #lastFlush: LastFlush | undefined
  #future: { readonly aheadMs: number; readonly atMs: number } | undefined

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

  /** Milliseconds since the last read, commit or start. */
  get movedMsAgo(): number {
    return this.#ageOf(this.#movedAtMs)
  }

  /** Age in milliseconds of the newest record in the table; `undefined` until this process has committed one with a timestamp. */
  get freshnessMs(): number | undefined {
    const newestMs = this.#lastCommit?.newestMs
    return newestMs === undefined ? undefined : this.#ageOf(newestMs)
  }

  /** Milliseconds by which records of the last hour were ahead of the clock; `undefined` if none was by a minute. */
  get futureMs(): number | undefined {
    if (this.#future === undefined || this.#ageOf(this.#future.atMs) > FUTURE_FOR_MS) return undefined
    return this.#future.aheadMs
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

  /**
   * Returns the number of offsets of a partition that the table does not hold yet, including those already read;
   * `undefined` while the end in Kafka or the offset in the table is unknown.
   */
  lag(partition: PartitionStatus): bigint | undefined {
    const { end } = partition
    if (end === undefined || end === 0n) return end
    const from = this.#firstMissing(partition)
    if (from === undefined) return undefined
    return end > from ? end - from : 0n
  }

  /** Returns the lag of several partitions in total; `undefined` unless that of each is known. */
  totalLag(partitions: readonly PartitionStatus[] | undefined): bigint | undefined {
    const lags = partitions?.map((partition) => this.lag(partition))
    return lags?.reduce((sum, lag) => (sum === undefined || lag === undefined ? undefined : sum + lag), 0n)
  }

  /** Returns true if one of the partitions is known to lag. */
  isBehind(partitions: readonly PartitionStatus[] | undefined): boolean {
    return partitions?.some((partition) => (this.lag(partition) ?? 0n) > 0n) ?? false
  }

  /**
   * Returns the age in milliseconds of the oldest record that the table does not hold: 0 without lag, and `undefined` while
   * the lag is unknown. It is an upper bound while that record has not been read; while no timestamp is known, it is the time
   * since `follow` found the lag, which is a lower bound.
   */
  lagMs(partition: PartitionStatus): number | undefined {
    const lag = this.lag(partition)
    if (lag === undefined || lag === 0n) return lag === undefined ? undefined : 0
    const oldestMs =
      this.#uncommitted.oldestTimestampMs(partition.partition) ??
      this.#behind.get(partition.partition)?.sinceMs
    return oldestMs === undefined ? undefined : this.#ageOf(oldestMs)
  }

  /** Returns the longest `lagMs` of these partitions; `undefined` unless that of each is known. */
  longestLagMs(partitions: readonly PartitionStatus[] | undefined): number | undefined {
    const ages = partitions?.map((partition) => this.lagMs(partition))
    return ages?.reduce(
      (longest, age) => (longest === undefined || age === undefined ? undefined : Math.max(longest, age)),
      0,
    )
  }

  /** Notes since when partitions lag. Called periodically, in every state of the topic. */
  follow(partitions: readonly PartitionStatus[] | undefined): void {
    if (partitions === undefined) return
    const lagging = new Set<number>()
    for (const each of partitions) {
      // The end in Kafka may have been reported a while ago.
      if (this.lag(each) === 0n)
        this.#uncommitted.markCaughtUp(each.partition, this.#clock.now() - END_AGE_MS_MAX)
      const from = this.#firstMissing(each)
      const known = this.#behind.get(each.partition)
      // An end that becomes unknown takes nothing back: the record is still there.
      const isBehind = each.end === undefined ? known !== undefined : (this.lag(each) ?? 0n) > 0n
      if (from === undefined || !isBehind) continue
      lagging.add(each.partition)
      if (known?.from !== from) this.#behind.set(each.partition, { from, sinceMs: this.#clock.now() })
    }
    for (const partition of this.#behind.keys()) if (!lagging.has(partition)) this.#behind.delete(partition)
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

  /** Returns the offset of the oldest record that the table lacks, if that is known. */
  #firstMissing({ partition, live, next, committed }: PartitionStatus): bigint | undefined {
    if (committed !== undefined) return committed + 1n
    return live ? (this.#uncommitted.firstOffset(partition) ?? next) : undefined
  }

  /** Returns the age of a time; 0 after the clock was set back. */
  #ageOf(ms: number): number {
    return Math.max(0, this.#clock.now() - ms)
  }

  #noteRead(raw: Raw): void {
    this.#movedAtMs = this.#clock.now()
    this.#uncommitted.add(raw, this.#movedAtMs)
    this.#records.add(messageCountsOf(raw).messages, this.#movedAtMs)
    this.#bytes.add(valueBytesOf(raw), this.#movedAtMs)
  }

  #noteCommit({ commit, partitions }: Extract<TopicEvent, { kind: 'committed' }>): void {
    const { version, attempts, newestMs = this.#lastCommit?.newestMs, futureMs, ranges } = commit
    this.#movedAtMs = this.#clock.now()
    if (futureMs !== undefined)
      this.#future = { aheadMs: Math.round(futureMs - this.#movedAtMs), atMs: this.#movedAtMs }
    this.#uncommitted.markCommitted(ranges)
    this.#uncommitted.retain(partitions)
    this.#lastCommit = { version, atMs: this.#movedAtMs, durationMs: this.#flushMs, attempts, newestMs }
  }
}
