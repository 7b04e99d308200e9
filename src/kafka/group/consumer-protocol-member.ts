import { randomUUID } from 'node:crypto'
import type { RequestBody, ResponseBody } from '../wire/apis.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import { errorNameOf } from '../wire/error-codes.ts'
import { type CoordinatorResult, pipelineErrorOf } from './coordinator-client.ts'
import { GroupMember } from './member.ts'
import type { GroupOptions } from './membership.ts'
import { keyOfPartition, type TopicPartition } from './partitions.ts'
import { CONSUMER_PROTOCOL_UNSUPPORTED, INSTANCE_ID_UNRELEASED, stopErrorOf } from './group-reactions.ts'
import { PendingReason } from './pending-reason.ts'

const RESPONSE_MS = 10_000
const HEARTBEAT_MS_MIN = 100
const HEARTBEAT_MS_MAX = 60_000
/** Maximum wait for the release of the instance id; brokers remove dead members after 45 seconds by default. */
const RELEASE_MS_MAX = 90_000
/** Maximum number of attempts to release an instance id for a member that has not joined yet. */
const RELEASES_MAX = 3
const LEAVE_EPOCH = -1
/** A static member that leaves with this epoch keeps its partitions until it is back. */
const LEAVE_FOR_RESTART_EPOCH = -2

type Heartbeat = RequestBody<'ConsumerGroupHeartbeat'>
type HeartbeatResponse = ResponseBody<'ConsumerGroupHeartbeat'>

/** A partition in the target assignment of the coordinator. */
interface TargetPartition {
  readonly topicId: string
  readonly partition: number
}

/**
 * Implements a group member with the consumer protocol (KIP-848): heartbeats keep it alive, report its owned
 * partitions and return its target assignment, which the coordinator computes. The member revokes partitions that are
 * not in the target, reports this, and takes new partitions.
 */
export class ConsumerProtocolMember extends GroupMember {
  readonly protocol = 'consumer'
  /** Triggers a heartbeat before its time. */
  readonly #urgent = new PendingReason()
  /** Triggers reconciliation after a change of the target. */
  readonly #changed = new PendingReason()
  readonly #heartbeats = new AbortController()
  #intervalMs: number
  #target: readonly TargetPartition[] | undefined
  /** Topic ids by owned partition; a topic that was created again has the same name and another id. */
  readonly #topicIds = new Map<string, string>()
  /** Owned partitions in the last accepted heartbeat; `undefined` if the coordinator may lack state of this member. */
  #reportedOwned: string | undefined
  /** Member id of the last join that was sent. */
  #joining: string | undefined
  /** Time since which the instance id belongs to another member. */
  #unreleasedMs: number | undefined
  /** Attempts left to take the instance id from another member; zero once this member has joined. */
  #releasesLeft = RELEASES_MAX

  constructor(options: GroupOptions) {
    super(options)
    this.#intervalMs = this.heartbeatMs
  }

  protected async run(): Promise<void> {
    this.setIdentity({ memberId: (this.options.newMemberId ?? randomUUID)(), generation: -1 })
    this.#sendHeartbeats().catch((error: unknown) => this.fail(pipelineErrorOf(error)))
    for (;;) {
      await this.#changed.next(this.ending.signal)
      if (this.isEnding()) return
      await this.#reconcile()
    }
  }

