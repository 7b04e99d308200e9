import { PipelineError, type ErrorCode } from '../../../core/errors.ts'
import { errorNameOf } from '../../wire/error-codes.ts'
import type { ResponseBody } from '../../wire/apis.ts'
import type { FetchContext } from '../fetch-context.ts'
import type { FetchPartition } from '../fetch-partition.ts'
import { fetchFailureOf, isPermanent } from './fetch-failure.ts'
import { fetchReactionTo } from './fetch-reactions.ts'
import type { FetchPartitionResponse } from '../fetch-session.ts'
import { listOffsets } from '../list-offsets.ts'
import type { LeaderTracker } from '../leader-tracker.ts'

type Endpoints = ResponseBody<'Fetch'>['nodeEndpoints']

/** Handles errors, preferred replicas and truncated logs in the responses of single partitions. */
export class FetchErrorHandler {
  readonly #context: FetchContext
  readonly #leaders: LeaderTracker

  constructor(context: FetchContext, leaders: LeaderTracker) {
    this.#context = context
    this.#leaders = leaders
  }

  /**
   * Handles the response of broker `nodeId` for a partition; returns whether it has no records to read for that
   * reason.
   */
  handle(
    partition: FetchPartition,
    data: FetchPartitionResponse,
    endpoints: Endpoints,
    nodeId: number,
  ): boolean {
    const { divergingEpoch, errorCode, preferredReadReplica } = data
    if (divergingEpoch.endOffset >= 0n) {
      const detail = `expected the log to contain the records read from leader epoch ${partition.positionEpoch}, got a log that was truncated at ${divergingEpoch.endOffset} when the leader changed`
      this.#fail(partition, 'KD_OFFSETS_VANISHED', detail)
      return true
    }
    if (errorCode === 0) {
      if (preferredReadReplica < 0 || preferredReadReplica === nodeId) return false
      this.#usePreferredReplica(partition, preferredReadReplica)
      return true
    }
    this.#learnLeader(partition, data, endpoints)
    this.#react(partition, errorCode, nodeId)
    return true
  }

  #usePreferredReplica(partition: FetchPartition, nodeId: number): void {
    const { clock, replicaMsMax, onEvent, wakeBroker } = this.#context
    partition.preferReplica(nodeId, clock.now() + replicaMsMax)
    partition.resetBackoff()
    const { topic, partition: index, leaderEpoch } = partition
    onEvent({ kind: 'moved', topic, partition: index, nodeId, leaderEpoch })
    wakeBroker(partition)
  }

  /** Learns the new leader, which brokers name together with an error since version 12 (KIP-951). */
  #learnLeader(
    partition: FetchPartition,
    { currentLeader }: FetchPartitionResponse,
    endpoints: Endpoints,
  ): void {
    const node = endpoints.find(({ nodeId }) => nodeId === currentLeader.leaderId)
    const { topic, partition: partitionIndex } = partition
    this.#leaders.learnLeader(partition, {
      topic,
      partitionIndex,
      ...currentLeader,
      ...(node === undefined ? {} : { node }),
    })
  }

  #react(partition: FetchPartition, errorCode: number, nodeId: number): void {
    const { clock, onEvent, requestLeaderLookup, wakeBroker } = this.#context
    const { topic, partition: index, leaderId } = partition
    const reason = errorNameOf(errorCode)
    const reaction = fetchReactionTo(errorCode)
    if (reaction.kind === 'fail') {
      const detail =
        reaction.code === 'KD_KAFKA_FORBIDDEN'
          ? `expected the right to Describe and Read topic ${JSON.stringify(topic)}, got: ${reason}`
          : `expected records, got ${reason} from broker ${nodeId}`
      this.#fail(partition, reaction.code, detail)
      return
    }
    onEvent({ kind: 'refused', topic, partition: index, reason, refusals: partition.failures + 1 })
    const wasReplica = partition.clearReplica()
    partition.backOff(clock.now(), `broker ${nodeId} answers ${reason}`)
    if (wasReplica) wakeBroker(partition)
    if (reaction.kind === 'look-up') requestLeaderLookup()
    // A replica may lag behind; only the leader knows the range of the log.
    if (reaction.kind === 'check-range' && !wasReplica && nodeId === leaderId)
      void this.#checkRange(partition)
  }

  async #checkRange(partition: FetchPartition): Promise<void> {
    const { topic, partition: index, seekEpoch: epoch, position } = partition
    const { cluster, clock, requestTimeoutMs } = this.#context
    // Stops fetching during the check.
    partition.notBeforeMs = Infinity
    const isCurrent = (): boolean =>
      !partition.isDropped && partition.seekEpoch === epoch && !this.#context.isClosed()
    try {
      const place = { topic, partition: index }
      const options = { isolation: 'read_uncommitted', clock, timeoutMs: requestTimeoutMs } as const
      const [low, high] = await Promise.all(
        (['earliest', 'latest'] as const).map(async (at) => {
          const [found] = await listOffsets(cluster, [{ ...place, at }], options)
          return found?.offset ?? -1n
        }),
      )
      if (!isCurrent()) return
      if (low !== undefined && high !== undefined && (position < low || position > high)) {
        this.#fail(
          partition,
          'KD_OFFSETS_VANISHED',
          `expected offset ${position}, got a log from ${low} to ${high}`,
        )
        return
      }
      // A new leader may briefly have a lower end; and the epoch may be unknown to all brokers.
      partition.positionEpoch = -1
    } catch (error) {
      if (!isCurrent()) return
      if (isPermanent(error)) {
        this.#context.failPartition(partition, fetchFailureOf(error, partition))
        return
      }
      this.#context.onEvent({ kind: 'metadata-failed', error })
    }
    if (!isCurrent()) return
    partition.backOff(clock.now())
    this.#context.wakeBroker(partition)
  }

  #fail(partition: FetchPartition, code: ErrorCode, detail: string): void {
    const { topic, partition: index, position } = partition
    this.#context.failPartition(
      partition,
      new PipelineError(code, detail, { topic, partition: index, offset: position }),
    )
  }
}
