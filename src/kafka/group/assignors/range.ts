import type { TopicPartition } from '../partitions.ts'
import { type Assignor, compareMembers, type SubscribedMember, subscribersOf } from './assignor.ts'
import { withholdOwned } from './claims.ts'

/**
 * Assigns each subscriber of a topic a contiguous range of partitions; the first subscribers get one more if the
 * partitions do not divide evenly. This is `range` of other Kafka clients.
 */
export const RANGE: Assignor = {
  name: 'range',
  rebalance: 'eager',
  version: 3,
  userData: () => new Uint8Array(0),
  assign(members, partitionCounts) {
    const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
    for (const [topic, subscribers] of subscribersOf(members, compareMembers)) {
      assignRanges(topic, partitionCounts.get(topic) ?? 0, subscribers, assignment)
    }
    return withholdOwned(assignment, members)
  },
}

function assignRanges(
  topic: string,
  count: number,
  subscribers: readonly SubscribedMember[],
  assignment: ReadonlyMap<string, TopicPartition[]>,
): void {
  const width = Math.floor(count / subscribers.length)
  const wider = count % subscribers.length
  let partition = 0
  for (const [index, { memberId }] of subscribers.entries()) {
    const end = partition + width + (index < wider ? 1 : 0)
    for (; partition < end; partition++) assignment.get(memberId)?.push({ topic, partition })
  }
}
