import type { ApiName, ReceivedRequest, SentResponse } from '../../../../src/kafka/wire/apis.ts'
import type { BrokerErrorName } from '../../../../src/kafka/wire/error-codes.ts'
import type { SimClock } from './sim-clock.ts'
import { type AnyRequest, type BrokerSide, codeOf, topicIdOf } from './wire-link.ts'

type Heartbeat = ReceivedRequest<'ConsumerGroupHeartbeat'>
type Answer = SentResponse<'ConsumerGroupHeartbeat'>
type Owned = Heartbeat['topicPartitions']

const SESSION_MS = 10_000
const HEARTBEAT_MS = 1_000
const AWAY_EPOCH = -2

interface ModelConsumerMember {
  memberId: string
  readonly instanceId: string | null
  epoch: number
  previousEpoch: number
  topics: readonly string[]
  rebalanceTimeoutMs: number
  seenMs: number
  /** Partitions that it may use, and those that it must revoke first, as `topic/partition`. */
  assigned: Set<string>
  revoking: Set<string>
  revokingSinceMs: number
}

/**
 * Models Kafka's coordinator of a group with the consumer protocol (KIP-848): it assigns the partitions, advances the
 * epoch of a member only after the member has revoked partitions outside its target, and assigns only partitions that no
 * member holds. All state is persistent, so that a successor knows it.
 */
export class ModelConsumerCoordinator implements BrokerSide {
  node = 1
  generation = 0
  readonly protocolName = 'consumer'
  readonly #clock: SimClock
  readonly #topics: ReadonlyMap<string, number>
  readonly #members = new Map<string, ModelConsumerMember>()
  readonly #targets = new Map<string, Set<string>>()

  constructor(clock: SimClock, topics: ReadonlyMap<string, number>) {
    this.#clock = clock
    this.#topics = topics
  }

  /** Returns whether a member of an epoch is in the group. */
  has(memberId: string, epoch: number): boolean {
    const member = this.#members.get(memberId)
    return member !== undefined && (epoch === member.epoch || epoch === member.previousEpoch)
  }

  tick(): void {
    const nowMs = this.#clock.now()
    for (const member of [...this.#members.values()]) {
      const isLate = member.revoking.size > 0 && nowMs - member.revokingSinceMs > member.rebalanceTimeoutMs
      if (isLate || nowMs - member.seenMs > SESSION_MS) this.#remove(member)
    }
  }

  move(): void {
    this.node = (this.node % 3) + 1
    for (const member of this.#members.values()) {
      member.seenMs = this.#clock.now()
      member.revokingSinceMs = this.#clock.now()
    }
  }

  answer(nodeId: number, request: AnyRequest): Promise<SentResponse<ApiName>> {
    if (request.api !== 'ConsumerGroupHeartbeat') throw new Error(`There is no answer to ${request.api}`)
    return Promise.resolve(nodeId === this.node ? this.#heartbeat(request.body) : refused('NOT_COORDINATOR'))
  }

  #heartbeat(body: Heartbeat): Answer {
    const { memberId, memberEpoch, instanceId } = body
    if (memberEpoch < 0) return this.#leave(body)
    if (memberEpoch === 0) {
      const former = [...this.#members.values()].find(
        (one) => instanceId !== null && one.instanceId === instanceId,
      )
      if (former !== undefined && former.memberId !== memberId && former.epoch !== AWAY_EPOCH) {
        return refused('UNRELEASED_INSTANCE_ID')
      }
      this.#join(body, former)
    }
    const member = this.#members.get(memberId)
    if (member === undefined) return refused('UNKNOWN_MEMBER_ID')
    if (memberEpoch !== 0 && !isValid(member, memberEpoch, body.topicPartitions))
      return refused('FENCED_MEMBER_EPOCH')
    member.seenMs = this.#clock.now()
    const before = [...member.assigned].sort().join()
    this.#reconcile(member, body.topicPartitions)
    const isFull = body.subscribedTopicNames !== null
    const hasChanged = [...member.assigned].sort().join() !== before
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      memberId,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: HEARTBEAT_MS,
      assignment: isFull || hasChanged ? { topicPartitions: [...byTopicId(member.assigned)] } : null,
    }
  }