  async #sendHeartbeats(): Promise<void> {
    const { signal } = this.#heartbeats
    this.emit({ kind: 'rebalancing', reason: 'the member is new' })
    while (!signal.aborted) {
      const me = this.identity()
      const isJoining = me.generation < 0
      if (isJoining && this.isEnding()) return
      if (isJoining) this.transitionTo('joining')
      let attempts = 0
      let reportedOwned = ''
      const sinceMs = this.clock.now()
      const end = await this.coordinator.call({
        step: isJoining ? 'consumer-join' : 'consumer-heartbeat',
        api: 'ConsumerGroupHeartbeat',
        body: (connection) => {
          if (isJoining) this.#joining = me.memberId
          reportedOwned = this.#ownedText()
          // If a response was lost, the coordinator may have missed a state change.
          return this.#body(connection, attempts++ > 0 || this.#reportedOwned === undefined)
        },
        errorCodeOf: ({ errorCode }) => errorCode,
        timeoutMs: RESPONSE_MS,
        signal,
      })
      if (this.identity() !== me) continue
      // The rebalance timeout starts when the coordinator sets a new target; a response with it may have been lost.
      if (this.states.state !== 'reconciling') this.rebalanceSinceMs = sinceMs
      await this.#onResult(end, reportedOwned)
      if (end.kind === 'answered') await this.#waitForNext(signal)
    }
  }

  /** Waits until the next heartbeat is due or triggered. */
  async #waitForNext(signal: AbortSignal): Promise<void> {
    const rested = new AbortController()
    const either = AbortSignal.any([signal, rested.signal])
    const due = this.clock.sleep(this.#intervalMs, either).catch(() => undefined)
    await Promise.race([due, this.#urgent.next(either)])
    rested.abort()
  }

  async #onResult(end: CoordinatorResult<'ConsumerGroupHeartbeat'>, reportedOwned: string): Promise<void> {
    if (end.kind === 'aborted') return
    if (end.kind === 'failed') {
      this.fail(end.error)
      return
    }
    if (end.kind === 'answered') {
      this.#releasesLeft = 0
      this.#unreleasedMs = undefined
      this.#reportedOwned = reportedOwned
      this.#applyResponse(end.response)
      return
    }
    if (end.reaction.kind === 'await-release') {
      if (await this.#releaseInstanceId()) return
      if (!this.#mayAwaitRelease()) {
        this.fail(stopErrorOf(INSTANCE_ID_UNRELEASED, this.groupId, this.instanceId))
        return
      }
    }
    this.#reportedOwned = undefined
    const step = this.identity().generation < 0 ? 'consumer-join' : 'consumer-heartbeat'
    this.applyReaction(step, end.reaction, end.errorCode)
    await this.coordinator.pause(step, errorNameOf(end.errorCode), 0, this.#heartbeats.signal)
  }

  /**
   * Releases the instance id of a member that was killed and could not do so itself: sends its leave for a restart, so that
   * this member takes over its partitions at once instead of after the session timeout. Fences a member that is alive after
   * all, as the classic protocol does. A member that has joined before takes the id from no other. Resolves to whether the
   * coordinator accepted it.
   */
  async #releaseInstanceId(): Promise<boolean> {
    const { groupId, instanceId } = this
    const { signal } = this.#heartbeats
    const described = await this.coordinator.call({
      step: 'consumer-join',
      api: 'ConsumerGroupDescribe',
      body: () => ({ groupIds: [groupId], includeAuthorizedOperations: false }),
      errorCodeOf: ({ groups }) => groups[0]?.errorCode ?? 0,
      timeoutMs: RESPONSE_MS,
      signal,
    })
    // Without a response, the member waits for the release.
    if (described.kind !== 'answered') return false
    const owner = described.response.groups[0]?.members.find((member) => member.instanceId === instanceId)
    if (owner === undefined) return false
    // The coordinator refuses a member under its own id too, if it did not get the response to its join.
    if (owner.memberId !== this.identity().memberId && this.#releasesLeft-- <= 0) return false
    const left = await this.coordinator.call({
      step: 'leave',
      api: 'ConsumerGroupHeartbeat',
      body: () => ({ groupId, memberId: owner.memberId, memberEpoch: LEAVE_FOR_RESTART_EPOCH, instanceId }),
      errorCodeOf: ({ errorCode }) => errorCode,
      timeoutMs: RESPONSE_MS,
      signal,
    })
    return left.kind === 'answered'
  }

  #mayAwaitRelease(): boolean {
    this.#unreleasedMs ??= this.clock.now()
    return this.clock.now() - this.#unreleasedMs < RELEASE_MS_MAX
  }

  #applyResponse({ memberId, memberEpoch, heartbeatIntervalMs, assignment }: HeartbeatResponse): void {
    const before = this.identity()
    const isNew = before.generation < 0
    this.lastHeartbeatMs = this.clock.now()
    this.#intervalMs = Math.min(Math.max(heartbeatIntervalMs, HEARTBEAT_MS_MIN), HEARTBEAT_MS_MAX)
    if (memberEpoch !== before.generation) {
      this.setIdentity({ memberId: memberId ?? before.memberId, generation: memberEpoch })
    }
    if (isNew) {
      this.transitionTo('reconciling')
      this.emit({ kind: 'joined', ...this.identity(), isLeader: false })
    }
    if (assignment !== null) {
      this.#target = assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
        partitions.map((partition) => ({ topicId, partition })),
      )
    } else if (isNew) this.#target = []
    // Also without a new target: names of new topics may be known now.
    if (assignment !== null || this.states.state === 'reconciling')
      this.#changed.post('the target assignment changed')
  }

  #body(connection: BrokerConnection, isFull: boolean): Heartbeat {
    if (connection.versionOf('ConsumerGroupHeartbeat') === undefined) {
      throw stopErrorOf(CONSUMER_PROTOCOL_UNSUPPORTED, this.groupId, this.instanceId)
    }
    const { memberId, generation } = this.identity()
    const isJoining = generation < 0
    const { topics, rackId, serverAssignor } = this.options
    return {
      groupId: this.groupId,
      memberId,
      memberEpoch: isJoining ? 0 : generation,
      instanceId: this.instanceId,
      topicPartitions:
        isFull || isJoining || this.#reportedOwned !== this.#ownedText() ? this.#ownedByTopicId() : null,
      ...(isFull
        ? {
            rackId: rackId ?? null,
            rebalanceTimeoutMs: this.rebalanceTimeoutMs,
            subscribedTopicNames: topics,
            serverAssignor: serverAssignor ?? null,
          }
        : {}),
    }
  }

  #ownedText(): string {
    return this.owned().map(keyOfPartition).join(' ')
  }

  #ownedByTopicId(): { readonly topicId: string; readonly partitions: readonly number[] }[] {
    const numbers = new Map<string, number[]>()
    for (const owned of this.owned()) {
      const topicId = this.#topicIdOf(owned)
      numbers.set(topicId, [...(numbers.get(topicId) ?? []), owned.partition])
    }
    return [...numbers].map(([topicId, partitions]) => ({ topicId, partitions }))
  }

  #topicIdOf(partition: TopicPartition): string {
    const topicId = this.#topicIds.get(keyOfPartition(partition))
    if (topicId === undefined) throw new Error('Broken invariant: a partition was taken without its topic id')
    return topicId
  }

  /**
   * Revokes partitions that are not in the target, reports this, and takes new ones; repeats if the target changed
   * meanwhile.
   */
  async #reconcile(): Promise<void> {
    for (;;) {
      const target = this.#target
      if (target === undefined || this.isEnding()) return
      const names = await this.#namesOf(target)
      if (this.#target !== target) continue
      const wanted = new Set(target.map(({ topicId, partition }) => `${topicId}/${partition}`))
      const isWanted = (one: TopicPartition): boolean =>
        wanted.has(`${this.#topicIdOf(one)}/${one.partition}`)
      const unwanted = this.owned().filter((one) => !isWanted(one))
      if (unwanted.length > 0) {
        this.transitionTo('reconciling')
        this.emit({ kind: 'rebalancing', reason: 'the coordinator changed the assignment' })
        await this.revoke(unwanted)
        this.#urgent.post('partitions were handed over')
        if (this.#target !== target || this.isEnding()) continue
      }
      this.#takeFree(target, names)
      if (target.every(({ topicId }) => names.has(topicId))) this.transitionTo('stable')
      else this.transitionTo('reconciling')
      return
    }
  }

  #takeFree(target: readonly TargetPartition[], names: ReadonlyMap<string, string>): void {
    const owned = new Set(this.owned().map(keyOfPartition))
    const free = target.flatMap(({ topicId, partition }) => {
      const topic = names.get(topicId)
      if (topic === undefined || owned.has(keyOfPartition({ topic, partition }))) return []
      this.#topicIds.set(keyOfPartition({ topic, partition }), topicId)
      return [{ topic, partition }]
    })
    if (free.length === 0) return
    this.handover.assign(free)
    this.#urgent.post('partitions were taken')
  }

  /** Returns the names of the topics in a target by id; a name may be missing if its topic is new. */
  async #namesOf(target: readonly TargetPartition[]): Promise<ReadonlyMap<string, string>> {
    const { cluster, topics } = this.options
    const names = new Map<string, string>()
    for (const refresh of [false, true]) {
      if (target.every(({ topicId }) => names.has(topicId))) break
      try {
        const metadata = await cluster.metadata(topics, { refresh })
        for (const { name, topicId } of metadata.topics.values()) names.set(topicId, name)
      } catch (error) {
        const fault = pipelineErrorOf(error)
        if (!fault.retryable) throw fault
      }
    }
    return names
  }

  protected rejoin(reason: string): void {
    if (this.states.state === 'unjoined') this.emit({ kind: 'rebalancing', reason })
    this.#urgent.post(reason)
  }

  protected idAfterLoss(): string {
    return this.identity().memberId
  }

  protected resetProtocolState(): void {
    this.#target = undefined
    this.#reportedOwned = undefined
    if (this.states.isOver) this.#heartbeats.abort()
  }

  protected assignorName(): string | undefined {
    return this.options.serverAssignor
  }

  protected isLeader(): boolean {
    return false
  }

  isConnectionBlocked(): boolean {
    return false
  }

  protected async leave(forGood: boolean, signal: AbortSignal): Promise<void> {
    this.#heartbeats.abort()
    const { memberId, generation } = this.identity()
    // A join without a response may have been accepted.
    if (generation < 0 && this.#joining !== memberId) return
    const isForRestart = this.instanceId !== null && !forGood
    await this.coordinator.call({
      step: 'leave',
      api: 'ConsumerGroupHeartbeat',
      body: () => ({
        groupId: this.groupId,
        memberId,
        memberEpoch: isForRestart ? LEAVE_FOR_RESTART_EPOCH : LEAVE_EPOCH,
        instanceId: this.instanceId,
      }),
      errorCodeOf: ({ errorCode }) => errorCode,
      timeoutMs: RESPONSE_MS,
      signal,
    })
  }
}
