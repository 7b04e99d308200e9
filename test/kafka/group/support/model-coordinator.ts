import type { ApiName, ReceivedRequest, SentResponse } from '../../../../src/kafka/wire/apis.ts'
import type { BrokerErrorName } from '../../../../src/kafka/wire/error-codes.ts'
import type { SimClock } from './sim-clock.ts'
import { type AnyRequest, type BrokerSide, codeOf } from './wire-link.ts'

type Joining = ReceivedRequest<'JoinGroup'>
type JoinAnswer = SentResponse<'JoinGroup'>
type SyncAnswer = SentResponse<'SyncGroup'>

interface ModelMember {
  readonly memberId: string
  readonly instanceId: string | null
  protocols: Joining['protocols']
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  seenMs: number
  assignment: Uint8Array
  joined: ((answer: JoinAnswer) => void) | undefined
  synced: ((answer: SyncAnswer) => void) | undefined
}

type Phase = 'empty' | 'preparing' | 'completing' | 'stable'

/** State that a coordinator persists for its successor. */
interface Persisted {
  readonly generation: number
  readonly protocolName: string
  readonly leader: string
  readonly members: readonly ModelMember[]
}

/**
 * Models Kafka's coordinator of a classic group: JoinGroup, SyncGroup, heartbeats, LeaveGroup, session and rebalance
 * timeouts, static members and the choice of the protocol. After a move, the successor starts with the last stable
 * generation.
 */
export class ModelCoordinator implements BrokerSide {
  node = 1
  generation = 0
  phase: Phase = 'empty'
  protocolName = ''
  /** Accepted commits, with member and generation. */
  readonly commits: { readonly memberId: string; readonly generation: number }[] = []
  readonly #clock: SimClock
  #members = new Map<string, ModelMember>()
  readonly #pending = new Set<string>()
  #leader = ''
  #deadlineMs = Infinity
  #names = 0
  #persisted: Persisted | undefined

  constructor(clock: SimClock) {
    this.#clock = clock
  }

  /** Returns whether a member of a generation is in the group. */
  has(memberId: string, generation: number): boolean {
    return this.#members.has(memberId) && generation === this.generation
  }

