import { PipelineError } from '../../core/errors.ts'
import type { RequestBody, ResponseBody } from '../wire/apis.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import { errorNameOf } from '../wire/error-codes.ts'
import type { Assignor } from './assignors/assignor.ts'
import { ASSIGNORS } from './assignors/assignors.ts'
import { isAborted, pipelineErrorOf, settledOrAborted } from './coordinator-client.ts'
import { GroupLeader, type SyncGroupAssignments } from './leader.ts'
import { GroupMember, UNKNOWN_MEMBER } from './member.ts'
import type { GroupOptions } from './membership.ts'
import type { OwnedPartition } from './ownership.ts'
import { coversTopics, type TopicPartition, subtractPartitions } from './partitions.ts'
import { STATIC_MEMBERS_UNSUPPORTED, INCONSISTENT_PROTOCOL, stopErrorOf } from './group-reactions.ts'
import { decodeAssignment, encodeSubscription } from './subscription.ts'
import { PendingReason } from './pending-reason.ts'

const PROTOCOL_TYPE = 'consumer'
const WATCH_MS = 30_000
/**
 * Maximum response time in addition to the rebalance timeout; for JoinGroup the connection adds that timeout itself.
 */
const RESPONSE_MS = 10_000
/** First version of JoinGroup with static members (KIP-345). */
const STATIC_JOIN_VERSION = 5
/** First version of LeaveGroup with a list of members. */
const LEAVE_MEMBERS_VERSION = 3
const REASON_LENGTH_MAX = 250

/** Response to a successful JoinGroup. */
type Joined = ResponseBody<'JoinGroup'>

/** Reason to rejoin; `undefined` if the group is stable or the membership ends. */
type RejoinReason = string | undefined

/**
 * Implements a group member with the classic protocol: JoinGroup, SyncGroup, heartbeats on their own timer,
 * LeaveGroup.
 *
 * The member keeps its partitions while it joins, as cooperative protocols allow (KIP-429), unless the group's last
 * protocol was eager. If the group selects an eager protocol although the member kept partitions, it revokes all of
 * them before SyncGroup and rejoins if it does not get all of them back. So cooperative and eager workers can share a
 * group. Leaders of this version assign no partition that another member still owns. Older leaders ignore owned
 * partitions: if one takes the lead in the rebalance in which it joins, a partition can have two owners until the former
 * one has handed it over.
 */
export class ClassicMember extends GroupMember {
  readonly protocol = 'classic'
  readonly #assignors: readonly Assignor[]
  readonly #leader: GroupLeader
  readonly #rejoinReason = new PendingReason()
  /** Assignment protocol of the last generation that this member joined. */
  #assignor: Assignor | undefined
  #isLeading = false
  /** Generation in which the owned partitions were assigned. */
  #ownedGeneration = -1
  /** Stops the current heartbeats; `undefined` while none are sent. */
  #heartbeats: AbortController | undefined
  /** True while a join or sync is in flight. */
  #isWaiting = false
  /** Resolves with the response to the last JoinGroup without a member id. */
  #idRequest: Promise<unknown> = Promise.resolve()
  /** True once LeaveGroup is sent: a later response to a join starts no heartbeats. */
  #hasLeft = false

  constructor(options: GroupOptions) {
    super(options)
    this.#assignors = options.assignors ?? ASSIGNORS
    this.#leader = new GroupLeader(options.cluster, (event) => this.emit(event))
  }

