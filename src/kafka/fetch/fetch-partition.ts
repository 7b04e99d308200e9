import { backoffMs } from '../../resilience/backoff.ts'
import type { LogEnds } from './fetch-options.ts'
import type { FetchPartitionRequest } from './fetch-session.ts'
import type { ReadObstacle } from './read-obstacles.ts'

/** Backoff after an error of the partition. */
const BACKOFF = { minBackoffMs: 100, maxBackoffMs: 1_000, jitter: 'none' } as const

/** Describes where to read a partition. */
interface SoughtOffset {
  readonly offset: bigint
  /** Epoch of the record before the offset; -1 if unknown. */
  readonly leaderEpoch: number
  /** The topic that the offset belongs to, 32 hex digits; `undefined` if unknown. */
  readonly topicId: string | undefined
}

/** Holds the state of a partition that is read. */
export class FetchPartition {
  readonly topic: string
  readonly partition: number
  /** Next offset to deliver. */
  position: bigint
  /** Leader epoch of the record before the position; -1 if unknown. */
  positionEpoch: number
  /** Next offset to fetch; past the position while a response waits to be delivered. */
  fetchOffset: bigint
  /** Incremented by every seek; responses to requests from before a seek are discarded. */
  seekEpoch = 0
  isDropped = false
  isPaused = false
  isFailed = false
  /** 32 hex digits; set once or by a seek, so that a topic that was deleted and created again is detected. */
  topicId: string | undefined
  /** Node id of the leader; -1 if unknown. */
  leaderId = -1
  leaderEpoch = -1
  ends: LogEnds | undefined
  /** Earliest time of the next request, in milliseconds since the epoch. */
  notBeforeMs = 0
  /** Time since which the brokers name no leader, in milliseconds since the epoch; `undefined` before they were asked. */
  leaderlessSinceMs: number | undefined
  /** Time at which the topic was first found missing, in milliseconds since the epoch. */
  missingSinceMs: number | undefined
  /** Responses in a row whose records were all past the position. */
  uselessResponses = 0
  #replica: { readonly nodeId: number; readonly untilMs: number } | undefined
  #failures = 0
  #refusal: ReadObstacle | undefined

  constructor(topic: string, partition: number, { offset, leaderEpoch, topicId }: SoughtOffset) {
    this.topic = topic
    this.partition = partition
    this.topicId = topicId
    this.position = this.fetchOffset = offset
    this.positionEpoch = leaderEpoch
  }

  /** Number of consecutive errors. */
  get failures(): number {
    return this.#failures
  }

  /** Why the partition itself cannot be read; `undefined` if only its broker decides. */
  get obstacle(): ReadObstacle | undefined {
    if (this.missingSinceMs !== undefined)
      return {
        sinceMs: this.missingSinceMs,
        reason: 'the topic does not exist in Kafka: it may have been deleted',
      }
    if (this.leaderlessSinceMs !== undefined)
      return { sinceMs: this.leaderlessSinceMs, reason: 'it has no leader' }
    return this.#refusal
  }

  /** The part of the next fetch that asks for this partition. */
  get request(): Omit<FetchPartitionRequest<never>, 'context'> {
    return {
      topic: this.topic,
      topicId: this.topicId,
      partition: this.partition,
      leaderEpoch: this.leaderEpoch,
      offset: this.fetchOffset,
      // The epoch is known only for delivered records.
      lastFetchedEpoch: this.fetchOffset === this.position ? this.positionEpoch : -1,
    }
  }

  /** Broker to read from; -1 if unknown. */
  get nodeId(): number {
    return this.#replica?.nodeId ?? this.leaderId
  }

  /** True if the partition is to be fetched once its broker is known. */
  get isFetchable(): boolean {
    return !this.isDropped && !this.isFailed && !this.isPaused
  }

  seek({ offset, leaderEpoch, topicId }: SoughtOffset): void {
    this.seekEpoch++
    // Without an id, the seek of a failed partition accepts a topic that was created again.
    if (this.isFailed || topicId !== undefined) this.topicId = topicId
    if (this.isFailed) this.leaderId = this.leaderEpoch = -1
    this.position = this.fetchOffset = offset
    this.positionEpoch = leaderEpoch
    this.isFailed = false
    this.uselessResponses = 0
    this.missingSinceMs = undefined
    this.leaderlessSinceMs = undefined
    this.resetBackoff()
  }

  /** Reads from a replica until the given time. */
  preferReplica(nodeId: number, untilMs: number): void {
    this.#replica = { nodeId, untilMs }
  }

  /** Returns to the leader; returns whether a replica was read until now. */
  clearReplica(): boolean {
    const had = this.#replica !== undefined
    this.#replica = undefined
    return had
  }

  /** Returns to the leader if the time of the replica is over; returns whether it was. */
  expireReplica(nowMs: number): boolean {
    return this.#replica !== undefined && nowMs >= this.#replica.untilMs && this.clearReplica()
  }

  /** Delays the next request; `reason` says why the last one brought nothing. */
  backOff(nowMs: number, reason?: string): void {
    if (reason !== undefined) this.#refusal = { sinceMs: this.#refusal?.sinceMs ?? nowMs, reason }
    this.fetchOffset = this.position
    this.notBeforeMs = nowMs + backoffMs(++this.#failures, BACKOFF)
  }

  /** Resets the backoff after a successful response. */
  resetBackoff(): void {
    this.#failures = 0
    this.#refusal = undefined
    this.notBeforeMs = 0
  }
}
