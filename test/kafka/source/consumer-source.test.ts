// A source with a real broker: how it starts, emits, waits, stops, resets and fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Credit } from '../../../src/core/credit/credit.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { createTopic, readGroupOffsets } from '../../../src/kafka/client/admin.ts'
import { openEndOffsets } from '../../../src/kafka/source/watermarks.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { eventually, rangesOf, read, readToEnd } from '../reading.ts'
import { numbered, testTopic } from '../topic.ts'

const brokers = await kafkaForTests()

test('a topic without offsets in the table is read from its start, every partition in order', async () => {
  const topic = await testTopic(3)
  await topic.produce([...numbered(0, 500), ...numbered(1, 300)])
  const reading = await readToEnd(topic)
  assert.deepEqual(
    reading.values(0),
    numbered(0, 500).map((one) => one.value),
  )
  assert.deepEqual(
    reading.values(1),
    numbered(1, 300).map((one) => one.value),
  )
  assert.deepEqual(rangesOf(reading, 2), [])
  assert.equal(reading.events[0]?.kind, 'brokers-answer')
})

test('reading continues after the offset in the table', async () => {
  const topic = await testTopic(2)
  await topic.produce([...numbered(0, 100), ...numbered(1, 100)])
  const reading = await readToEnd(topic, { txns: new Map([[0, 89n]]) })
  assert.deepEqual(
    reading.values(0),
    numbered(0, 10, 90).map((one) => one.value),
  )
  assert.equal(rangesOf(reading, 0)[0]?.follows, 89n)
  assert.equal(rangesOf(reading, 1)[0]?.follows, undefined)
  assert.equal(reading.values(1).length, 100)
})

test('records inside a compressed batch before the resumed offset are dropped', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 100), kafkajs.CompressionTypes.GZIP)
  const reading = await readToEnd(topic, { txns: new Map([[0, 41n]]) })
  assert.deepEqual(
    reading.values(0),
    numbered(0, 58, 42).map((one) => one.value),
  )
})

test('ranges of many fetches form a chain without a gap', async () => {
  const topic = await testTopic(1)
  for (let i = 0; i < 10; i++) await topic.produce(numbered(0, 50, i * 50))
  const reading = await readToEnd(topic, { partitionBytesMax: 2_000 })
  const ranges = rangesOf(reading, 0)
  assert.ok(ranges.length > 2, `one fetch took all: ${ranges.length}`)
  for (const [i, range] of ranges.entries())
    assert.equal(range.follows, i === 0 ? undefined : ranges[i - 1]?.last)
  assert.equal(ranges.at(-1)?.last, 499n)
  assert.equal(reading.values(0).length, 500)
})

test('keys, headers, timestamps and tombstones are kept, traceparents with tracing on', async () => {
  const topic = await testTopic(1)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await topic.produce([
    {
      partition: 0,
      key: 'a',
      value: 'x',
      timestamp: '1700000000123',
      headers: { traceparent, many: ['1', '2'] },
    },
    { partition: 0, key: null, value: null, timestamp: '1700000000124' },
  ])
  const reading = await readToEnd(topic, { tracing: true })
  const [batch] = reading.batches
  assert.ok(batch)
  assert.deepEqual([...batch.payload.timestampsMs], [1700000000123, 1700000000124])
  const { keys, keyStart, keyEnd } = batch.payload
  assert.equal(Buffer.from(keys.subarray(keyStart[0], keyEnd[0])).toString(), 'a')
  assert.equal(keyStart[1], -1)
  assert.equal(batch.payload.valueStart[1], -1)
  assert.deepEqual(batch.payload.headers?.[0]?.['many'], [Buffer.from('1'), Buffer.from('2')])
  assert.equal(batch.payload.headers[1], undefined)
  assert.deepEqual(batch.provenance.traceparents, [traceparent])
})

test('a start at the latest offset reads only new records, and commits its start', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 10))
  const reading = read(topic, { startFrom: 'latest', until: 'stopped' })
  await eventually(() => reading.batches.length === 1, 'the pin')
  await topic.produce(numbered(0, 5, 10))
  await eventually(() => reading.values(0).length === 5, 'the records after the start')
  await reading.source.close()
  await reading.done
  const [pin, next] = rangesOf(reading, 0)
  assert.deepEqual([pin?.records, pin?.follows, pin?.last], [0, undefined, 9n])
  assert.equal(next?.follows, 9n)
})

