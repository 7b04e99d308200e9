import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { ReceivedRequest, SentResponse } from '../../kafka/wire/apis.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../kafka/wire/error-codes.ts'

type Joining = ReceivedRequest<'JoinGroup'>
type JoinAnswer = SentResponse<'JoinGroup'>
type SyncAnswer = SentResponse<'SyncGroup'>

interface ClassicMember {
  readonly memberId: string
  readonly clientId: string
  readonly instanceId: string | null
  protocols: Joining['protocols']
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  seenMs: number
  assignment: Uint8Array
  joined: ((answer: JoinAnswer) => void) | undefined
  synced: ((answer: SyncAnswer) => void) | undefined
}

/** Names the states of a classic group. */
export type GroupPhase = 'empty' | 'preparing' | 'completing' | 'stable'

/** Names a member as requests do. */
interface MemberClaim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** Members of a group. */
const MEMBERS_MAX = 1_000

/**
 * Coordinates a classic group: JoinGroup, SyncGroup, heartbeats, LeaveGroup, session and rebalance timeouts, static
 * members and the choice of the protocol. Call `tick` often: it applies the timeouts.
 */
export class ClassicGroup {
  generation = 0
  phase: GroupPhase = 'empty'
  protocolType = ''
  protocolName = ''
  readonly #clock: Clock
  #members = new Map<string, ClassicMember>()
  readonly #pending = new Set<string>()
  #leader = ''
  #deadlineMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#members.size
  }

  /** Describes the members, for administration. */
  members(): readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly memberMetadata: Uint8Array
    readonly memberAssignment: Uint8Array
  }[] {
    return [...this.#members.values()].map((one) => ({
      memberId: one.memberId,
      groupInstanceId: one.instanceId,
      clientId: one.clientId,
      memberMetadata: this.#metadataOf(one),
      memberAssignment: one.assignment,
    }))
  }

  /** Applies timeouts. */
  tick(): void {
    const nowMs = this.#clock.now()
    for (const member of [...this.#members.values()]) {
      const isWaiting = member.joined !== undefined || member.synced !== undefined
      if (!isWaiting && nowMs - member.seenMs > member.sessionTimeoutMs) this.#remove(member.memberId)
    }
    if (this.phase === 'preparing' && nowMs >= this.#deadlineMs) this.#completeJoin(true)
  }

  /** Removes all members, as if their sessions had timed out. */
  expireAll(): void {
    for (const memberId of [...this.#members.keys()]) this.#remove(memberId)
  }

  /** Joins a member; resolves when the generation is complete. `requiresId` is false for clients before KIP-394. */
  join(body: Joining, clientId: string, requiresId: boolean): Promise<JoinAnswer> {
    if (body.protocols.length === 0 || body.protocolType === '')
      return Promise.resolve(refusedJoin('INCONSISTENT_GROUP_PROTOCOL', body.memberId))
    if (this.#members.size > 0 && body.protocolType !== this.protocolType)
      return Promise.resolve(refusedJoin('INCONSISTENT_GROUP_PROTOCOL', body.memberId))
    if (!this.#members.has(body.memberId) && this.#members.size + this.#pending.size >= MEMBERS_MAX)
      return Promise.resolve(refusedJoin('GROUP_MAX_SIZE_REACHED', body.memberId))
    return this.#join(body, clientId, requiresId)
  }

  /** Removes the members that a request names. */
  leave({ memberId, members }: ReceivedRequest<'LeaveGroup'>): SentResponse<'LeaveGroup'> {
    const left = memberId === '' ? members : [{ memberId, groupInstanceId: null }]
    const outcomes = left.map((one) => {
      const found = this.#leaving(one)
      if (found === undefined) this.#pending.delete(one.memberId)
      else this.#remove(found.memberId)
      return { ...one, errorCode: codeOf(found === undefined ? 'UNKNOWN_MEMBER_ID' : 'NONE') }
    })
    return { errorCode: memberId === '' ? 0 : (outcomes[0]?.errorCode ?? 0), members: outcomes }
  }

  #join(body: Joining, clientId: string, requiresId: boolean): Promise<JoinAnswer> {
    const { groupInstanceId: instanceId } = body
    const former = [...this.#members.values()].find(
      (one) => instanceId !== null && one.instanceId === instanceId,
    )
    if (body.memberId === '') {
      const memberId = `${instanceId ?? clientId}-${randomUUID()}`
      if (instanceId === null && requiresId) {
        this.#pending.add(memberId)
        return Promise.resolve(refusedJoin('MEMBER_ID_REQUIRED', memberId))
      }
      if (former !== undefined) return this.#replace(former, memberId, body, clientId)
      return this.#enter(memberId, body, clientId)
    }
    if (former !== undefined && former.memberId !== body.memberId) {
      return Promise.resolve(refusedJoin('FENCED_INSTANCE_ID', body.memberId))
    }
    const member = this.#members.get(body.memberId)
    if (member === undefined) {
      if (!this.#pending.delete(body.memberId)) {
        return Promise.resolve(refusedJoin('UNKNOWN_MEMBER_ID', body.memberId))
      }
      return this.#enter(body.memberId, body, clientId)
    }
    const isSame = textOf(member.protocols) === textOf(body.protocols)
    const isLeader = member.memberId === this.#leader
    if (isSame && (this.phase === 'completing' || (this.phase === 'stable' && !isLeader))) {
      return Promise.resolve(this.#joinAnswer(member))
    }
    member.protocols = body.protocols
    return this.#await(member)
  }

  /** Handles a static member that restarted: the group does not rebalance, unless its protocol would change. */
  #replace(former: ClassicMember, memberId: string, body: Joining, clientId: string): Promise<JoinAnswer> {
    former.joined?.(refusedJoin('FENCED_INSTANCE_ID', former.memberId))
    former.synced?.({ errorCode: codeOf('FENCED_INSTANCE_ID'), assignment: new Uint8Array(0) })
    const member = this.#newMember(memberId, body, clientId)
    member.assignment = former.assignment
    const members = [...this.#members.values()].map((one) => (one === former ? member : one))
    this.#members = new Map(members.map((one) => [one.memberId, one]))
    const wasLeader = this.#leader === former.memberId
    if (wasLeader) this.#leader = memberId
    if (this.phase !== 'stable' || this.#chosen() !== this.protocolName) return this.#await(member)
    return Promise.resolve({ ...this.#joinAnswer(member), skipAssignment: wasLeader })
  }

  #enter(memberId: string, body: Joining, clientId: string): Promise<JoinAnswer> {
    if (this.#members.size === 0) this.protocolType = body.protocolType
    const member = this.#newMember(memberId, body, clientId)
    const others = [...this.#members.values()]
    this.#members.set(memberId, member)
    if (others.length > 0 && this.#candidates().length === 0) {
      this.#members.delete(memberId)
      return Promise.resolve(refusedJoin('INCONSISTENT_GROUP_PROTOCOL', memberId))
    }
    return this.#await(member)
  }

  #newMember(memberId: string, body: Joining, clientId: string): ClassicMember {
    return {
      memberId,
      clientId,
      instanceId: body.groupInstanceId,
      protocols: body.protocols,
      sessionTimeoutMs: body.sessionTimeoutMs,
      rebalanceTimeoutMs: body.rebalanceTimeoutMs,
      seenMs: this.#clock.now(),
      assignment: new Uint8Array(0),
      joined: undefined,
      synced: undefined,
    }
  }

  #await(member: ClassicMember): Promise<JoinAnswer> {
    return new Promise((resolve) => {
      // A repeated join replaces the first.
      member.joined?.(refusedJoin('UNKNOWN_MEMBER_ID', member.memberId))
      member.joined = resolve
      if (this.phase !== 'preparing') this.#prepare()
      this.#completeJoin(false)
    })
  }

  #prepare(): void {
    this.phase = 'preparing'
    this.#deadlineMs =
      this.#clock.now() + Math.max(...[...this.#members.values()].map((one) => one.rebalanceTimeoutMs))
    for (const member of this.#members.values()) {
      member.synced?.({ errorCode: codeOf('REBALANCE_IN_PROGRESS'), assignment: new Uint8Array(0) })
      member.synced = undefined
    }
  }

  #completeJoin(isLate: boolean): void {
    if (this.phase !== 'preparing') return
    const missing = [...this.#members.values()].filter(({ joined }) => joined === undefined)
    if (missing.length > 0 && !isLate) return
    // Static members stay until their session timeout.
    for (const { memberId, instanceId } of missing) if (instanceId === null) this.#members.delete(memberId)
    const members = [...this.#members.values()]
    const there = members.filter(({ joined }) => joined !== undefined)
    if (there.length === 0) {
      this.phase = members.length === 0 ? 'empty' : 'preparing'
      this.#deadlineMs = this.#clock.now() + 1_000
      return
    }
    this.generation++
    this.protocolName = this.#chosen()
    if (!there.some(({ memberId }) => memberId === this.#leader)) this.#leader = there[0]?.memberId ?? ''
    this.phase = 'completing'
    for (const member of there) {
      member.seenMs = this.#clock.now()
      const { joined } = member
      member.joined = undefined
      joined?.(this.#joinAnswer(member))
    }
  }

  #joinAnswer({ memberId }: ClassicMember): JoinAnswer {
    const isLeader = memberId === this.#leader
    return {
      errorCode: 0,
      generationId: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.#leader,
      memberId,
      members: isLeader
        ? [...this.#members.values()].map((one) => ({
            memberId: one.memberId,
            groupInstanceId: one.instanceId,
            metadata: this.#metadataOf(one),
          }))
        : [],
    }
  }

  #candidates(): string[] {
    const members = [...this.#members.values()]
    const [first, ...others] = members.map(({ protocols }) => protocols.map(({ name }) => name))
    return (first ?? []).filter((name) => others.every((names) => names.includes(name)))
  }

  /** Each member votes for the first of its protocols that all members support. */
  #chosen(): string {
    const candidates = this.#candidates()
    const votes = new Map<string, number>()
    for (const { protocols } of this.#members.values()) {
      const vote = protocols.find(({ name }) => candidates.includes(name))?.name ?? ''
      votes.set(vote, (votes.get(vote) ?? 0) + 1)
    }
    return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ''
  }

  /** Takes the assignments of the leader; resolves to that of the member when they are there. */
  sync(body: ReceivedRequest<'SyncGroup'>): Promise<SyncAnswer> {
    const fault = this.#fault(body)
    const member = this.#members.get(body.memberId)
    const none = new Uint8Array(0)
    if (fault !== 'NONE' || member === undefined)
      return Promise.resolve({ errorCode: codeOf(fault), assignment: none })
    member.seenMs = this.#clock.now()
    if (this.phase === 'preparing') {
      return Promise.resolve({ errorCode: codeOf('REBALANCE_IN_PROGRESS'), assignment: none })
    }
    if (this.phase === 'stable') return Promise.resolve({ errorCode: 0, assignment: member.assignment })
    return new Promise((resolve) => {
      member.synced = resolve
      if (member.memberId !== this.#leader) return
      for (const one of this.#members.values()) {
        one.assignment =
          body.assignments.find(({ memberId }) => memberId === one.memberId)?.assignment ?? none
      }
      this.phase = 'stable'
      for (const one of this.#members.values()) {
        const { synced } = one
        one.synced = undefined
        one.seenMs = this.#clock.now()
        synced?.({ errorCode: 0, assignment: one.assignment })
      }
    })
  }

  /** Keeps a member alive and says whether it must join again. */
  heartbeat(body: ReceivedRequest<'Heartbeat'>): BrokerErrorName {
    const fault = this.#fault(body)
    const member = this.#members.get(body.memberId)
    if (fault !== 'NONE' || member === undefined) return fault
    member.seenMs = this.#clock.now()
    return this.phase === 'preparing' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** Returns why offsets of a member are not committed. A group without members takes those of anybody who claims no generation. */
  commitFault(claim: MemberClaim): BrokerErrorName {
    if (claim.generationId < 0 && this.#members.size === 0) return 'NONE'
    const fault = this.#fault(claim)
    const member = this.#members.get(claim.memberId)
    if (fault !== 'NONE' || member === undefined) return fault
    member.seenMs = this.#clock.now()
    return this.phase === 'completing' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  #leaving({
    memberId,
    groupInstanceId,
  }: Pick<MemberClaim, 'memberId' | 'groupInstanceId'>): ClassicMember | undefined {
    if (groupInstanceId === null) return this.#members.get(memberId)
    return [...this.#members.values()].find(
      (one) => one.instanceId === groupInstanceId && (memberId === '' || memberId === one.memberId),
    )
  }

  #metadataOf({ protocols }: ClassicMember): Uint8Array {
    return protocols.find(({ name }) => name === this.protocolName)?.metadata ?? new Uint8Array(0)
  }

  #fault({ memberId, groupInstanceId, generationId }: MemberClaim): BrokerErrorName {
    const owner = [...this.#members.values()].find(
      ({ instanceId }) => instanceId !== null && instanceId === groupInstanceId,
    )
    if (owner !== undefined && owner.memberId !== memberId) return 'FENCED_INSTANCE_ID'
    if (!this.#members.has(memberId)) return 'UNKNOWN_MEMBER_ID'
    return generationId === this.generation ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  #remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#members.delete(memberId)
    member.joined?.(refusedJoin('UNKNOWN_MEMBER_ID', memberId))
    member.synced?.({ errorCode: codeOf('UNKNOWN_MEMBER_ID'), assignment: new Uint8Array(0) })
    if (this.#members.size === 0) {
      this.phase = 'empty'
    } else if (this.phase === 'preparing') this.#completeJoin(false)
    else this.#prepare()
  }
}

function codeOf(name: BrokerErrorName): number {
  return BROKER_ERRORS[name].code
}

function refusedJoin(name: BrokerErrorName, memberId: string): JoinAnswer {
  return { errorCode: codeOf(name), protocolName: '', leader: '', memberId, members: [] }
}

function textOf(protocols: Joining['protocols']): string {
  return protocols.map(({ name, metadata }) => `${name} ${Buffer.from(metadata).toString('hex')}`).join('\n')
}
