import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ApiName, RequestBody, ResponseBody } from '../../../../src/kafka/wire/apis.ts'
import { NO_UUID } from '../../../../src/kafka/wire/schema.ts'
import { RecordBatchWriter, sealBatch } from '../../../../src/kafka/produce/record-batch.ts'
import { nameForTests } from '../../../support/servers/servers.ts'

/** A request in a version, and the joined error names that the response must have. */
export interface Question<A extends ApiName> {
  readonly body: (version: number) => RequestBody<A>
  readonly errors: (response: ResponseBody<A>, version: number) => readonly number[]
  readonly expected: string | ((version: number) => string)
}

/** Questions by API. */
export type Questions = { readonly [A in ApiName]: Question<A> }

/** The topic that questions are about: one partition with two records. */
export interface AskedTopic {
  readonly topic: string
  readonly topicId: string
}

const member = (): { groupId: string; memberId: string } => ({
  groupId: nameForTests('group'),
  memberId: 'unknown-member',
})

/** Returns a batch whose header has more records than follow, so that the test adds none. */
function emptyBatch(): Buffer {
  const writer = new RecordBatchWriter(1_024)
  writer.append({ key: null, value: 'none' }, Date.now())
  const batch = writer.finish(undefined)
  batch.writeInt32BE(2, 57)
  batch.writeInt32BE(1, 23)
  sealBatch(batch, { id: -1n, epoch: -1 }, -1)
  return batch
}