  #join(body: Heartbeat, former: ModelConsumerMember | undefined): void {
    const { memberId, instanceId, subscribedTopicNames, rebalanceTimeoutMs } = body
    const known = this.#members.get(memberId)
    const topics = subscribedTopicNames ?? []
    if (former !== undefined && former.memberId !== memberId) {
      // A static member keeps its partitions over a restart.
      this.#members.delete(former.memberId)
      this.#members.set(memberId, {
        ...former,
        memberId,
        epoch: 0,
        previousEpoch: -1,
        seenMs: this.#clock.now(),
      })
      this.#targets.set(memberId, this.#targets.get(former.memberId) ?? new Set())
      this.#targets.delete(former.memberId)
      return
    }
    if (known !== undefined) {
      // It has dropped all its partitions.
      known.epoch = 0
      known.revoking.clear()
      return
    }
    this.#members.set(memberId, {
      ...{ memberId, instanceId, topics, rebalanceTimeoutMs, epoch: 0, previousEpoch: -1 },
      ...{ seenMs: this.#clock.now(), assigned: new Set(), revoking: new Set(), revokingSinceMs: 0 },
    })
    this.#assign()
  }

  #leave({ memberId, memberEpoch, instanceId }: Heartbeat): Answer {
    const member = this.#members.get(memberId)
    if (member === undefined) return refused('UNKNOWN_MEMBER_ID')
    if (memberEpoch === AWAY_EPOCH && instanceId !== null) member.epoch = AWAY_EPOCH
    else this.#remove(member)
    return { throttleTimeMs: 0, errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: HEARTBEAT_MS }
  }

  #remove({ memberId }: ModelConsumerMember): void {
    this.#members.delete(memberId)
    this.#targets.delete(memberId)
    this.#assign()
  }

  /** Computes a new target for all members; an owner keeps its partition if the loads allow it. */
  #assign(): void {
    this.generation++
    const members = [...this.#members.values()]
    const before = new Map(this.#targets)
    for (const { memberId } of members) this.#targets.set(memberId, new Set())
    for (const [topic, count] of this.#topics) {
      const subscribers = members.filter(({ topics }) => topics.includes(topic))
      const most = Math.ceil(count / subscribers.length)
      const ofTopic = ({ memberId }: ModelConsumerMember): number =>
        [...(this.#targets.get(memberId) ?? [])].filter((key) => key.startsWith(`${topic}/`)).length
      for (let partition = 0; partition < count && subscribers.length > 0; partition++) {
        const key = `${topic}/${partition}`
        const owner = subscribers.find(
          (one) => before.get(one.memberId)?.has(key) === true && ofTopic(one) < most,
        )
        const least = subscribers.reduce((a, b) => (ofTopic(b) < ofTopic(a) ? b : a))
        this.#targets.get((owner ?? least).memberId)?.add(key)
      }
    }
  }

  #reconcile(member: ModelConsumerMember, owned: Owned): void {
    const target = this.#targets.get(member.memberId) ?? new Set()
    if (member.revoking.size > 0) {
      if (owned === null || keysOf(owned).some((key) => member.revoking.has(key))) return
      member.revoking.clear()
    }
    const unwanted = [...member.assigned].filter((key) => !target.has(key))
    if (unwanted.length > 0 && member.epoch > 0) {
      for (const key of unwanted) {
        member.assigned.delete(key)
        member.revoking.add(key)
      }
      member.revokingSinceMs = this.#clock.now()
      return
    }
    for (const key of unwanted) member.assigned.delete(key)
    for (const key of target) if (!this.#isHeld(key)) member.assigned.add(key)
    if (member.epoch === this.generation) return
    member.previousEpoch = member.epoch
    member.epoch = this.generation
  }

  #isHeld(key: string): boolean {
    return [...this.#members.values()].some(
      ({ assigned, revoking }) => assigned.has(key) || revoking.has(key),
    )
  }
}

/**
 * Returns whether the coordinator accepts an epoch. The previous epoch is valid if a response may have been lost: the
 * member owns only partitions that are assigned to it.
 */
function isValid(member: ModelConsumerMember, epoch: number, owned: Owned): boolean {
  if (epoch === member.epoch) return true
  return (
    epoch === member.previousEpoch && owned !== null && keysOf(owned).every((key) => member.assigned.has(key))
  )
}

function refused(name: BrokerErrorName): Answer {
  return { throttleTimeMs: 0, errorCode: codeOf(name), memberEpoch: 0, heartbeatIntervalMs: 0 }
}

function nameOf(topicId: string): string {
  return Buffer.from(topicId, 'hex').toString().replaceAll('.', '')
}

function keysOf(owned: NonNullable<Owned>): string[] {
  return owned.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => `${nameOf(topicId)}/${partition}`),
  )
}

function* byTopicId(keys: ReadonlySet<string>): Generator<{ topicId: string; partitions: number[] }> {
  for (const topic of new Set([...keys].map((key) => key.split('/')[0] ?? ''))) {
    const partitions = [...keys]
      .filter((key) => key.startsWith(`${topic}/`))
      .map((key) => Number(key.split('/')[1]))
    yield { topicId: topicIdOf(topic), partitions }
  }
}
