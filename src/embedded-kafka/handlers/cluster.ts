import { NO_UUID } from '../../kafka/wire/schema.ts'
import type { EmbeddedTopic } from '../topics.ts'
import { codeOf, NODE_ID, type BrokerState, type Handler } from './handler.ts'

/** Answers Metadata: one broker leads all partitions. Topics are created if the broker does that. */
export const answerMetadata: Handler<'Metadata'> = (body, state, { version }) => {
  const { topics, host, port, clusterId } = state
  // An empty list asks for all topics in version 0, and for none later.
  const all = topics.all().map(({ name }) => ({ name, topicId: NO_UUID }))
  const asked = body.topics ?? all
  const wanted = version === 0 && asked.length === 0 ? all : asked
  return {
    brokers: [{ nodeId: NODE_ID, host, port, rack: null }],
    clusterId,
    controllerId: NODE_ID,
    topics: wanted.map(({ name, topicId }) => {
      const isById = name === null || name === ''
      const topic = topics.find({ topicId, name: name ?? '' }) ?? created(name, body, state)
      if (topic !== undefined) return describedTopic(topic)
      const isValid = isById || topics.faultOf(name, 1) === undefined
      const error = isById
        ? 'UNKNOWN_TOPIC_ID'
        : isValid
          ? 'UNKNOWN_TOPIC_OR_PARTITION'
          : 'INVALID_TOPIC_EXCEPTION'
      return { errorCode: codeOf(error), name, topicId, isInternal: false, partitions: [] }
    }),
  }
}

function created(
  name: string | null,
  { allowAutoTopicCreation }: { readonly allowAutoTopicCreation: boolean },
  { topics, autoCreatePartitions }: BrokerState,
): EmbeddedTopic | undefined {
  if (!allowAutoTopicCreation || autoCreatePartitions === undefined || name === null) return undefined
  return topics.faultOf(name, autoCreatePartitions) === undefined
    ? topics.create(name, autoCreatePartitions)
    : undefined
}

function describedTopic({ name, id, partitions }: EmbeddedTopic): object & {
  readonly errorCode: number
  readonly name: string
  readonly partitions: readonly {
    readonly errorCode: number
    readonly partitionIndex: number
    readonly leaderId: number
    readonly leaderEpoch: number
    readonly replicaNodes: readonly number[]
    readonly isrNodes: readonly number[]
  }[]
} {
  return {
    ...{ errorCode: 0, name, topicId: id, isInternal: false },
    partitions: partitions.map(({ leaderEpoch }, partitionIndex) => ({
      ...{ errorCode: 0, partitionIndex, leaderId: NODE_ID, leaderEpoch },
      ...{ replicaNodes: [NODE_ID], isrNodes: [NODE_ID] },
    })),
  }
}

/** Answers DescribeCluster: the one broker. */
export const answerDescribeCluster: Handler<'DescribeCluster'> = (_, { host, port, clusterId }) => ({
  errorCode: 0,
  clusterId,
  controllerId: NODE_ID,
  brokers: [{ brokerId: NODE_ID, host, port, rack: null }],
})

/** Answers FindCoordinator: the one broker coordinates everything. */
export const answerFindCoordinator: Handler<'FindCoordinator'> = ({ coordinatorKeys }, { host, port }) => ({
  ...{ errorCode: 0, nodeId: NODE_ID, host, port },
  coordinators: coordinatorKeys.map((key) => ({ key, nodeId: NODE_ID, host, port, errorCode: 0 })),
})