test('a wait for credit longer than the session keeps the membership, and ends when credit is given back', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 50))
  const reading = read(topic, {
    credit: new Credit(100),
    hold: true,
    partitionBytesMax: 300,
    sessionTimeoutMs: 6_000,
    heartbeatMs: 500,
    until: 'stopped',
  })
  await topic.produce(numbered(0, 50, 50))
  await eventually(() => reading.credit.waiting === 1, 'a wait')
  await sleep(8_000)
  assert.equal(reading.credit.waiting, 1)
  assert.equal(reading.events.filter((event) => event.kind === 'assigned').length, 1)
  for (let seen = 0; seen < reading.batches.length || reading.values(0).length < 100; seen++) {
    await eventually(() => reading.batches.length > seen, 'the next batch')
    reading.credit.give(reading.batches[seen]?.provenance.bytes ?? 0)
  }
  assert.equal(reading.values(0).length, 100)
  assert.equal(reading.events.filter((event) => event.kind === 'assigned').length, 1)
  await reading.source.close()
})

test('stopping while it waits for credit completes immediately, and the last offsets still reach the group', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 50))
  const groupId = nameForTests('group')
  const reading = read(topic, {
    groupId,
    credit: new Credit(100),
    hold: true,
    partitionBytesMax: 300,
    until: 'stopped',
  })
  await topic.produce(numbered(0, 50, 50))
  await eventually(() => reading.credit.waiting === 1, 'a wait')
  const startedMs = performance.now()
  reading.source.stop()
  await reading.done
  assert.ok(performance.now() - startedMs < 1_000)
  assert.equal(reading.credit.waiting, 0)
  const [range] = rangesOf(reading, 0)
  assert.ok(range)
  await reading.source.commitOffsets([range])
  await reading.source.close()
  const offsets = await readGroupOffsets({ brokers, clientId: 'test' }, groupId, topic.topic)
  assert.equal(offsets.get(0), range.last + 1n)
})

test('a reset discards what was read and continues from the offsets in the table', async () => {
  const topic = await testTopic(2)
  await topic.produce([...numbered(0, 100), ...numbered(1, 100)])
  const txns = new Map([[0, 49n]])
  const reading = read(topic, { txns, hold: true, until: 'stopped' })
  await eventually(
    () => reading.values(0).length === 50 && reading.values(1).length === 100,
    'both partitions',
  )
  await reading.source.reset([0, 7])
  await eventually(() => reading.values(0).length === 100, 'the second reading')
  const again = rangesOf(reading, 0).filter(({ first }) => first === 50n)
  assert.deepEqual(
    again.map(({ follows }) => follows),
    [49n, 49n],
  )
  assert.equal(reading.values(1).length, 100)
  await reading.source.close()
})

test('a group offset is corrected from the table on assignment', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 10))
  const groupId = nameForTests('group')
  await readToEnd(topic, { groupId, txns: new Map([[0, 9n]]) })
  const offsets = await readGroupOffsets({ brokers, clientId: 'test' }, groupId, topic.topic)
  assert.equal(offsets.get(0), 10n)
})

test('offsets that cannot be copied are reported, never thrown', async () => {
  const topic = await testTopic(1)
  const reading = read(topic, { until: 'stopped' })
  await eventually(() => reading.events.some((event) => event.kind === 'positioned'), 'a position')
  // One more than a message of the protocol can carry.
  await reading.source.commitOffsets([
    { topic: topic.topic, partition: 0, follows: undefined, first: 0n, last: 2n ** 63n - 1n },
  ])
  assert.ok(reading.events.some((event) => event.kind === 'offsets-failed'))
  await reading.source.close()
})

test('status has position and end of every assigned partition', async () => {
  const topic = await testTopic(2)
  await topic.produce(numbered(1, 20))
  const reading = await readToEnd(topic)
  assert.deepEqual(
    reading.source.status().map(({ partition, next, end }) => [partition, next, end]),
    [
      [0, 0n, 0n],
      [1, 20n, 20n],
    ],
  )
})

test('the end of a topic is known while nobody reads it, without an open transaction; the source knows its assignment', async () => {
  const topic = await testTopic(2)
  await topic.produce(numbered(1, 20))
  const producer = await topic.transactional()
  const transaction = await producer.transaction()
  await transaction.send({ topic: topic.topic, messages: [{ partition: 1, value: 'open' }] })
  const ends = openEndOffsets(
    { brokers, clientId: 'test' },
    { topics: () => [topic.topic], isolation: 'read_committed' },
  )
  await eventually(() => ends.of(topic.topic).get(1) === 20n, 'the end')
  assert.deepEqual(
    [...ends.of(topic.topic)].sort(([a], [b]) => a - b),
    [
      [0, 0n],
      [1, 20n],
    ],
  )
  await ends.close()
  await transaction.abort()
  await producer.disconnect()
  const reading = read(topic, { until: 'stopped' })
  assert.equal(reading.source.assignment?.(), undefined)
  await eventually(() => reading.source.status().length === 2, 'both partitions')
  await reading.source.close()
  assert.deepEqual(reading.source.assignment?.(), [0, 1])
})

