import kafkajs from 'kafkajs'
import type { Assigner, GroupMember, GroupMemberAssignment, PartitionAssigner } from 'kafkajs'

const NAME = 'kafka-delta-by-subscription'
const VERSION = 0

/**
 * Divides the partitions of each topic among those members of the group that subscribe to it, in turn. kafkajs's own
 * assigner knows the leader's topics only and gives them to everybody: the pipelines of several topics in one group, each
 * with a consumer of its own, would get partitions that they never asked for, or none.
 */
export const assignBySubscription: PartitionAssigner = ({ cluster }): Assigner => ({
  name: NAME,
  version: VERSION,
  async assign({ members }) {
    const subscribers = subscribersOf(members)
    // The leader's client knows only its own topics so far.
    await cluster.addMultipleTargetTopics([...subscribers.keys()])
    const partitionsOf = (topic: string): number[] =>
      cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
    return divide(subscribers, partitionsOf)
  },
  protocol: ({ topics }) => ({
    name: NAME,
    metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({
      version: VERSION,
      topics,
      userData: Buffer.alloc(0),
    }),
  }),
})

/** The ids of the members that subscribe to each topic, sorted, so that every leader divides alike. */
function subscribersOf(members: readonly GroupMember[]): ReadonlyMap<string, readonly string[]> {
  const subscribers = new Map<string, string[]>()
  for (const { memberId, memberMetadata } of members) {
    for (const topic of kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? []) {
      subscribers.set(topic, [...(subscribers.get(topic) ?? []), memberId].sort())
    }
  }
  return subscribers
}

function divide(
  subscribers: ReadonlyMap<string, readonly string[]>,
  partitionsOf: (topic: string) => readonly number[],
): GroupMemberAssignment[] {
  const assignments = new Map<string, Record<string, number[]>>()
  for (const [topic, members] of subscribers) {
    const partitions = [...partitionsOf(topic)].sort((a, b) => a - b)
    for (const [index, partition] of partitions.entries()) {
      const member = members[index % members.length] as string
      const assignment = assignments.get(member) ?? {}
      assignment[topic] = [...(assignment[topic] ?? []), partition]
      assignments.set(member, assignment)
    }
  }
  return [...assignments].map(([memberId, assignment]) => ({
    memberId,
    memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
      version: VERSION,
      assignment,
      userData: Buffer.alloc(0),
    }),
  }))
}