/** Returns the questions about a topic. */
export function questionsOf({ topic, topicId }: AskedTopic): Questions {
  const topicOf = (version: number, idsFrom: number): { name: string } | { topicId: string } =>
    version < idsFrom ? { name: topic } : { topicId }
  const claim = { transactionalId: 'unknown', producerId: 1n, producerEpoch: 0 }
  return {
    Produce: {
      body: (version) => ({
        ...{ acks: -1, timeoutMs: 10_000 },
        topicData: [{ ...topicOf(version, 13), partitionData: [{ index: 0, records: emptyBatch() }] }],
      }),
      errors: ({ responses }) =>
        responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode)),
      expected: 'INVALID_RECORD',
    },
    InitProducerId: {
      body: () => ({ transactionalId: null, transactionTimeoutMs: 0 }),
      errors: ({ errorCode, producerId }) => (assert.ok(producerId >= 0n), [errorCode]),
      expected: 'NONE',
    },
    ApiVersions: {
      body: () => ({ clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
      errors: ({ errorCode, apiKeys }) => (assert.ok(apiKeys.length > 20), [errorCode]),
      expected: 'NONE',
    },
    Metadata: {
      body: (version) => ({
        topics: [{ name: topic }],
        ...(version < 4 ? {} : { allowAutoTopicCreation: false }),
      }),
      errors: ({ topics }) => topics.map(({ errorCode }) => errorCode),
      expected: 'NONE',
    },
    FindCoordinator: {
      body: (version) => (version < 4 ? { key: 'g' } : { coordinatorKeys: ['g'] }),
      errors: (response, version) =>
        (version < 4 ? [response] : response.coordinators).map(({ errorCode }) => errorCode),
      expected: 'NONE',
    },
    JoinGroup: {
      body: () => ({
        ...{ ...member(), memberId: '', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 },
        ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] },
      }),
      errors: ({ errorCode, memberId }) => (assert.notEqual(memberId, ''), [errorCode]),
      expected: (version) => (version < 4 ? 'NONE' : 'MEMBER_ID_REQUIRED'),
    },
    SyncGroup: {
      body: () => ({
        ...{ ...member(), generationId: 1, assignments: [], protocolType: 'consumer', protocolName: 'range' },
      }),
      errors: ({ errorCode }) => [errorCode],
      expected: 'UNKNOWN_MEMBER_ID',
    },
    Heartbeat: {
      body: () => ({ ...member(), generationId: 1 }),
      errors: ({ errorCode }) => [errorCode],
      expected: 'UNKNOWN_MEMBER_ID',
    },
    LeaveGroup: {
      body: (version) =>
        version < 3 ? member() : { groupId: member().groupId, members: [{ memberId: 'unknown-member' }] },
      errors: (response, version) =>
        (version < 3 ? [response] : response.members).map(({ errorCode }) => errorCode),
      expected: 'UNKNOWN_MEMBER_ID',
    },
    OffsetCommit: {
      body: (version) => ({
        ...{ groupId: 'committing', memberId: '' },
        topics: [
          {
            ...topicOf(version, 10),
            partitions: [{ partitionIndex: 0, committedOffset: BigInt(version), committedMetadata: 'm' }],
          },
        ],
      }),
      errors: ({ topics }) =>
        topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      expected: 'NONE',
    },
    OffsetFetch: {
      body: (version) => {
        const one = { name: topic, partitionIndexes: [0] }
        if (version < 8) return { groupId: 'committing', topics: [one] }
        return {
          groups: [{ groupId: 'committing', topics: [{ ...topicOf(version, 10), partitionIndexes: [0] }] }],
        }
      },
      errors: ({ topics, groups }, version) => {
        const partitions = (version < 8 ? topics : (groups[0]?.topics ?? [])).flatMap((one) => one.partitions)
        assert.ok(
          partitions.every(({ committedOffset, metadata }) => committedOffset >= 2n && metadata === 'm'),
        )
        return partitions.map(({ errorCode }) => errorCode)
      },
      expected: 'NONE',
    },
    ListOffsets: {
      body: () => ({
        ...{ replicaId: -1 },
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
      }),
      errors: ({ topics }) =>
        topics.flatMap(({ partitions }) =>
          partitions.map(({ errorCode, offset }) => (assert.equal(offset, 2n), errorCode)),
        ),
      expected: 'NONE',
    },
    Fetch: {
      body: (version) => ({
        ...{ maxWaitMs: 1_000, minBytes: 1, isolationLevel: 1 },
        topics: [
          {
            ...(version < 13 ? { topic } : { topicId }),
            partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 100_000 }],
          },
        ],
      }),
      errors: ({ errorCode, responses }, version) => {
        assert.equal(responses.length, 1)
        assert.equal(
          version < 13 ? responses[0]?.topic : responses[0]?.topicId,
          version < 13 ? topic : topicId,
        )
        const [partition] = responses[0]?.partitions ?? []
        assert.ok(partition?.records?.length !== undefined && partition.records.length > 60)
        // The magic byte of a record batch.
        assert.equal(partition.records[16], 2)
        assert.deepEqual([partition.highWatermark, partition.lastStableOffset], [2n, 2n])
        return [errorCode, partition.errorCode]
      },
      expected: 'NONE NONE',
    },
    OffsetForLeaderEpoch: {
      body: (version) => ({
        ...(version < 3 ? {} : { replicaId: -1 }),
        topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0, currentLeaderEpoch: 0 }] }],
      }),
      errors: ({ topics }) =>
        topics.flatMap(({ partitions }) =>
          partitions.map(({ errorCode, endOffset }) => (assert.equal(endOffset, 2n), errorCode)),
        ),
      expected: 'NONE',
    },
    ConsumerGroupHeartbeat: {
      body: (version) => ({
        ...{ groupId: nameForTests('group'), memberId: version === 0 ? '' : randomUUID(), memberEpoch: 0 },
        ...{ rebalanceTimeoutMs: 10_000, subscribedTopicNames: [topic], topicPartitions: [] },
      }),
      errors: ({ errorCode, assignment }) => {
        assert.deepEqual(assignment, { topicPartitions: [{ topicId, partitions: [0] }] })
        return [errorCode]
      },
      expected: 'NONE',
    },
    ConsumerGroupDescribe: {
      body: () => ({ groupIds: [nameForTests('group')], includeAuthorizedOperations: false }),
      errors: ({ groups }) => groups.map(({ errorCode }) => errorCode),
      expected: 'GROUP_ID_NOT_FOUND',
    },
    SaslHandshake: {
      body: () => ({ mechanism: 'PLAIN' }),
      errors: ({ errorCode }) => [errorCode],
      expected: 'ILLEGAL_SASL_STATE',
    },
    SaslAuthenticate: {
      body: () => ({ authBytes: Buffer.from('x') }),
      errors: ({ errorCode }) => [errorCode],
      expected: 'ILLEGAL_SASL_STATE',
    },
    CreateTopics: {
      body: (version) => ({
        topics: [
          {
            ...{ name: nameForTests('made'), numPartitions: 1, replicationFactor: 1 },
            ...{ assignments: [], configs: [] },
          },
        ],
        timeoutMs: 10_000,
        ...(version < 1 ? {} : { validateOnly: true }),
      }),
      errors: ({ topics }) => topics.map(({ errorCode }) => errorCode),
      expected: 'NONE',
    },
    DeleteTopics: {
      body: (version) => ({
        ...(version < 6
          ? { topicNames: ['unknown-topic'] }
          : { topics: [{ name: 'unknown-topic', topicId: NO_UUID }] }),
        timeoutMs: 10_000,
      }),
      errors: ({ responses }) => responses.map(({ errorCode }) => errorCode),
      expected: 'UNKNOWN_TOPIC_OR_PARTITION',
    },
    CreatePartitions: {
      body: () => ({
        ...{ topics: [{ name: topic, count: 2, assignments: null }], timeoutMs: 10_000, validateOnly: true },
      }),
      errors: ({ results }) => results.map(({ errorCode }) => errorCode),
      expected: 'NONE',
    },
    DeleteRecords: {
      body: () => ({
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0n }] }],
        timeoutMs: 10_000,
      }),
      errors: ({ topics }) =>
        topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      expected: 'NONE',
    },
    DescribeConfigs: {
      body: () => ({
        resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['cleanup.policy'] }],
      }),
      errors: ({ results }) =>
        results.map(({ errorCode, configs }) => {
          assert.deepEqual(
            configs.map(({ name, value }) => [name, value]),
            [['cleanup.policy', 'delete']],
          )
          return errorCode
        }),
      expected: 'NONE',
    },
    DescribeCluster: {
      body: () => ({ includeClusterAuthorizedOperations: false }),
      errors: ({ errorCode, brokers }) => (assert.equal(brokers.length, 1), [errorCode]),
      expected: 'NONE',
    },
    ListGroups: {
      body: () => ({}),
      errors: ({ errorCode, groups }) => {
        assert.ok(groups.some(({ groupId }) => groupId === 'committing'))
        return [errorCode]
      },
      expected: 'NONE',
    },
    DescribeGroups: {
      body: () => ({ groups: [nameForTests('group')] }),
      errors: ({ groups }) =>
        groups.map(({ errorCode, groupState }) => (assert.equal(groupState, 'Dead'), errorCode)),
      expected: (version) => (version < 6 ? 'NONE' : 'GROUP_ID_NOT_FOUND'),
    },
    DeleteGroups: {
      body: () => ({ groupsNames: [nameForTests('group')] }),
      errors: ({ results }) => results.map(({ errorCode }) => errorCode),
      expected: 'GROUP_ID_NOT_FOUND',
    },
    AddPartitionsToTxn: {
      body: (version) => {
        const topics = [{ name: topic, partitions: [0] }]
        return version < 4
          ? {
              v3AndBelowTransactionalId: claim.transactionalId,
              v3AndBelowProducerId: claim.producerId,
              v3AndBelowProducerEpoch: claim.producerEpoch,
              v3AndBelowTopics: topics,
            }
          : { transactions: [{ ...claim, verifyOnly: false, topics }] }
      },
      errors: ({ resultsByTopicV3AndBelow, resultsByTransaction }, version) =>
        (version < 4
          ? resultsByTopicV3AndBelow
          : resultsByTransaction.flatMap(({ topicResults }) => topicResults)
        ).flatMap(({ resultsByPartition }) =>
          resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
        ),
      expected: 'INVALID_PRODUCER_ID_MAPPING',
    },
    AddOffsetsToTxn: {
      body: () => ({ ...claim, groupId: nameForTests('group') }),
      errors: ({ errorCode }) => [errorCode],
      expected: 'INVALID_PRODUCER_ID_MAPPING',
    },
    EndTxn: {
      body: () => ({ ...claim, committed: true }),
      errors: ({ errorCode }) => [errorCode],
      expected: 'INVALID_PRODUCER_ID_MAPPING',
    },
    TxnOffsetCommit: {
      body: () => ({
        ...{ ...claim, groupId: nameForTests('group') },
        topics: [
          { name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] },
        ],
      }),
      errors: ({ topics }) =>
        topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      expected: 'INVALID_PRODUCER_ID_MAPPING',
    },
  }
}
