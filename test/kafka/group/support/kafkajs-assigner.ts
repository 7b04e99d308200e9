import kafkajs from 'kafkajs'
import type { Assigner, GroupMember, GroupMemberAssignment, PartitionAssigner } from 'kafkajs'

const NAME = 'kafka-delta-by-subscription'
const VERSION = 0

/**
 * Assigns the partitions of each topic in turn to the group members that subscribe to it. The default assigner of
 * kafkajs assigns the topics of the leader to all members: pipelines of different topics in one group, each with its
 * own consumer, would get partitions of other topics, or none.
 */
export const assignBySubscription: PartitionAssigner = ({ cluster }): Assigner => ({
  name: NAME,
  version: VERSION,
  async assign({ members }) {
    const subscribers = subscribersOf(members)
    // The client of the leader knows only its own topics.
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

/** Returns the ids of the members that subscribe to each topic, sorted, so that every leader assigns alike. */
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
