import type { TopicPartition } from '../partitions.ts'
import { type Assignor, compareText, subscribersOf } from './assignor.ts'
import { withholdOwned } from './claims.ts'

/**
 * Assigns the partitions of each topic to its subscribers in turn. Workers up to version 0.1 support only this
 * protocol, so groups use it during a rolling upgrade.
 *
 * Old workers read only the topics of a subscription; new workers also send their owned partitions. If the group was
 * cooperative before an old worker joined, a new leader therefore assigns no partition that a new member still owns.
 */
export const BY_SUBSCRIPTION: Assignor = {
  name: 'kafka-delta-by-subscription',
  rebalance: 'eager',
  version: 3,
  userData: () => new Uint8Array(0),
  assign(members, partitionCounts) {
    const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
    for (const [topic, subscribers] of subscribersOf(members, (a, b) =>
      compareText(a.memberId, b.memberId),
    )) {
      const count = partitionCounts.get(topic) ?? 0
      for (let partition = 0; partition < count; partition++) {
        const subscriber = subscribers[partition % subscribers.length]
        if (subscriber !== undefined) assignment.get(subscriber.memberId)?.push({ topic, partition })
      }
    }
    return withholdOwned(assignment, members)
  },
}
