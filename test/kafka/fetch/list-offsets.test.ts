import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listOffsets } from '../../../src/kafka/fetch/list-offsets.ts'
import { BROKER_ERRORS } from '../../../src/kafka/wire/error-codes.ts'
import { fastClock, FakeCluster } from './support/fake-cluster.ts'

const OPTIONS = { isolation: 'read_committed', clock: fastClock, timeoutMs: 1_000 } as const

function clusterWithRecords(): FakeCluster {
  const cluster = new FakeCluster()
  const [first, second] = cluster.create('orders', 2).partitions
  for (const partition of [first, second]) partition?.append('0', '1', '2')
  if (second !== undefined) {
    second.leaderId = 2
    second.logStart = 1n
    second.stable = 2n
  }
  return cluster
}

test('Starts and ends of partitions are requested from their leaders; results are in the order of the queries', async () => {
  const queries = (['latest', 'earliest'] as const).flatMap((at) =>
    [1, 0].map((partition) => ({ topic: 'orders', partition, at })),
  )
  const found = await listOffsets(clusterWithRecords(), queries, OPTIONS)
  assert.deepEqual(found, [
    { offset: 2n, leaderEpoch: 5 },
    { offset: 3n, leaderEpoch: 5 },
    { offset: 1n, leaderEpoch: 5 },
    { offset: 0n, leaderEpoch: 5 },
  ])
  const query = { topic: 'orders', partition: 1, at: 'latest' } as const
  assert.deepEqual(
    await listOffsets(clusterWithRecords(), [query], { ...OPTIONS, isolation: 'read_uncommitted' }),
    [{ offset: 3n, leaderEpoch: 5 }],
  )
  assert.deepEqual(await listOffsets(clusterWithRecords(), [], OPTIONS), [])
})

test('A time yields the first record at or after it, or none', async () => {
  const cluster = clusterWithRecords()
  const at = (time: number): Promise<unknown> =>
    listOffsets(cluster, [{ topic: 'orders', partition: 0, at: time }], OPTIONS)
  assert.deepEqual(await at(1), [{ offset: 1n, leaderEpoch: 5 }])
  assert.deepEqual(await at(100), [undefined])
})

test('A leader that moved is looked up again', async () => {
  const cluster = clusterWithRecords()
  const [partition] = cluster.topics.get('orders')?.partitions ?? []
  assert.ok(partition !== undefined)
  const broker = cluster.brokers.get(1) ?? assert.fail()
  broker.offsetRefusals.push('NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE')
  const found = await listOffsets(cluster, [{ topic: 'orders', partition: 0, at: 'latest' }], OPTIONS)
  assert.equal(found[0]?.offset, 3n)
  assert.equal(cluster.lookUps, 3)
})

test('A permanent failure is an error at once, a transient one after six attempts', async () => {
  const cluster = clusterWithRecords()
  const broker = cluster.brokers.get(1) ?? assert.fail()
  const ask = (topic = 'orders'): Promise<unknown> =>
    listOffsets(cluster, [{ topic, partition: 0, at: 'latest' }], OPTIONS)
  broker.offsetRefusals.push('TOPIC_AUTHORIZATION_FAILED')
  await assert.rejects(ask(), { code: 'KD_KAFKA_FORBIDDEN', context: { topic: 'orders', partition: 0 } })
  assert.equal(cluster.lookUps, 1)
  broker.offsetRefusals.push('UNSUPPORTED_FOR_MESSAGE_FORMAT')
  await assert.rejects(ask(), { code: 'KD_KAFKA_REFUSED', retryable: false })
  // An error without a known reason is repeated too.
  broker.offsetRefusals.push('UNKNOWN_SERVER_ERROR')
  await ask()
  cluster.lookUps = 0
  await assert.rejects(ask('missing'), { code: 'KD_TOPIC_MISSING' })
  assert.equal(cluster.lookUps, 6)
  cluster.lookUps = 0
  broker.offsetRefusals.push(...Array.from({ length: 6 }, () => 'UNKNOWN_LEADER_EPOCH' as const))
  await assert.rejects(ask(), { code: 'KD_SOURCE_FAILED', retryable: true, message: /UNKNOWN_LEADER_EPOCH/ })
  assert.equal(cluster.lookUps, 6)
  assert.equal(BROKER_ERRORS.UNKNOWN_LEADER_EPOCH.retriable, true)
})
