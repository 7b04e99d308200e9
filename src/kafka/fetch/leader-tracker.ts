import { PipelineError } from '../../core/errors.ts'
import { BROKER_ERRORS, errorNameOf } from '../wire/error-codes.ts'
import type { ClusterMetadata, LeaderHint, TopicMetadata } from '../wire/cluster.ts'
import { NO_UUID } from '../wire/schema.ts'
import { WakeSignal } from './wake-signal.ts'
import type { FetchContext } from './fetch-context.ts'
import { fetchFailureOf, isPermanent } from './faults/fetch-failure.ts'
import type { FetchPartition } from './fetch-partition.ts'
import { recreatedTopicError, textOfTopicId } from './faults/recreated-topic.ts'

/** Pause between consecutive lookups in milliseconds; it doubles up to one second. */
const PAUSE_MS = 100
const PAUSE_MS_MAX = 1_000
/** Time without lookups after which the pause is reset. */
const QUIET_MS = 10_000

/**
 * Tracks the leaders of partitions. Looks them up while a partition has no leader or its topic is missing, and on
 * request; one lookup at a time.
 */
export class LeaderTracker {
  readonly #context: FetchContext
  readonly #wakeSignal: WakeSignal
  #isRequested = false
  #lastLookupMs = -Infinity
  #pauseMs = PAUSE_MS

  constructor(context: FetchContext) {
    this.#context = context
    this.#wakeSignal = new WakeSignal(context.clock)
  }

  /** Requests a lookup, because leaders may have changed. */
  requestLookup(): void {
    this.#isRequested = true
    this.#wakeSignal.wake()
  }

  /** Makes the tracker check for new partitions and for the end of the fetcher. */
  wake(): void {
    this.#wakeSignal.wake()
  }

  /** Updates the leader of a partition from a response; returns whether its epoch is newer than the known one. */
  learnLeader(partition: FetchPartition, hint: LeaderHint): boolean {
    if (hint.leaderId < 0 || hint.leaderEpoch <= partition.leaderEpoch) return false
    this.#context.cluster.learnLeader(hint)
    this.#setLeader(partition, hint.leaderId, hint.leaderEpoch)
    return true
  }

  async run(): Promise<void> {
    while (!this.#context.isClosed()) {
      const topics = new Set<string>()
      for (const each of this.#context.partitions()) if (!each.isFailed) topics.add(each.topic)
      const isLeaderMissing = [...this.#context.partitions()].some(
        (each) => !each.isFailed && each.leaderId < 0,
      )
      if (topics.size === 0 || (!this.#isRequested && !isLeaderMissing)) {
        await this.#wakeSignal.wait()
        continue
      }
      const pauseMs = this.#pauseBefore()
      if (pauseMs > 0) {
        await this.#context.sleep(pauseMs)
        continue
      }
      await this.#lookUp([...topics])
    }
  }

  /** Returns the time until the next lookup is allowed, in milliseconds. */
  #pauseBefore(): number {
    const now = this.#context.clock.now()
    const sinceMs = now - this.#lastLookupMs
    if (sinceMs > QUIET_MS) this.#pauseMs = PAUSE_MS
    return Math.max(0, this.#pauseMs - sinceMs)
  }

  async #lookUp(topics: readonly string[]): Promise<void> {
    const { cluster, clock, onEvent, failPartition } = this.#context
    const isFirst = this.#lastLookupMs === -Infinity
    const refresh = this.#isRequested || !isFirst
    this.#isRequested = false
    try {
      const metadata = await cluster.metadata(topics, { refresh })
      if (!this.#context.isClosed()) this.#apply(metadata)
    } catch (error) {
      if (this.#context.isClosed()) return
      if (isPermanent(error)) {
        for (const each of [...this.#context.partitions()])
          if (!each.isFailed) failPartition(each, fetchFailureOf(error, each))
        return
      }
      this.#isRequested = true
      onEvent({ kind: 'metadata-failed', error })
    }
    this.#lastLookupMs = clock.now()
    if (!isFirst) this.#pauseMs = Math.min(PAUSE_MS_MAX, 2 * this.#pauseMs)
  }

  #apply(metadata: ClusterMetadata): void {
    for (const partition of [...this.#context.partitions()]) {
      const topic = metadata.topics.get(partition.topic)
      // Partitions that were sought after the request are in the next lookup.
      if (topic === undefined || partition.isFailed) continue
      this.#applyTopic(partition, topic)
    }
  }

  #applyTopic(partition: FetchPartition, topic: TopicMetadata): void {
    const context = this.#context
    if (topic.errorCode === BROKER_ERRORS.TOPIC_AUTHORIZATION_FAILED.code) {
      context.failPartition(
        partition,
        this.#error(
          'KD_KAFKA_FORBIDDEN',
          'expected permission to read the topic, got TOPIC_AUTHORIZATION_FAILED',
          partition,
        ),
      )
      return
    }
    const isIdKnown = topic.topicId !== NO_UUID
    // Before the partition is found missing: a topic that was created again may have fewer of them.
    if (isIdKnown && partition.topicId !== undefined && partition.topicId !== topic.topicId) {
      const [expected, got] = [textOfTopicId(partition.topicId), textOfTopicId(topic.topicId)]
      const where = { partition: partition.partition, offset: partition.position }
      context.failPartition(partition, recreatedTopicError(topic.name, expected, got, where))
      return
    }
    const place = topic.partitions.find(({ partitionIndex }) => partitionIndex === partition.partition)
    if (place === undefined || topic.errorCode === BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code) {
      this.#onMissing(partition, errorNameOf(topic.errorCode))
      return
    }
    partition.missingSinceMs = undefined
    if (isIdKnown) partition.topicId = topic.topicId
    if (place.leaderEpoch >= partition.leaderEpoch || place.leaderEpoch < 0)
      this.#setLeader(partition, place.leaderId, place.leaderEpoch)
  }

  /** Handles a missing topic or partition: new ones may be missing for a time. */
  #onMissing(partition: FetchPartition, reason: string): void {
    const now = this.#context.clock.now()
    partition.missingSinceMs ??= now
    partition.leaderlessSinceMs ??= now
    partition.leaderId = -1
    if (now - partition.missingSinceMs < this.#context.missingMsMax) return
    const detail = `expected the topic and its partition to appear within ${this.#context.missingMsMax} ms, got ${reason}`
    this.#context.failPartition(partition, this.#error('KD_TOPIC_MISSING', detail, partition))
  }

  #setLeader(partition: FetchPartition, leaderId: number, leaderEpoch: number): void {
    const isMoved = partition.leaderId !== leaderId
    partition.leaderId = leaderId
    partition.leaderEpoch = leaderEpoch
    if (leaderId < 0) {
      partition.leaderlessSinceMs ??= this.#context.clock.now()
      return
    }
    partition.leaderlessSinceMs = undefined
    const { topic, partition: index } = partition
    if (isMoved)
      this.#context.onEvent({ kind: 'moved', topic, partition: index, nodeId: leaderId, leaderEpoch })
    this.#context.wakeBroker(partition)
  }

  #error(
    code: 'KD_KAFKA_FORBIDDEN' | 'KD_TOPIC_MISSING',
    detail: string,
    { topic, partition, position }: FetchPartition,
  ): PipelineError {
    return new PipelineError(code, detail, { topic, partition, offset: position })
  }
}
