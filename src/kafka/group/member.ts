import { type Clock, systemClock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import { errorNameOf } from '../wire/error-codes.ts'
import { CoordinatorClient, pipelineErrorOf } from './coordinator-client.ts'
import { Handover, type RevocationOutcome } from './handover.ts'
import type { GroupEvent, GroupMembership, GroupOptions, GroupStatus } from './membership.ts'
import {
  type OffsetCommitResult,
  type MemberIdentity,
  type OffsetToCommit,
  GroupOffsetStore,
  type CommittedOffset,
  type OffsetsMember,
} from './offsets.ts'
import type { OwnedPartition } from './ownership.ts'
import type { TopicPartition } from './partitions.ts'
import { type GroupStep, type GroupReaction, stopErrorOf } from './group-reactions.ts'
import { type GroupState, GroupStateMachine } from './states.ts'

const SESSION_MS = 30_000
const REBALANCE_MS = 60_000
const HEARTBEAT_MS = 3_000
const LEAVE_MS_MAX = 5_000

/** Represents a member that the coordinator does not know. */
export const UNKNOWN_MEMBER: MemberIdentity = { memberId: '', generation: -1 }

/**
 * Implements the common parts of members with either protocol: state, callbacks, offsets and the end of a membership.
 * Subclasses add joining, heartbeats and leaving.
 */
export abstract class GroupMember implements GroupMembership, OffsetsMember {
  abstract readonly protocol: 'classic' | 'consumer'
  readonly groupId: string
  readonly instanceId: string | null
  protected readonly options: GroupOptions
  protected readonly clock: Clock
  protected readonly states: GroupStateMachine
  protected readonly handover: Handover
  protected readonly coordinator: CoordinatorClient
  protected readonly sessionTimeoutMs: number
  protected readonly rebalanceTimeoutMs: number
  protected readonly heartbeatMs: number
  /** Maximum time of `onRevoke` in milliseconds, which leaves time to notify the coordinator. */
  protected readonly revokeMsMax: number
  /** Aborts when the membership begins to end: the member takes part in no further rebalance. */
  protected readonly ending = new AbortController()
  /** Aborts when the membership has ended. */
  protected readonly ended = new AbortController()
  protected lastHeartbeatMs: number | undefined
  /** Earliest possible start of the rebalance in progress; `undefined` if there is none. */
  protected rebalanceSinceMs: number | undefined
  readonly #offsets: GroupOffsetStore
  #identity: MemberIdentity = UNKNOWN_MEMBER
  #running: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(options: GroupOptions) {
    this.options = options
    this.groupId = options.groupId
    this.instanceId = options.groupInstanceId ?? null
    this.clock = options.clock ?? systemClock
    this.sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_MS
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? REBALANCE_MS
    this.heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS
    this.revokeMsMax = Math.max(this.rebalanceTimeoutMs - 2 * this.heartbeatMs, this.rebalanceTimeoutMs / 2)
    this.states = new GroupStateMachine(() => this.clock.now())
    this.handover = new Handover(options.callbacks, this.clock, (event) => this.emit(event))
    this.coordinator = new CoordinatorClient(options, this.clock, options.random ?? Math.random)
    this.#offsets = new GroupOffsetStore(this, this.coordinator, this.clock)
  }

  /** Starts the membership. */
  start(): void {
    this.#running = this.run().catch((error: unknown) => this.fail(pipelineErrorOf(error)))
  }

  /** Takes part in the group until `ending` aborts. */
  protected abstract run(): Promise<void>
  /** Leaves the group; stops trying when `signal` aborts. */
  protected abstract leave(forGood: boolean, signal: AbortSignal): Promise<void>
  /** Rejoins because of `reason`, with the same id and the owned partitions. */
  protected abstract rejoin(reason: string): void
  /** Returns the id with which the member joins after it lost its membership. */
  protected abstract idAfterLoss(reaction: 'lose' | 'lose-id'): string
  /** Stops work under the former identity and resets the state of the protocol. */
  protected abstract resetProtocolState(): void
  protected abstract assignorName(): string | undefined
  protected abstract isLeader(): boolean
  abstract isConnectionBlocked(): boolean

  identity(): MemberIdentity {
    return this.#identity
  }

  protected setIdentity(identity: MemberIdentity): void {
    this.#identity = identity
  }

  status(): GroupStatus {
    return {
      state: this.states.state,
      sinceMs: this.states.sinceMs,
      protocol: this.protocol,
      memberId: this.#identity.memberId,
      generation: this.#identity.generation,
      assignor: this.assignorName(),
      isLeader: this.#identity.generation >= 0 && this.isLeader(),
      coordinator: this.coordinator.nodeId,
      heartbeatMs: this.lastHeartbeatMs,
      partitions: this.handover.ownership.size,
    }
  }

  owned(): readonly OwnedPartition[] {
    return this.handover.ownership.all()
  }

  owns(partition: OwnedPartition): boolean {
    return this.handover.ownership.owns(partition)
  }

  async commit(offsets: readonly OffsetToCommit[]): Promise<OffsetCommitResult> {
    return this.#offsets.commit(offsets)
  }

  async committedOffsets(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#offsets.read(partitions)
  }

  /** Applies a reaction that concerns the membership; ignores those that concern only the request. */
  applyReaction(step: GroupStep, reaction: GroupReaction, errorCode: number): void {
    const reason = `${errorNameOf(errorCode)} (${step})`
    switch (reaction.kind) {
      case 'stop':
        this.fail(stopErrorOf(reaction, this.groupId, this.instanceId))
        break
      case 'lose':
      case 'lose-id':
        this.loseMembership(reason, this.idAfterLoss(reaction.kind))
        this.rejoin(reason)
        break
      case 'rejoin':
        this.rejoin(reason)
        break
      case 'retry':
      case 'find-coordinator':
      case 'take-id':
      case 'await-release':
      case 'refuse':
        break
    }
  }

  /** Changes the state, unless the membership is ending. */
  protected transitionTo(state: GroupState): void {
    if (this.isEnding()) return
    const isChange = this.states.state !== state
    this.states.transitionTo(state)
    if (isChange && state === 'stable') this.emit({ kind: 'settled' })
  }

  /** Returns whether the membership is ending, so that the member takes part in no further rebalance. */
  protected isEnding(): boolean {
    return this.ending.signal.aborted
  }

  /** Loses the membership and all partitions, which other members may already own. */
  protected loseMembership(reason: string, memberId: string): void {
    if (this.states.isOver) return
    this.setIdentity({ memberId, generation: -1 })
    this.transitionTo('unjoined')
    this.resetProtocolState()
    this.#loseAll(reason)
  }

  /** Ends the membership with an error, once. */
  fail(error: PipelineError): void {
    if (this.states.isOver) return
    this.states.transitionTo('failed')
    this.ending.abort()
    this.ended.abort()
    this.resetProtocolState()
    this.#loseAll(error.message)
    this.options.callbacks.onFailure(error)
  }

  /**
   * Hands over partitions within the rebalance timeout, which starts with the rebalance. Resolves to `undefined` if
   * this ended the membership.
   */
  protected async revoke(partitions: readonly OwnedPartition[]): Promise<RevocationOutcome | undefined> {
    try {
      return await this.handover.revoke(partitions, this.#revokeMs())
    } catch (error) {
      this.fail(pipelineErrorOf(error))
      return undefined
    }
  }

  stop(options: { readonly forGood?: boolean } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.forGood ?? false)
    return this.#stopping
  }

  protected emit(event: GroupEvent): void {
    this.options.onEvent?.(event)
  }

  async #stop(forGood: boolean): Promise<void> {
    if (this.states.isOver) return
    this.states.transitionTo('leaving')
    this.ending.abort()
    // A pending join does not prevent the handover: the coordinator treats its claimed partitions as owned.
    await this.handover.idle()
    let failure: PipelineError | undefined
    try {
      await this.handover.revoke(this.owned(), this.#revokeMs())
    } catch (error) {
      failure = pipelineErrorOf(error)
    }
    const signal = new AbortController()
    const left = new AbortController()
    this.clock.sleep(LEAVE_MS_MAX, left.signal).then(
      () => signal.abort(),
      () => undefined,
    )
    if (!this.isOverNow()) await this.leave(forGood, signal.signal)
    left.abort()
    if (failure !== undefined) this.fail(failure)
    if (this.isOverNow()) return
    this.ended.abort()
    await this.#running
    this.setIdentity(UNKNOWN_MEMBER)
    this.states.transitionTo('left')
    this.emit({ kind: 'left' })
  }

  #revokeMs(): number {
    const nowMs = this.clock.now()
    return Math.max((this.rebalanceSinceMs ?? nowMs) + this.revokeMsMax - nowMs, 0)
  }

  /** Returns whether the membership has ended; checked again after each await, since it may have failed meanwhile. */
  private isOverNow(): boolean {
    return this.states.isOver
  }

  #loseAll(reason: string): void {
    try {
      this.handover.loseAll(reason)
    } catch (error) {
      this.fail(pipelineErrorOf(error))
    }
  }
}
