import { ClassicGroup, type GroupPhase } from '../groups/classic-group.ts'
import type { ConsumerGroup } from '../groups/consumer-group.ts'
import type { EmbeddedTopics } from '../topics.ts'
import { codeOf, type Handler } from './handler.ts'
import { randomUUID } from 'node:crypto'

/** First version of DescribeGroups in which a group that does not exist is an error (KIP-1043). */
const MISSING_IS_ERROR_FROM = 6
/** First version in which a member without an id joins in two steps (KIP-394). */
const REQUIRES_ID_FROM = 4
const STATES: Readonly<Record<GroupPhase, string>> = {
  empty: 'Empty',
  preparing: 'PreparingRebalance',
  completing: 'CompletingRebalance',
  stable: 'Stable',
}

/** Answers JoinGroup when the generation of the member is complete. */
export const answerJoinGroup: Handler<'JoinGroup'> = (body, { groups }, { version, clientId }) => {
  const refused = (errorCode: number) => ({
    ...{ errorCode, protocolName: '', leader: '', memberId: body.memberId, members: [] },
  })
  if (body.groupId === '') return refused(codeOf('INVALID_GROUP_ID'))
  const group = groups.classic(body.groupId)
  if (group === undefined) return refused(codeOf('INCONSISTENT_GROUP_PROTOCOL'))
  return group.join(body, clientId, version >= REQUIRES_ID_FROM)
}

/** Answers SyncGroup when the leader has sent the assignments. */
export const answerSyncGroup: Handler<'SyncGroup'> = (body, { groups }) =>
  groups.classic(body.groupId)?.sync(body) ?? {
    errorCode: codeOf('UNKNOWN_MEMBER_ID'),
    assignment: new Uint8Array(0),
  }

/** Answers Heartbeat of classic groups. */
export const answerHeartbeat: Handler<'Heartbeat'> = (body, { groups }) => ({
  errorCode: codeOf(groups.classic(body.groupId)?.heartbeat(body) ?? 'UNKNOWN_MEMBER_ID'),
})

/** Answers LeaveGroup. */
export const answerLeaveGroup: Handler<'LeaveGroup'> = (body, { groups }) =>
  groups.classic(body.groupId)?.leave(body) ?? { errorCode: codeOf('UNKNOWN_MEMBER_ID'), members: [] }

/** Answers ConsumerGroupHeartbeat (KIP-848). Members before version 1 get their id here. */
export const answerConsumerGroupHeartbeat: Handler<'ConsumerGroupHeartbeat'> = (body, { groups }) => {
  const memberId = body.memberId === '' ? randomUUID() : body.memberId
  return (
    groups.consumer(body.groupId)?.heartbeat({ ...body, memberId }) ?? {
      ...{ errorCode: codeOf('GROUP_ID_NOT_FOUND'), memberEpoch: 0, heartbeatIntervalMs: 0 },
    }
  )
}

/** Answers ListGroups. */
export const answerListGroups: Handler<'ListGroups'> = (_, { groups }) => ({
  errorCode: 0,
  groups: groups.ids().map((groupId) => {
    const group = groups.find(groupId)
    const isConsumer = group !== undefined && !(group instanceof ClassicGroup)
    return {
      groupId,
      protocolType:
        group instanceof ClassicGroup && group.size > 0 ? group.protocolType : isConsumer ? 'consumer' : '',
      groupState: stateOf(group),
      groupType: isConsumer ? 'consumer' : 'classic',
    }
  }),
})

/** Answers DescribeGroups with the members of classic groups. */
export const answerDescribeGroups: Handler<'DescribeGroups'> = (body, { groups }, { version }) => ({
  groups: body.groups.map((groupId) => {
    const group = groups.find(groupId)
    const isClassic = group instanceof ClassicGroup
    const exists = groups.ids().includes(groupId)
    const isFound = isClassic || (group === undefined && (exists || version < MISSING_IS_ERROR_FROM))
    return {
      ...{ errorCode: codeOf(isFound ? 'NONE' : 'GROUP_ID_NOT_FOUND'), groupId },
      groupState: exists ? stateOf(group) : 'Dead',
      protocolType: isClassic ? group.protocolType : '',
      protocolData: isClassic ? group.protocolName : '',
      members: isClassic ? group.members().map((one) => ({ ...one, clientHost: '/127.0.0.1' })) : [],
    }
  }),
})

/** Answers ConsumerGroupDescribe (KIP-848). */
export const answerConsumerGroupDescribe: Handler<'ConsumerGroupDescribe'> = (
  { groupIds },
  { groups, topics },
) => ({
  groups: groupIds.map((groupId) => {
    const group = groups.find(groupId)
    if (group === undefined || group instanceof ClassicGroup)
      return {
        ...{ errorCode: codeOf('GROUP_ID_NOT_FOUND'), groupId, groupState: '', groupEpoch: 0 },
        ...{ assignmentEpoch: 0, assignorName: '', members: [] },
      }
    return {
      ...{ errorCode: 0, groupId, groupState: stateOf(group), groupEpoch: group.generation },
      ...{ assignmentEpoch: group.generation, assignorName: 'uniform' },
      members: group
        .members()
        .map(({ topics: names, instanceId, memberId, memberEpoch, assigned, target }) => ({
          ...{ memberId, instanceId, memberEpoch, clientId: '', clientHost: '/127.0.0.1' },
          subscribedTopicNames: names,
          assignment: { topicPartitions: byTopic(topics, assigned) },
          targetAssignment: { topicPartitions: byTopic(topics, target) },
        })),
    }
  }),
})

/** Answers DeleteGroups: only groups without members are deleted. */
export const answerDeleteGroups: Handler<'DeleteGroups'> = ({ groupsNames }, { groups }) => ({
  results: groupsNames.map((groupId) => {
    if ((groups.find(groupId)?.size ?? 0) > 0) return { groupId, errorCode: codeOf('NON_EMPTY_GROUP') }
    return { groupId, errorCode: codeOf(groups.delete(groupId) ? 'NONE' : 'GROUP_ID_NOT_FOUND') }
  }),
})

function stateOf(group: ClassicGroup | ConsumerGroup | undefined): string {
  if (group === undefined || group.size === 0) return 'Empty'
  return group instanceof ClassicGroup ? STATES[group.phase] : 'Stable'
}

function byTopic(
  topics: EmbeddedTopics,
  keys: ReadonlySet<string>,
): { readonly topicId: string; readonly topicName: string; readonly partitions: number[] }[] {
  const found = new Map<string, number[]>()
  for (const key of keys) {
    const at = key.lastIndexOf('/')
    const name = key.slice(0, at)
    found.set(name, [...(found.get(name) ?? []), Number(key.slice(at + 1))])
  }
  return [...found].flatMap(([topicName, partitions]) => {
    const topic = topics.named(topicName)
    return topic === undefined ? [] : [{ topicId: topic.id, topicName, partitions }]
  })
}