  get size(): number {
    return this.#members.size
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

  /** Moves the coordinator to another node, which knows the last stable generation. */
  move(): void {
    this.node = (this.node % 3) + 1
    for (const member of this.#members.values()) {
      member.joined?.(refusedJoin('NOT_COORDINATOR', member.memberId))
      member.synced?.({ errorCode: codeOf('NOT_COORDINATOR'), assignment: new Uint8Array(0) })
    }
    this.#pending.clear()
    const { generation = 0, protocolName = '', leader = '', members = [] } = this.#persisted ?? {}
    this.generation = generation
    this.protocolName = protocolName
    this.#leader = leader
    this.#members = new Map(
      members.map((member) => [
        member.memberId,
        { ...member, seenMs: this.#clock.now(), joined: undefined, synced: undefined },
      ]),
    )
    this.phase = members.length === 0 ? 'empty' : 'stable'
  }

  answer(nodeId: number, request: AnyRequest): Promise<SentResponse<ApiName>> {
    if (nodeId !== this.node) return Promise.resolve(this.#refused(request, codeOf('NOT_COORDINATOR')))
    switch (request.api) {
      case 'JoinGroup':
        return this.#join(request.body)
      case 'SyncGroup':
        return this.#sync(request.body)
      case 'Heartbeat':
        return Promise.resolve({ errorCode: codeOf(this.#beat(request.body)) })
      case 'LeaveGroup':
        for (const { memberId } of request.body.members) this.#remove(memberId)
        return Promise.resolve({ errorCode: 0, members: [] })
      case 'OffsetCommit':
        return Promise.resolve(this.#commit(request.body))
      default:
        throw new Error(`The model does not know ${request.api}`)
    }
  }

  #refused(request: AnyRequest, errorCode: number): SentResponse<ApiName> {
    if (request.api === 'JoinGroup')
      return { errorCode, protocolName: '', leader: '', memberId: '', members: [] }
    if (request.api === 'SyncGroup') return { errorCode, assignment: new Uint8Array(0) }
    if (request.api === 'OffsetCommit') return commitAnswer(request.body, errorCode)
    return { errorCode, members: [] }
  }

  #join(body: Joining): Promise<JoinAnswer> {
    const { groupInstanceId: instanceId } = body
    const former = [...this.#members.values()].find(
      (one) => instanceId !== null && one.instanceId === instanceId,
    )
    if (body.memberId === '') {
      const memberId = `m${++this.#names}`
      if (instanceId === null) {
        this.#pending.add(memberId)
        return Promise.resolve(refusedJoin('MEMBER_ID_REQUIRED', memberId))
      }
      if (former !== undefined) return this.#replace(former, memberId, body)
      return this.#enter(memberId, body)
    }
    if (former !== undefined && former.memberId !== body.memberId) {
      return Promise.resolve(refusedJoin('FENCED_INSTANCE_ID', body.memberId))
    }
    const member = this.#members.get(body.memberId)
    if (member === undefined) {
      if (!this.#pending.delete(body.memberId)) {
        return Promise.resolve(refusedJoin('UNKNOWN_MEMBER_ID', body.memberId))
      }
      return this.#enter(body.memberId, body)
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
  #replace(former: ModelMember, memberId: string, body: Joining): Promise<JoinAnswer> {
    former.joined?.(refusedJoin('FENCED_INSTANCE_ID', former.memberId))
    former.synced?.({ errorCode: codeOf('FENCED_INSTANCE_ID'), assignment: new Uint8Array(0) })
    const member = this.#newMember(memberId, body)
    member.assignment = former.assignment
    const members = [...this.#members.values()].map((one) => (one === former ? member : one))
    this.#members = new Map(members.map((one) => [one.memberId, one]))
    const wasLeader = this.#leader === former.memberId
    if (wasLeader) this.#leader = memberId
    if (this.phase !== 'stable' || this.#chosen() !== this.protocolName) return this.#await(member)
    this.#persist()
    return Promise.resolve({ ...this.#joinAnswer(member), skipAssignment: wasLeader })
  }

  #enter(memberId: string, body: Joining): Promise<JoinAnswer> {
    const member = this.#newMember(memberId, body)
    const others = [...this.#members.values()]
    this.#members.set(memberId, member)
    if (others.length > 0 && this.#candidates().length === 0) {
      this.#members.delete(memberId)
      return Promise.resolve(refusedJoin('INCONSISTENT_GROUP_PROTOCOL', memberId))
    }
    return this.#await(member)
  }

  #newMember(memberId: string, body: Joining): ModelMember {
    return {
      memberId,
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

  #await(member: ModelMember): Promise<JoinAnswer> {
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

  #joinAnswer({ memberId }: ModelMember): JoinAnswer {
    const isLeader = memberId === this.#leader
    return {
      errorCode: 0,
      generationId: this.generation,
      protocolType: 'consumer',
      protocolName: this.protocolName,
      leader: this.#leader,
      memberId,
      members: isLeader
        ? [...this.#members.values()].map((one) => ({
            memberId: one.memberId,
            groupInstanceId: one.instanceId,
            metadata:
              one.protocols.find(({ name }) => name === this.protocolName)?.metadata ?? new Uint8Array(0),
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

  #sync(body: ReceivedRequest<'SyncGroup'>): Promise<SyncAnswer> {
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
      this.#persist()
      for (const one of this.#members.values()) {
        const { synced } = one
        one.synced = undefined
        one.seenMs = this.#clock.now()
        synced?.({ errorCode: 0, assignment: one.assignment })
      }
    })
  }

  #beat(body: ReceivedRequest<'Heartbeat'>): BrokerErrorName {
    const fault = this.#fault(body)
    const member = this.#members.get(body.memberId)
    if (fault !== 'NONE' || member === undefined) return fault
    member.seenMs = this.#clock.now()
    return this.phase === 'preparing' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  #commit(body: ReceivedRequest<'OffsetCommit'>): SentResponse<'OffsetCommit'> {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = body
    const fault = this.#fault({ memberId, groupInstanceId, generationId })
    const name = fault === 'NONE' && this.phase === 'completing' ? 'REBALANCE_IN_PROGRESS' : fault
    if (name === 'NONE') this.commits.push({ memberId, generation: generationId })
    return commitAnswer(body, codeOf(name))
  }

  #fault({
    memberId,
    groupInstanceId,
    generationId,
  }: {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly generationId: number
  }): 'NONE' | 'UNKNOWN_MEMBER_ID' | 'FENCED_INSTANCE_ID' | 'ILLEGAL_GENERATION' {
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
      this.#persist()
    } else if (this.phase === 'preparing') this.#completeJoin(false)
    else this.#prepare()
  }

  #persist(): void {
    this.#persisted = {
      generation: this.generation,
      protocolName: this.protocolName,
      leader: this.#leader,
      members: [...this.#members.values()].map((member) => ({ ...member })),
    }
  }
}

function refusedJoin(name: Parameters<typeof codeOf>[0], memberId: string): JoinAnswer {
  return { errorCode: codeOf(name), protocolName: '', leader: '', memberId, members: [] }
}

function commitAnswer(
  body: ReceivedRequest<'OffsetCommit'>,
  errorCode: number,
): SentResponse<'OffsetCommit'> {
  return {
    topics: body.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

function textOf(protocols: Joining['protocols']): string {
  return protocols.map(({ name, metadata }) => `${name} ${Buffer.from(metadata).toString('hex')}`).join('\n')
}
