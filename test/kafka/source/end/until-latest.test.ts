// Reading up to the end offsets at the start, for every way in which a log can end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Producer } from 'kafkajs'
import { rangesOf, read, eventually, readToEnd } from '../../reading.ts'
import { numbered, testTopic, type TestTopic } from '../../topic.ts'
import { nameForTests } from '../../../support/servers/servers.ts'
import { OwnerWatch, shared, startWorker } from '../../group/support/real-group.ts'

test('an empty topic ends immediately', async () => {
  const reading = await readToEnd(await testTopic(3))
  assert.equal(reading.batches.length, 0)
})

test('a table that already holds everything ends immediately', async () => {
  const topic = await testTopic(2)
  await topic.produce([...numbered(0, 10), ...numbered(1, 20)])
  const reading = await readToEnd(topic, {
    txns: new Map([
      [0, 9n],
      [1, 19n],
    ]),
  })
  assert.equal(reading.batches.length, 0)
})

for (const groupProtocol of ['classic', 'consumer'] as const)
  test(`${groupProtocol}: partitions of a member that never reads them are waited for, and read once it is gone`, async () => {
    const topic = await testTopic(4)
    await topic.produce([0, 1, 2, 3].flatMap((partition) => numbered(partition, 10)))
    const groupId = nameForTests('group')
    const idle = startWorker('idle', topic.brokers, new OwnerWatch(), {
      groupId,
      topics: [topic.topic],
      protocol: groupProtocol,
    })
    await shared([idle], { [topic.topic]: 4 })
    const reading = read(topic, { groupId, groupProtocol })
    let isDone = false
    void reading.done.then(() => (isDone = true))
    const records = (): number => [0, 1, 2, 3].reduce((sum, each) => sum + reading.values(each).length, 0)
    await eventually(() => records() === 20, 'the partitions of one of two members are read')
    await sleep(1_500)
    assert.equal(isDone, false, 'the other half is in no table yet')
    await idle.stop()
    await reading.done
    await reading.source.close()
    assert.equal(records(), 40)
    assertChain(reading)
  })

test('partitions that the table already holds are not waited for, whoever has them', async () => {
  const topic = await testTopic(4)
  await topic.produce([0, 1, 2, 3].flatMap((partition) => numbered(partition, 10)))
  const groupId = nameForTests('group')
  const idle = startWorker('idle', topic.brokers, new OwnerWatch(), { groupId, topics: [topic.topic] })
  await shared([idle], { [topic.topic]: 4 })
  await readToEnd(topic, { groupId, txns: new Map([0, 1, 2, 3].map((partition) => [partition, 9n])) })
  await idle.stop()
})

test('records produced after the start are not waited for', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 10))
  const reading = read(topic, {
    resume: async () => {
      await topic.produce(numbered(0, 10, 10))
      return undefined
    },
  })
  await reading.done
  await reading.source.close()
  assert.ok(reading.values(0).length >= 10)
})

test('a partition whose records were all deleted ends immediately', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 10))
  await topic.deleteBefore(0, 10n)
  const reading = await readToEnd(topic)
  assert.equal(reading.batches.length, 0)
  assert.deepEqual((await readToEnd(topic, { txns: new Map([[0, 9n]]) })).batches, [])
})

test('a log that ends in the marker of a committed transaction ends, and the marker is covered', async () => {
  const topic = await testTopic(1)
  await inTransaction(topic, 10, (transaction) => transaction.commit())
  const reading = await readToEnd(topic)
  assert.equal(reading.values(0).length, 10)
  assert.equal(rangesOf(reading, 0).at(-1)?.last, 10n)
  assertChain(reading)
})

test('a log that ends in an aborted transaction ends, without the aborted records', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 5))
  await inTransaction(topic, 10, (transaction) => transaction.abort())
  const reading = await readToEnd(topic)
  assert.equal(reading.values(0).length, 5)
  assert.equal(rangesOf(reading, 0).at(-1)?.last, 15n)
  assertChain(reading)
})

test('a log with only an aborted transaction ends, and its offsets are covered', async () => {
  const topic = await testTopic(1)
  await inTransaction(topic, 10, (transaction) => transaction.abort())
  const reading = await readToEnd(topic)
  assert.equal(reading.values(0).length, 0)
  assert.equal(rangesOf(reading, 0).at(-1)?.last, 10n)
  assert.equal(rangesOf(reading, 0)[0]?.follows, undefined)
})

test('many small transactions, committed and aborted, leave a chain without a gap', async () => {
  const topic = await testTopic(1)
  for (let i = 0; i < 6; i++) {
    await inTransaction(topic, 5, (transaction) => (i % 2 === 0 ? transaction.commit() : transaction.abort()))
  }
  const reading = await readToEnd(topic, { partitionBytesMax: 250 })
  assert.equal(reading.values(0).length, 15)
  assert.equal(rangesOf(reading, 0).at(-1)?.last, 35n)
  assertChain(reading)
  const resumed = await readToEnd(topic, { txns: new Map([[0, 5n]]) })
  assert.equal(resumed.values(0).length, 10)
})