  protected async run(): Promise<void> {
    for (const task of [this.#sendHeartbeats(), this.#watchTopics()]) {
      task.catch((error: unknown) => this.fail(pipelineErrorOf(error)))
    }
    let reason: RejoinReason = 'the member is new'
    while (reason !== undefined) {
      const nextReason: RejoinReason = await this.#rebalance(reason)
      reason = nextReason ?? (await this.#rejoinReason.next(this.ending.signal))
      if (this.ending.signal.aborted) return
    }
  }

  /** Runs one rebalance; returns the reason for another one. */
  async #rebalance(reason: string): Promise<RejoinReason> {
    this.emit({ kind: 'rebalancing', reason })
    if (this.#assignor?.rebalance === 'eager') await this.#revokeEagerly(this.owned())
    if (this.isEnding()) return undefined
    const claimed = this.owned()
    const isReturn = this.instanceId !== null && this.identity().memberId === ''
    const joined = await this.#join(reason)
    if (joined === undefined || typeof joined === 'string') return joined
    const me = this.identity()
    const isForeignEager = this.#assignor?.rebalance === 'eager' && !this.#isLeading
    if (isForeignEager && claimed.length > 0) {
      await this.#revokeEagerly(claimed)
      if (this.states.state === 'reconciling') this.transitionTo('syncing')
    }
    const plan = await this.#plan(joined, me)
    if (this.identity() !== me) return 'the member lost its generation while the leader assigned partitions'
    if (plan === undefined) return 'the leader could not assign partitions in time'
    const assigned = await this.#sync(joined, plan)
    if (assigned === undefined || typeof assigned === 'string') return assigned
    return this.#reconcile(assigned, claimed, isReturn)
  }

  async #revokeEagerly(partitions: readonly OwnedPartition[]): Promise<void> {
    if (partitions.length === 0 || this.ending.signal.aborted) return
    this.transitionTo('reconciling')
    await this.revoke(partitions)
  }

  async #join(reason: string): Promise<Joined | RejoinReason> {
    for (let attempt = 0; !this.ending.signal.aborted; attempt++) {
      this.transitionTo('joining')
      this.#stopHeartbeats()
      this.#rejoinReason.clear()
      this.#isWaiting = true
      const before = this.identity()
      const call = this.coordinator.call({
        step: 'join',
        api: 'JoinGroup',
        body: (connection) => this.#joinBody(connection, reason),
        errorCodeOf: ({ errorCode }) => errorCode,
        timeoutMs: RESPONSE_MS,
        // Not aborted while the member stops: it hands over partitions under its current generation.
        signal: this.ended.signal,
      })
      if (before.memberId === '' && this.instanceId === null) this.#idRequest = call
      const end = await call
      if (end.kind === 'aborted') return undefined
      this.#isWaiting = false
      if (end.kind === 'failed') {
        this.fail(end.error)
        return undefined
      }
      if (this.identity() !== before) return 'the member lost its generation while it joined'
      if (end.kind === 'answered') return this.#joined(end.response)
      if (end.reaction.kind === 'take-id') {
        this.setIdentity({ ...before, memberId: end.response.memberId })
        continue
      }
      this.applyReaction('join', end.reaction, end.errorCode)
      await this.coordinator.pause('join', errorNameOf(end.errorCode), attempt, this.ending.signal)
      if (this.identity() !== before) return 'the member lost its generation while it joined'
    }
    return undefined
  }

