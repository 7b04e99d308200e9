import type { Clock } from '../../core/clock.ts'
import type { ReceivedRequest, SentResponse } from '../../kafka/wire/apis.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import type { EmbeddedTopics } from '../topics.ts'

type Heartbeat = ReceivedRequest<'ConsumerGroupHeartbeat'>
type Answer = SentResponse<'ConsumerGroupHeartbeat'>
type Owned = Heartbeat['topicPartitions']

const SESSION_MS = 10_000
const HEARTBEAT_MS = 1_000
const AWAY_EPOCH = -2

/** Describes a member of a group with the consumer protocol. */
export interface ConsumerMember {
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
 * Coordinates a group with the consumer protocol (KIP-848): it assigns the partitions, advances the epoch of a member only
 * after the member has revoked partitions outside its target, and assigns only partitions that no member holds. Call
 * `tick` often: it applies the timeouts.
 */
export class ConsumerGroup {
  generation = 0
  readonly #clock: Clock
  readonly #topics: EmbeddedTopics
  readonly #members = new Map<string, ConsumerMember>()
  readonly #targets = new Map<string, Set<string>>()

  constructor(clock: Clock, topics: EmbeddedTopics) {
    this.#clock = clock
    this.#topics = topics
  }

  get size(): number {
    return this.#members.size
  }

  /** Describes the members, for administration; partitions as `topic/partition`. */
  members(): readonly (Pick<ConsumerMember, 'memberId' | 'instanceId' | 'topics' | 'assigned'> & {
    readonly memberEpoch: number
    readonly target: ReadonlySet<string>
  })[] {
    return [...this.#members.values()].map(({ memberId, instanceId, topics, assigned, epoch }) => ({
      ...{ memberId, instanceId, topics, assigned, memberEpoch: epoch },
      target: this.#targets.get(memberId) ?? new Set<string>(),
    }))
  }

  /** Returns whether a member of an epoch is in the group. */
  has(memberId: string, epoch: number): boolean {
    const member = this.#members.get(memberId)
    return member !== undefined && (epoch === member.epoch || epoch === member.previousEpoch)
  }

  /** Applies timeouts. */
  tick(): void {
    const nowMs = this.#clock.now()
    for (const member of [...this.#members.values()]) {
      const isLate = member.revoking.size > 0 && nowMs - member.revokingSinceMs > member.rebalanceTimeoutMs
      if (isLate || nowMs - member.seenMs > SESSION_MS) this.#remove(member)
    }
  }

  /** Removes all members, as if their sessions had timed out. */
  expireAll(): void {
    for (const member of [...this.#members.values()]) this.#remove(member)
  }

  /** Assigns anew after topics or partitions were created or deleted. */
  reassign(): void {
    if (this.#members.size > 0) this.#assign()
  }

  /** Returns why offsets of a member are not committed. */
  commitFault(memberId: string, epoch: number): BrokerErrorName {
    if (epoch < 0 && this.#members.size === 0) return 'NONE'
    if (!this.#members.has(memberId)) return 'UNKNOWN_MEMBER_ID'
    return this.has(memberId, epoch) ? 'NONE' : 'STALE_MEMBER_EPOCH'
  }

  /** Joins, keeps alive or removes a member, and tells it its partitions. */
  heartbeat(body: Heartbeat): Answer {
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
    if (memberEpoch !== 0 && !this.#isValid(member, memberEpoch, body.topicPartitions))
      return refused('FENCED_MEMBER_EPOCH')
    member.seenMs = this.#clock.now()
    this.#subscribe(member, body.subscribedTopicNames)
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
      assignment: isFull || hasChanged ? { topicPartitions: this.#byTopicId(member.assigned) } : null,
    }
  }

  #join(body: Heartbeat, former: ConsumerMember | undefined): void {
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

  #subscribe(member: ConsumerMember, topics: readonly string[] | null): void {
    if (topics === null || topics.join() === member.topics.join()) return
    member.topics = topics
    this.#assign()
  }

  #leave({ memberId, memberEpoch, instanceId }: Heartbeat): Answer {
    const member = this.#members.get(memberId)
    if (member === undefined) return refused('UNKNOWN_MEMBER_ID')
    if (memberEpoch === AWAY_EPOCH && instanceId !== null) member.epoch = AWAY_EPOCH
    else this.#remove(member)
    return { throttleTimeMs: 0, errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: HEARTBEAT_MS }
  }

  #remove({ memberId }: ConsumerMember): void {
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
    for (const { name: topic, partitions } of this.#topics.all()) {
      const count = partitions.length
      const subscribers = members.filter(({ topics }) => topics.includes(topic))
      const most = Math.ceil(count / subscribers.length)
      const ofTopic = ({ memberId }: ConsumerMember): number =>
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

  #reconcile(member: ConsumerMember, owned: Owned): void {
    const target = this.#targets.get(member.memberId) ?? new Set()
    if (member.revoking.size > 0) {
      if (owned === null || this.#keysOf(owned).some((key) => member.revoking.has(key))) return
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

  /**
   * Returns whether an epoch is accepted. The previous epoch is valid if a response may have been lost: the member owns
   * only partitions that are assigned to it.
   */
  #isValid(member: ConsumerMember, epoch: number, owned: Owned): boolean {
    if (epoch === member.epoch) return true
    return (
      epoch === member.previousEpoch &&
      owned !== null &&
      this.#keysOf(owned).every((key) => member.assigned.has(key))
    )
  }

  #keysOf(owned: NonNullable<Owned>): string[] {
    return owned.flatMap(({ topicId, partitions }) => {
      const topic = this.#topics.find({ topicId, name: '' })?.name ?? topicId
      return partitions.map((partition) => `${topic}/${partition}`)
    })
  }

  #byTopicId(keys: ReadonlySet<string>): { readonly topicId: string; readonly partitions: number[] }[] {
    const found = new Map<string, number[]>()
    for (const key of keys) {
      const at = key.lastIndexOf('/')
      const topic = this.#topics.named(key.slice(0, at))
      if (topic === undefined) continue
      const partitions = found.get(topic.id) ?? []
      partitions.push(Number(key.slice(at + 1)))
      found.set(topic.id, partitions)
    }
    return [...found].map(([topicId, partitions]) => ({ topicId, partitions }))
  }
}

function refused(name: BrokerErrorName): Answer {
  const errorCode = BROKER_ERRORS[name].code
  return { throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }
}
