import type { TopicPartition } from '../partitions.ts'

/** Describes a group member to an assignor: its subscription, and the partitions that it owned when it joined. */
export interface SubscribedMember {
  readonly memberId: string
  /** `group.instance.id` of a static member; null for a dynamic member. */
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** Partitions that it still owned when it joined; empty if it revoked all of them before. */
  readonly owned: readonly TopicPartition[]
  /** Generation in which `owned` was assigned; -1 if unknown. */
  readonly ownedGeneration: number
}

/** Maps the id of each member to its assigned partitions; contains every member. */
export type MemberPartitions = ReadonlyMap<string, readonly TopicPartition[]>

/**
 * Assigns partitions to the members of a group. The result depends only on the arguments, so that every leader of a
 * group computes the same assignment.
 */
export interface Assignor {
  /** Name of the protocol in JoinGroup. */
  readonly name: string
  /**
   * With `cooperative`, members keep their partitions while they join; with `eager`, they revoke them first (KIP-429).
   */
  readonly rebalance: 'cooperative' | 'eager'
  /** Version of ConsumerProtocolSubscription that members send. */
  readonly version: number
  /** Returns the user data of a subscription, given the generation in which the owned partitions were assigned. */
  userData(ownedGeneration: number): Uint8Array
  /**
   * Assigns the partitions of all topics in `partitionCounts` to the members that subscribe to them. Topics that are
   * not in `partitionCounts` are ignored.
   */
  assign(members: readonly SubscribedMember[], partitionCounts: ReadonlyMap<string, number>): MemberPartitions
}

/** Compares members for sorting: static members first, by instance id, then dynamic members by member id. */
export function compareMembers(a: SubscribedMember, b: SubscribedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compareText(a.memberId, b.memberId)
}

/** Returns the subscribers of each topic without duplicates, ordered by `compare`. */
export function subscribersOf(
  members: readonly SubscribedMember[],
  compare: (a: SubscribedMember, b: SubscribedMember) => number,
): ReadonlyMap<string, readonly SubscribedMember[]> {
  const subscribers = new Map<string, SubscribedMember[]>()
  for (const member of [...members].sort(compare)) {
    for (const topic of new Set(member.topics)) {
      const known = subscribers.get(topic)
      if (known === undefined) subscribers.set(topic, [member])
      else known.push(member)
    }
  }
  return subscribers
}

/** Compares texts by code units, independent of the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