  #joinBody(connection: BrokerConnection, reason: string): RequestBody<'JoinGroup'> {
    if (this.instanceId !== null && (connection.versionOf('JoinGroup') ?? 0) < STATIC_JOIN_VERSION) {
      throw stopErrorOf(STATIC_MEMBERS_UNSUPPORTED, this.groupId, this.instanceId)
    }
    const owned = this.owned()
    const ownedGeneration = owned.length === 0 ? -1 : this.#ownedGeneration
    const { topics, rackId = null } = this.options
    return {
      groupId: this.groupId,
      sessionTimeoutMs: this.sessionTimeoutMs,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      memberId: this.identity().memberId,
      groupInstanceId: this.instanceId,
      protocolType: PROTOCOL_TYPE,
      protocols: this.#assignors.map((assignor) => ({
        name: assignor.name,
        metadata: encodeSubscription(
          { topics, userData: assignor.userData(ownedGeneration), owned, ownedGeneration, rackId },
          assignor.version,
        ),
      })),
      reason: reason.slice(0, REASON_LENGTH_MAX),
    }
  }

  #joined(response: Joined): Joined | undefined {
    const { memberId, generationId, leader, protocolName } = response
    const assignor = this.#assignors.find(({ name }) => name === protocolName)
    if (assignor === undefined) {
      this.fail(stopErrorOf(INCONSISTENT_PROTOCOL, this.groupId, this.instanceId))
      return undefined
    }
    this.setIdentity({ memberId, generation: generationId })
    this.#assignor = assignor
    this.#isLeading = leader === memberId
    if (!this.#isLeading) this.#leader.resign()
    this.#onConfirmed()
    this.transitionTo('syncing')
    this.#startHeartbeats()
    return response
  }

  /** Notes that the coordinator confirmed the membership and that no rebalance is in progress. */
  #onConfirmed(): void {
    this.lastHeartbeatMs = this.clock.now()
    this.rebalanceSinceMs = undefined
  }

  /** Computes the assignment if this member is the leader; returns `undefined` if that did not succeed in time. */
  async #plan(joined: Joined, me: object): Promise<SyncGroupAssignments | undefined> {
    if (!this.#isLeading || this.#assignor === undefined) return []
    const untilMs = this.clock.now() + this.rebalanceTimeoutMs
    for (let attempt = 0; this.clock.now() < untilMs && this.identity() === me; attempt++) {
      if (isAborted(this.ended.signal)) return undefined
      try {
        if (!joined.skipAssignment) return await this.#leader.plan(this.#assignor, joined.members)
        await this.#leader.adoptAssignment(joined.members)
        return []
      } catch (error) {
        const fault = pipelineErrorOf(error)
        if (!fault.retryable) throw fault
        await this.coordinator.pause('sync', fault.message, attempt, this.ended.signal)
      }
    }
    return undefined
  }

  async #sync(
    { protocolName }: Joined,
    plan: SyncGroupAssignments,
  ): Promise<readonly TopicPartition[] | RejoinReason> {
    const me = this.identity()
    this.#stopHeartbeats()
    this.#isWaiting = true
    const end = await this.coordinator.call({
      step: 'sync',
      api: 'SyncGroup',
      body: () => ({
        groupId: this.groupId,
        generationId: me.generation,
        memberId: me.memberId,
        groupInstanceId: this.instanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName,
        assignments: plan,
      }),
      errorCodeOf: ({ errorCode }) => errorCode,
      timeoutMs: this.rebalanceTimeoutMs + RESPONSE_MS,
      signal: this.ended.signal,
    })
    if (end.kind === 'aborted') return undefined
    this.#isWaiting = false
    if (end.kind === 'failed') {
      this.fail(end.error)
      return undefined
    }
    if (this.identity() !== me) return 'the member lost its generation while it waited for its assignment'
    if (end.kind === 'answered') {
      // This rebalance covered all reasons so far.
      this.#rejoinReason.clear()
      this.#onConfirmed()
      this.#startHeartbeats()
      return decodeAssignment(end.response.assignment)
    }
    this.applyReaction('sync', end.reaction, end.errorCode)
    return this.isEnding() ? undefined : (this.#rejoinReason.take() ?? errorNameOf(end.errorCode))
  }

  /**
   * Revokes partitions that are no longer assigned and takes new ones; returns the reason to rejoin, if there is one.
   */
  async #reconcile(
    all: readonly TopicPartition[],
    claimed: readonly OwnedPartition[],
    isReturn: boolean,
  ): Promise<RejoinReason> {
    if (this.isEnding()) return undefined
    const me = this.identity()
    const { topics } = this.options
    const assigned = all.filter(({ topic }) => topics.includes(topic))
    this.transitionTo('reconciling')
    this.emit({
      kind: 'joined',
      ...me,
      assignor: this.#assignor?.name ?? '',
      isLeader: this.#isLeading,
    })
    await this.revoke(subtractPartitions(this.owned(), assigned))
    if (this.isEnding()) return undefined
    if (this.identity() !== me) return 'the member lost its generation while it handed over partitions'
    this.#ownedGeneration = me.generation
    this.handover.assign(subtractPartitions(assigned, this.owned()))
    if (subtractPartitions(claimed, assigned).length > 0) return 'partitions were handed over'
    // The coordinator returns the old assignment to a static member after a restart, though its topics may have
    // changed.
    if (isReturn && !coversTopics(all, topics)) return 'the static member restarted with other topics'
    this.transitionTo('stable')
    return undefined
  }

  async #sendHeartbeats(): Promise<void> {
    const { signal } = this.ended
    while (!signal.aborted) {
      await this.clock.sleep(this.heartbeatMs, signal).catch(() => undefined)
      const heartbeats = this.#heartbeats
      if (heartbeats === undefined || isAborted(signal)) continue
      const me = this.identity()
      const end = await this.coordinator.call({
        step: 'heartbeat',
        api: 'Heartbeat',
        body: () => ({
          groupId: this.groupId,
          generationId: me.generation,
          memberId: me.memberId,
          groupInstanceId: this.instanceId,
        }),
        errorCodeOf: ({ errorCode }) => errorCode,
        timeoutMs: Math.max(this.heartbeatMs, this.sessionTimeoutMs / 3),
        signal: heartbeats.signal,
      })
      if (isAborted(heartbeats.signal) || this.identity() !== me) continue
      if (end.kind === 'failed') this.fail(end.error)
      if (end.kind === 'answered') this.#onConfirmed()
      if (end.kind !== 'refused') continue
      if (end.reaction.kind === 'rejoin') {
        this.rebalanceSinceMs ??= this.lastHeartbeatMs
        this.lastHeartbeatMs = this.clock.now()
      }
      // While a sync is in flight, its response reports whether the group rebalances again.
      if (end.reaction.kind === 'rejoin' && this.states.state === 'syncing') continue
      this.applyReaction('heartbeat', end.reaction, end.errorCode)
    }
  }

  #startHeartbeats(): void {
    if (!this.#hasLeft) this.#heartbeats ??= new AbortController()
  }

  #stopHeartbeats(): void {
    this.#heartbeats?.abort()
    this.#heartbeats = undefined
  }

  /** Checks for topic changes while this member is the leader. */
  async #watchTopics(): Promise<void> {
    const { signal } = this.ending
    while (!signal.aborted) {
      await this.clock.sleep(this.options.watchMs ?? WATCH_MS, signal).catch(() => undefined)
      if (isAborted(signal) || this.states.state !== 'stable' || !this.#isLeading) continue
      try {
        const change = await this.#leader.findChange()
        if (change !== undefined) this.rejoin(change)
      } catch (error) {
        // Unreachable brokers are tried again at the next interval.
        if (!(error instanceof PipelineError && error.retryable)) throw error
      }
    }
  }

  protected rejoin(reason: string): void {
    this.#rejoinReason.post(reason)
  }

  protected idAfterLoss(reaction: 'lose' | 'lose-id'): string {
    return reaction === 'lose' ? this.identity().memberId : UNKNOWN_MEMBER.memberId
  }

  protected resetProtocolState(): void {
    this.#stopHeartbeats()
    this.#leader.resign()
    this.#isLeading = false
  }

  protected assignorName(): string | undefined {
    return this.#assignor?.name
  }

  protected isLeader(): boolean {
    return this.#isLeading
  }

  isConnectionBlocked(): boolean {
    return this.#isWaiting
  }

  protected async leave(forGood: boolean, signal: AbortSignal): Promise<void> {
    this.#hasLeft = true
    this.#stopHeartbeats()
    // The coordinator waits for a member that it has given an id, and holds up every rebalance until then.
    await settledOrAborted(this.#idRequest, signal)
    const { memberId } = this.identity()
    if (memberId === '' || (this.instanceId !== null && !forGood)) return
    const { groupId, instanceId: groupInstanceId } = this
    await this.coordinator.call({
      step: 'leave',
      api: 'LeaveGroup',
      body: (connection) =>
        (connection.versionOf('LeaveGroup') ?? 0) < LEAVE_MEMBERS_VERSION
          ? { groupId, memberId }
          : { groupId, members: [{ memberId, groupInstanceId, reason: 'the consumer is closed' }] },
      errorCodeOf: ({ errorCode }) => errorCode,
      timeoutMs: RESPONSE_MS,
      signal,
      isConnectionBlocked: () => this.isConnectionBlocked(),
    })
  }
}
