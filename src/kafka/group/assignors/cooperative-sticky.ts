import { comparePartitions, type TopicPartition } from '../partitions.ts'
import { type Assignor, compareMembers } from './assignor.ts'
import { StickyBalancer } from './sticky-balancer.ts'
import { OwnershipClaims, withholdOwned } from './claims.ts'

/**
 * Keeps partitions at their owners and moves only as many as balance requires: `cooperative-sticky`, compatible with
 * the Java client (KIP-341, KIP-429). Loads of members differ by at most one if the subscriptions allow it. A
 * partition that moves is assigned to its new owner in a second rebalance, after its old owner has revoked it.
 */
export const COOPERATIVE_STICKY: Assignor = {
  name: 'cooperative-sticky',
  rebalance: 'cooperative',
  version: 3,
  userData(ownedGeneration) {
    // Readers of version 1 and older expect the generation in the user data.
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setInt32(0, ownedGeneration)
    return bytes
  },
  assign(members, partitionCounts) {
    const sorted = [...members].sort(compareMembers)
    const balancer = new StickyBalancer(
      sorted.map(({ topics }) => topics),
      partitionCounts,
    )
    const claims = new OwnershipClaims(sorted)
    const indexes = new Map(sorted.map(({ memberId }, index) => [memberId, index]))
    const ownerOf = (partition: TopicPartition): number | undefined =>
      indexes.get(claims.ownerOf(partition) ?? '')
    const balanced = balancer.assign(ownerOf)
    const assignment = new Map<string, readonly TopicPartition[]>(
      sorted.map(({ memberId }, index) => [memberId, [...(balanced[index] ?? [])].sort(comparePartitions)]),
    )
    return withholdOwned(assignment, sorted)
  },
}
