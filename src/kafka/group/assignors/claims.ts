import { keyOfPartition, type TopicPartition } from '../partitions.ts'
import type { MemberPartitions, SubscribedMember } from './assignor.ts'

/** Determines the owner of each partition from the claims of the members. */
export class OwnershipClaims {
  readonly #claims = new Map<string, { readonly memberId: string; readonly generation: number }[]>()

  constructor(members: readonly SubscribedMember[]) {
    for (const { memberId, owned, ownedGeneration } of members) {
      for (const key of new Set(owned.map(keyOfPartition))) {
        const known = this.#claims.get(key)
        const claim = { memberId, generation: ownedGeneration }
        if (known === undefined) this.#claims.set(key, [claim])
        else known.push(claim)
      }
    }
  }

  /**
   * Returns the member with the valid claim, which is that of the newest generation. Two claims of the same generation
   * contradict each other, so neither is valid.
   */
  ownerOf(partition: TopicPartition): string | undefined {
    const claims = this.#claims.get(keyOfPartition(partition)) ?? []
    const newest = Math.max(...claims.map(({ generation }) => generation))
    const owners = claims.filter(({ generation }) => generation === newest)
    return owners.length === 1 ? owners[0]?.memberId : undefined
  }

  /** Returns whether `memberId` may read the partition immediately: it already owns it, or no member claims it. */
  isFreeFor(memberId: string, partition: TopicPartition): boolean {
    const claims = this.#claims.get(keyOfPartition(partition))
    return claims === undefined || this.ownerOf(partition) === memberId
  }
}

/**
 * Removes from an assignment the partitions that another member still owns. Their owner notices that they are not in
 * its assignment, revokes them and rejoins; then they are free. So a partition never has two owners (KIP-429).
 */
export function withholdOwned(
  assignment: MemberPartitions,
  members: readonly SubscribedMember[],
): MemberPartitions {
  const claims = new OwnershipClaims(members)
  return new Map(
    [...assignment].map(([memberId, partitions]) => [
      memberId,
      partitions.filter((partition) => claims.isFreeFor(memberId, partition)),
    ]),
  )
}