test('an open transaction at the end is not waited for', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 5))
  const producer = await topic.transactional()
  const transaction = await producer.transaction()
  await transaction.send({ topic: topic.topic, messages: numbered(0, 3, 5) })
  const reading = await readToEnd(topic)
  assert.equal(reading.values(0).length, 5)
  assert.equal(rangesOf(reading, 0).at(-1)?.last, 4n)
  await transaction.abort()
  await producer.disconnect()
})

test('a compacted topic ends, and the ranges cover its gaps', async () => {
  const topic = await testTopic(1, COMPACTED)
  // One key over and over: all but the last are compacted away, segment by segment.
  for (let i = 0; i < 40; i++)
    await topic.produce([{ partition: 0, key: 'same', value: `${i}-${'x'.repeat(400)}` }])
  await inTransaction(topic, 3, (transaction) => transaction.abort(), 'same')
  await topic.produce([{ partition: 0, key: 'same', value: 'last' }])
  await eventually(async () => {
    const { values } = await readToEnd(topic)
    return values(0).length < 40
  }, 'a compaction')
  const reading = await readToEnd(topic)
  assert.equal(reading.values(0).at(-1), 'last')
  assertChain(reading)
})

test('a compacted topic whose tail is tombstones and markers ends', async () => {
  const topic = await testTopic(1, COMPACTED)
  for (let i = 0; i < 20; i++)
    await topic.produce([{ partition: 0, key: `k${i % 3}`, value: 'x'.repeat(500) }])
  for (let i = 0; i < 3; i++) await topic.produce([{ partition: 0, key: `k${i}`, value: null }])
  await inTransaction(topic, 2, (transaction) => transaction.commit(), 'k0')
  const reading = await readToEnd(topic)
  assert.equal(rangesOf(reading, 0).at(-1)?.last, 25n)
  assertChain(reading)
})

test('a log whose tail was compacted into batches without records ends', async () => {
  const topic = await testTopic(1, COMPACTED)
  for (let i = 0; i < 20; i++) await topic.produce([{ partition: 0, key: 'k', value: 'x'.repeat(500) }])
  await topic.produce([{ partition: 0, key: 'k', value: null }])
  await inTransaction(topic, 2, (transaction) => transaction.abort(), 'k')
  await inTransaction(topic, 2, (transaction) => transaction.commit(), 'k')
  await inTransaction(topic, 1, (transaction) => transaction.abort(), 'k')
  // While compaction runs, the end of the log changes its form; each read has to end.
  for (let reading = 0; reading < 12; reading++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    assertChain(await readToEnd(topic))
  }
})

test('two members each end with their own partitions', async () => {
  const topic = await testTopic(4)
  await topic.produce([0, 1, 2, 3].flatMap((partition) => numbered(partition, 100)))
  const txns = new Map<number, bigint>()
  const groupId = 'two-' + topic.topic
  const readings = [read(topic, { groupId, txns }), read(topic, { groupId, txns })]
  await Promise.all(
    readings.map(async (reading) => {
      await reading.done
      await reading.source.close()
    }),
  )
  for (const partition of [0, 1, 2, 3]) {
    assert.equal(txns.get(partition), 99n)
  }
})

const COMPACTED = {
  'cleanup.policy': 'compact',
  'segment.bytes': '1048576',
  'segment.ms': '100',
  'min.cleanable.dirty.ratio': '0.0001',
  'delete.retention.ms': '0',
  'min.compaction.lag.ms': '0',
}

type Transaction = Awaited<ReturnType<Producer['transaction']>>

async function inTransaction(
  topic: TestTopic,
  count: number,
  end: (transaction: Transaction) => Promise<void>,
  key?: string,
): Promise<void> {
  const before = await endOf(topic)
  const producer = await topic.transactional()
  const transaction = await producer.transaction()
  const messages = numbered(0, count).map((message) => ({
    ...message,
    ...(key === undefined ? {} : { key }),
  }))
  await transaction.send({ topic: topic.topic, messages })
  await end(transaction)
  await producer.disconnect()
  // The broker answers before it writes the marker.
  await eventually(async () => (await endOf(topic)) === before + count + 1, 'the marker')
}

async function endOf(topic: TestTopic): Promise<number> {
  const [offsets] = await topic.admin.fetchTopicOffsets(topic.topic)
  return Number(offsets?.high)
}

function assertChain(reading: Awaited<ReturnType<typeof readToEnd>>): void {
  let follows: bigint | undefined
  for (const range of rangesOf(reading, 0)) {
    assert.equal(range.follows, follows)
    assert.ok(range.first <= range.last)
    follows = range.last
  }
}