test('a log that starts after the expected offset is an error', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 100))
  await topic.deleteBefore(0, 50n)
  await assert.rejects(readToEnd(topic, { txns: new Map([[0, 9n]]) }), (error: unknown) => {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_OFFSETS_VANISHED')
    assert.deepEqual(
      [
        error.context['topic'],
        error.context['partition'],
        error.context['expected'],
        error.context['logStart'],
      ],
      [topic.topic, 0, 10n, 50n],
    )
    return true
  })
  const atTheEdge = await readToEnd(topic, { txns: new Map([[0, 49n]]) })
  assert.equal(atTheEdge.values(0).length, 50)
})

test('a log that ends before the expected offset is an error', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 5))
  await assert.rejects(readToEnd(topic, { txns: new Map([[0, 5n]]) }), { code: 'KD_OFFSETS_VANISHED' })
})

test('records deleted ahead of a running consumer are an error instead of being skipped', async () => {
  const topic = await testTopic(1)
  await topic.produce(numbered(0, 10))
  const reading = read(topic, {
    credit: new Credit(50),
    hold: true,
    until: 'stopped',
    partitionBytesMax: 100,
  })
  for (let i = 1; i < 10; i++) await topic.produce(numbered(0, 10, i * 10))
  await eventually(() => reading.credit.waiting === 1, 'a wait')
  await topic.deleteBefore(0, 90n)
  // Gives the waiting batch its credit: the next fetch finds its offset deleted.
  reading.credit.give(reading.credit.taken)
  await eventually(() => reading.credit.taken > 0 && reading.credit.waiting === 0, 'the next batch')
  reading.credit.give(reading.credit.taken)
  await assert.rejects(reading.done, { code: 'KD_OFFSETS_VANISHED' })
  assert.equal(
    reading.values(0).some((value) => value.includes('90')),
    false,
  )
  await reading.source.close()
})

test('a topic that does not exist is an error that names it', async () => {
  const topic = { ...(await testTopic(1)), topic: nameForTests('missing') }
  await assert.rejects(readToEnd(topic), { code: 'KD_TOPIC_MISSING' })
})

test('a topic name that no broker takes is a refusal at once, not an outage', async () => {
  const topic = { ...(await testTopic(1)), topic: 'a b/c' }
  await assert.rejects(readToEnd(topic), { code: 'KD_KAFKA_REFUSED', message: /got "a b\/c"/ })
  const options = { brokers: topic.brokers, clientId: 'test' }
  const creating = createTopic(options, topic.topic, { partitions: 1 })
  await assert.rejects(creating, { code: 'KD_KAFKA_REFUSED', retryable: false, message: /got "a b\/c"/ })
  const odd = createTopic(options, nameForTests('odd'), { partitions: 1, config: { 'retention.ms': 'x' } })
  await assert.rejects(odd, { code: 'KD_KAFKA_REFUSED', message: /INVALID_CONFIG/ })
})

test('brokers that do not answer are an error after the configured time', async () => {
  const topic = { ...(await testTopic(1)), brokers: ['127.0.0.1:1'] }
  const reading = read(topic, { reachTimeoutMs: 4_000 })
  await assert.rejects(reading.done, { code: 'KD_KAFKA_UNREACHABLE' })
  await reading.source.close()
  assert.deepEqual(
    reading.events.map(({ kind }) => kind),
    ['brokers-silent'],
  )
})

test('closing while brokers do not answer does not wait for the timeout', async () => {
  const topic = { ...(await testTopic(1)), brokers: ['127.0.0.1:1'] }
  const reading = read(topic, { reachTimeoutMs: 600_000 })
  await reading.source.close()
  await reading.done
})

test('a table that cannot be read ends the source with its error', async () => {
  const topic = await testTopic(1)
  const error = new PipelineError('KD_STORE_UNAVAILABLE', 'for a test')
  await assert.rejects(readToEnd(topic, { resume: () => Promise.reject(error) }), error)
})

test('a source stopped before its start completes immediately', async () => {
  const topic = await testTopic(1)
  const reading = read(topic, { until: 'stopped' })
  reading.source.stop()
  await reading.done
  await reading.source.close()
  assert.equal(reading.batches.length, 0)
})
