import type { ListedMember } from '../../kafka/members/read-members.ts'
import type { MemberView } from '../snapshot.ts'

/** Members shown of a topic. */
const MEMBERS_MAX = 200

/**
 * Returns the members of a group that subscribe to a topic or read it, those with partitions first. `assigned` are the
 * partitions of this process: the member that has one of them is this process, since a partition has one reader at a time.
 */
export function membersOfTopic(
  members: readonly ListedMember[],
  topic: string,
  assigned: readonly number[] | null,
): readonly MemberView[] {
  const own = new Set(assigned)
  return members
    .filter(({ topics, partitions }) => topics.includes(topic) || partitions.has(topic))
    .map(({ memberId, clientId, host, partitions }) => {
      const ofTopic = partitions.get(topic) ?? []
      const isSelf = ofTopic.some((partition) => own.has(partition))
      return { memberId, clientId, host, partitions: ofTopic, isSelf }
    })
    .sort((a, b) => (a.partitions[0] ?? Infinity) - (b.partitions[0] ?? Infinity) || compare(a, b))
    .slice(0, MEMBERS_MAX)
}

function compare(a: MemberView, b: MemberView): number {
  return a.memberId < b.memberId ? -1 : 1
}
