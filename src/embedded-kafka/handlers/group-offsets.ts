import { NO_UUID } from '../../kafka/wire/schema.ts'
import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import { ClassicGroup } from '../groups/classic-group.ts'
import type { StoredOffset } from '../transactions/stored-offset.ts'
import { codeOf, type BrokerState, type Handler } from './handler.ts'

interface Wanted {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

/** Answers OffsetCommit: members commit with their generation or epoch, others while the group has no members. */
export const answerOffsetCommit: Handler<'OffsetCommit'> = (body, state) => {
  const { groups, topics } = state
  const fault = commitFaultOf(body, state)
  const offsets = new Map<string, StoredOffset>()
  const answer = {
    topics: body.topics.map(({ name, topicId, partitions }) => {
      const topic = topics.find({ topicId, name })
      return {
        ...{ name, topicId },
        partitions: partitions.map(
          ({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
            if (fault !== 'NONE') return { partitionIndex, errorCode: codeOf(fault) }
            if (topic?.partitions[partitionIndex] === undefined)
              return { partitionIndex, errorCode: codeOf('UNKNOWN_TOPIC_OR_PARTITION') }
            offsets.set(`${topic.name}/${partitionIndex}`, {
              ...{ offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: committedMetadata },
            })
            return { partitionIndex, errorCode: 0 }
          },
        ),
      }
    }),
  }
  groups.commit(body.groupId, offsets)
  return answer
}

function commitFaultOf(
  body: Parameters<Handler<'OffsetCommit'>>[0],
  { groups }: BrokerState,
): BrokerErrorName {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = body
  const group = groups.find(groupId)
  if (group === undefined) return generationId < 0 ? 'NONE' : 'ILLEGAL_GENERATION'
  return group instanceof ClassicGroup
    ? group.commitFault({ memberId, groupInstanceId, generationId })
    : group.commitFault(memberId, generationId)
}

/** Answers OffsetFetch: of one group, or of several since version 8. */
export const answerOffsetFetch: Handler<'OffsetFetch'> = (body, state, { version }) => {
  const { requireStable } = body
  if (version >= 8)
    return {
      groups: body.groups.map(({ groupId, topics }) => ({
        groupId,
        topics: offsetsOf(groupId, topics, requireStable, state),
        errorCode: 0,
      })),
    }
  const wanted = body.topics?.map((topic) => ({ ...topic, topicId: NO_UUID })) ?? null
  return { topics: offsetsOf(body.groupId, wanted, requireStable, state), errorCode: 0 }
}

function offsetsOf(
  groupId: string,
  wanted: readonly Wanted[] | null,
  requireStable: boolean,
  { groups, transactions, topics }: BrokerState,
) {
  const known = groups.offsetsOf(groupId)
  return (wanted ?? topicsOf(known.keys())).map(({ name, topicId, partitionIndexes }) => {
    const topic = topics.find({ topicId, name })
    return {
      ...{ name, topicId },
      partitions: partitionIndexes.map((partitionIndex) => {
        const key = `${topic?.name ?? name}/${partitionIndex}`
        const isUnstable = requireStable && transactions.hasPending(groupId, [key])
        const found = isUnstable ? undefined : known.get(key)
        return {
          partitionIndex,
          committedOffset: found?.offset ?? -1n,
          committedLeaderEpoch: found?.leaderEpoch ?? -1,
          metadata: found?.metadata ?? '',
          errorCode: codeOf(isUnstable ? 'UNSTABLE_OFFSET_COMMIT' : 'NONE'),
        }
      }),
    }
  })
}

function topicsOf(keys: Iterable<string>): Wanted[] {
  const found = new Map<string, number[]>()
  for (const key of keys) {
    const at = key.lastIndexOf('/')
    const name = key.slice(0, at)
    found.set(name, [...(found.get(name) ?? []), Number(key.slice(at + 1))])
  }
  return [...found].map(([name, partitionIndexes]) => ({ name, topicId: NO_UUID, partitionIndexes }))
}
