// Goal: a real broker understands every version of every API that it supports, and its responses can be read.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import kafkajs from 'kafkajs'
import { APIS, type ApiName, type RequestBody, type ResponseBody } from '../../../src/kafka/wire/apis.ts'
import { errorNameOf } from '../../../src/kafka/wire/error-codes.ts'
import type { BrokerConnection } from '../../../src/kafka/wire/broker.ts'
import type { Cluster } from '../../../src/kafka/wire/cluster.ts'
import { RecordBatchWriter, sealBatch } from '../../../src/kafka/produce/record-batch.ts'
import { openCluster } from '../../../src/kafka/wire/open-cluster.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { openPlain } from './support/fake-broker.ts'

const topic = nameForTests('versions')
let cluster: Cluster
let broker: BrokerConnection
let topicId: string

before(async () => {
  const brokers = await kafkaForTests()
  const kafka = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.ERROR })
  const admin = kafka.admin()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] })
  await admin.disconnect()
  // A broker has no producer ids until the first request for one has made it get some.
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'a', value: 'one' }, { value: 'two' }] })
  await producer.disconnect()
  cluster = openCluster({ clientId: 'test', openSocket: openPlain, brokers })
  const { topics } = await cluster.metadata([topic])
  const place = topics.get(topic)
  assert.ok(place !== undefined)
  topicId = place.topicId
  assert.match(topicId, /^[0-9a-f]{32}$/)
  assert.equal(place.partitions[0]?.leaderEpoch, 0)
  broker = await cluster.coordinator(nameForTests('group'))
  // A single broker has all roles.
  assert.equal(broker.nodeId, place.partitions[0].leaderId)
})
after(() => cluster.close())

/** A request in a version, and the joined error names that the response must have. */
interface Question<A extends ApiName> {
  readonly body: (version: number) => RequestBody<A>
  readonly errors: (response: ResponseBody<A>, version: number) => readonly number[]
  readonly expected: string | ((version: number) => string)
}

type Questions = { readonly [A in ApiName]: Question<A> }

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

function topicOf(version: number, idsFrom: number): { name: string } | { topicId: string } {
  return version < idsFrom ? { name: topic } : { topicId }
}

const QUESTIONS: Questions = {
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
    errors: ({ topics }) => topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
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
      assert.equal(version < 13 ? responses[0]?.topic : responses[0]?.topicId, version < 13 ? topic : topicId)
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
}

for (const api of Object.keys(APIS) as ApiName[]) {
  test(`${api} in all versions`, async () => {
    // Each body belongs to its API, which the union type cannot express.
    const { body, errors, expected } = QUESTIONS[api] as unknown as Question<'Heartbeat'>
    const newest = broker.versionOf(api)
    assert.ok(newest !== undefined)
    for (let version: number = APIS[api].versions[0]; version <= newest; version++) {
      const response = await broker.request(api as 'Heartbeat', body(version), { versionMax: version })
      const names = errors(response, version).map(errorNameOf).join(' ')
      assert.equal(names, typeof expected === 'string' ? expected : expected(version), `version ${version}`)
    }
  })
}
