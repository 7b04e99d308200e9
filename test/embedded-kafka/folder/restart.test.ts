// Goal: what a client was told is there after the broker was stopped or killed and started in the same folder.
import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import kafkajs, { type Kafka } from 'kafkajs'
import { startEmbeddedKafka, type EmbeddedKafka } from '../../../src/embedded-kafka/embedded-kafka.ts'
import { Journal } from '../../../src/embedded-kafka/folder/journal.ts'
import { OpenFiles } from '../../../src/embedded-kafka/folder/open-files.ts'
import { PartitionFile } from '../../../src/embedded-kafka/folder/partition-file.ts'
import type { PartitionLog } from '../../../src/embedded-kafka/log/partition-log.ts'
import type { StoredBatch } from '../../../src/embedded-kafka/log/stored-batch.ts'
import { readAll, seenOf } from '../../kafka/records/support/read-all.ts'
import { startBrokerProcess } from '../support/broker-process.ts'

const TOPIC = 'kept'

async function temporary(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'embedded-kafka-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function clientOf(brokers: readonly string[]): Kafka {
  const retry = { initialRetryTime: 50, retries: 20 }
  return new kafkajs.Kafka({ brokers: [...brokers], retry, logLevel: kafkajs.logLevel.NOTHING })
}

/** Returns the values of a batch. */
function readBatch({ bytes }: StoredBatch): (string | undefined)[] {
  return seenOf(readAll(bytes, { isolation: 'read_uncommitted' })).map(({ value }) => value)
}

/** Returns what a client can observe of a partition. */
function observed(log: PartitionLog): object {
  const { start, end, lastStable, leaderEpoch, bytes } = log
  const values = log.read(start, end, Infinity).flatMap(readBatch)
  return { start, end, lastStable, leaderEpoch, bytes, values, aborted: log.abortedIn(0n, end) }
}

function partitionOf(kafka: EmbeddedKafka, partition: number): PartitionLog {
  const log = kafka.topics.named(TOPIC)?.partitions[partition]
  assert.ok(log)
  return log
}

async function restarted(kafka: EmbeddedKafka, folder: string): Promise<EmbeddedKafka> {
  await kafka.stop()
  return startEmbeddedKafka({ folder })
}

test('topics, records, deletions, epochs, offsets and transactions are those of before', async (context) => {
  const folder = await temporary(context)
  let kafka = await startEmbeddedKafka({ folder })
  const client = clientOf(kafka.brokers)
  const admin = client.admin()
  await admin.connect()
  const configEntries = [{ name: 'retention.ms', value: '7' }]
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 2, configEntries }, { topic: 'gone' }] })
  const producer = client.producer({ transactionalId: 'one', maxInFlightRequests: 1 })
  await producer.connect()
  const messages = ['a', 'b', 'c'].flatMap((value) => [
    { partition: 0, value },
    { partition: 1, value },
  ])
  for (const end of ['commit', 'abort', 'commit'] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: TOPIC, messages })
    const offsets = [{ topic: TOPIC, partitions: [{ partition: 1, offset: end === 'abort' ? '9' : '2' }] }]
    await transaction.sendOffsets({ consumerGroupId: 'group', topics: offsets })
    await transaction[end]()
  }
  await admin.setOffsets({ groupId: 'other', topic: TOPIC, partitions: [{ partition: 0, offset: '3' }] })
  await admin.setOffsets({ groupId: 'gone', topic: TOPIC, partitions: [{ partition: 0, offset: '3' }] })
  await admin.deleteGroups(['gone'])
  await admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 3 }] })
  await admin.deleteTopics({ topics: ['gone'] })
  const open = await producer.transaction()
  await open.send({ topic: TOPIC, messages })
  partitionOf(kafka, 0).dropBefore(5n)
  partitionOf(kafka, 1).truncate(8n)
  const before = [0, 1, 2].map((partition) => observed(partitionOf(kafka, partition)))
  const { id, configs } = kafka.topics.named(TOPIC) ?? {}
  await Promise.all([admin.disconnect(), producer.disconnect()])

  kafka = await restarted(kafka, folder)
  context.after(() => kafka.stop())
  assert.deepEqual(
    kafka.topics.all().map(({ name }) => name),
    [TOPIC],
  )
  assert.deepEqual(
    { ...kafka.topics.named(TOPIC), partitions: 3 },
    { name: TOPIC, id, configs, partitions: 3 },
  )
  assert.deepEqual(
    [0, 1, 2].map((partition) => observed(partitionOf(kafka, partition))),
    before,
  )
  const again = clientOf(kafka.brokers)
  const adminAgain = again.admin()
  await adminAgain.connect()
  const committed = async (groupId: string): Promise<(string | undefined)[]> => {
    const [found] = await adminAgain.fetchOffsets({ groupId, topics: [TOPIC] })
    return [0, 1].map((wanted) => found?.partitions.find(({ partition }) => partition === wanted)?.offset)
  }
  assert.deepEqual(
    [await committed('group'), await committed('other'), await committed('gone')],
    [
      ['-1', '2'],
      ['3', '-1'],
      ['-1', '-1'],
    ],
  )
  // The next producer of the id aborts the transaction that was open.
  const successor = again.producer({ transactionalId: 'one', maxInFlightRequests: 1 })
  await successor.connect()
  await (await successor.transaction()).abort()
  const log = partitionOf(kafka, 0)
  assert.equal(log.lastStable, log.end)
  await Promise.all([adminAgain.disconnect(), successor.disconnect()])
})

test('a killed broker has each record that it acknowledged once, in order', async (context) => {
  const folder = await temporary(context)
  let broker = await startBrokerProcess({ folder })
  context.after(() => broker.stop())
  const port = Number(broker.brokers[0]?.split(':')[1])
  const client = clientOf(broker.brokers)
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: TOPIC }] })
  await admin.disconnect()
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const sent: string[] = []
  for (let batch = 0; batch < 60; batch++) {
    const messages = Array.from({ length: 50 }, (_, index) => ({ value: `${batch}-${index}` }))
    const sending = producer.send({ topic: TOPIC, messages })
    // Killed with a request on its way, which the producer then sends again.
    if (batch % 20 === 10) {
      await broker.kill()
      broker = await startBrokerProcess({ folder, port })
    }
    await sending
    sent.push(...messages.map(({ value }) => value))
  }
  await producer.disconnect()
  await broker.kill()
  const kafka = await startEmbeddedKafka({ folder })
  const log = partitionOf(kafka, 0)
  assert.deepEqual(log.read(0n, log.end, Infinity).flatMap(readBatch), sent)
  await kafka.stop()
  broker = await startBrokerProcess({ folder })
})

test('a batch or a line that was written in part is cut off, wherever the process ended', async (context) => {
  const folder = await temporary(context)
  const kafka = await startEmbeddedKafka({ folder })
  const producer = clientOf(kafka.brokers).producer()
  const { id } = kafka.topics.create(TOPIC, 1)
  await producer.connect()
  for (const value of ['first', 'second']) await producer.send({ topic: TOPIC, messages: [{ value }] })
  await producer.disconnect()
  const last = partitionOf(kafka, 0).read(1n, 2n, Infinity)[0]?.bytes.length ?? 0
  await kafka.stop()
  const whole = await readFile(join(folder, 'topics', id, '0.log'))
  const path = join(folder, 'cut.log')
  for (let cut = 1; cut <= last; cut++) {
    await writeFile(path, whole.subarray(0, whole.length - cut))
    const found = new PartitionFile(path, new OpenFiles('never'), 'never').load()
    assert.deepEqual(found?.batches.flatMap(readBatch), ['first'])
    assert.equal((await readFile(path)).length, whole.length - last)
  }
  const files = new OpenFiles('always')
  const journal = new Journal(join(folder, 'lines'), files, 'always')
  journal.set([[['cluster'], 'first']])
  journal.set([[['cluster'], 'second']])
  files.closeAll()
  const lines = await readFile(join(folder, 'lines'))
  for (let cut = 1; cut <= lines.length / 2; cut++) {
    await writeFile(path, lines.subarray(0, lines.length - cut))
    assert.equal(new Journal(path, files, 'never').facts('cluster')[0]?.[1], 'first')
  }
  lines[3] = (lines[3] as number) ^ 1
  await writeFile(path, lines)
  assert.throws(() => new Journal(path, files, 'never'), /KD_SERVER_FAILED|another checksum/)
})

test('the journal is written anew when most of it is history', async (context) => {
  const path = join(await temporary(context), 'journal')
  const files = new OpenFiles('never')
  const journal = new Journal(path, files, 'never')
  const text = 'x'.repeat(100_000)
  for (let n = 0; n < 100; n++) journal.set([[['offset', 'group', `topic/${n % 2}`], `${n}${text}`]])
  assert.ok((await readFile(path)).length < 4 * 2 ** 20 + 200_000)
  files.closeAll()
  const facts = new Journal(path, files, 'never').facts('offset')
  assert.deepEqual(facts.map(([about, value]) => [about[1], (value as string).slice(0, 2)]).sort(), [
    ['topic/0', '98'],
    ['topic/1', '99'],
  ])
})

test('a transaction whose end was decided gets its markers at the next start', async (context) => {
  const folder = await temporary(context)
  const kafka = await startEmbeddedKafka({ folder })
  const producer = clientOf(kafka.brokers).producer({ transactionalId: 'one', maxInFlightRequests: 1 })
  kafka.topics.create(TOPIC, 2)
  await producer.connect()
  const transaction = await producer.transaction()
  const messages = [0, 1].map((partition) => ({ partition, value: 'a' }))
  await transaction.send({ topic: TOPIC, messages })
  // The first marker is written, then the process ends.
  const [journal] = (await readdir(folder)).filter((name) => name === 'journal')
  assert.ok(journal)
  const copy = join(folder, 'copy')
  await mkdir(copy)
  await copyFile(join(folder, journal), join(copy, journal))
  const files = new OpenFiles('never')
  const ledger = new Journal(join(copy, journal), files, 'never')
  const [[about, fact] = [[], {}]] = ledger.facts('transaction')
  ledger.set([[['transaction', ...about], { ...(fact as object), ending: 'commit' }]])
  files.closeAll()
  await producer.disconnect()
  await kafka.stop()
  await copyFile(join(copy, journal), join(folder, journal))
  await rm(copy, { recursive: true })
  for (let start = 0; start < 2; start++) {
    const next = await startEmbeddedKafka({ folder })
    for (const partition of [0, 1]) {
      const { end, lastStable } = partitionOf(next, partition)
      assert.deepEqual([end, lastStable], [2n, 2n])
    }
    await next.stop()
  }
})

test('two brokers do not share a folder', async (context) => {
  const folder = await temporary(context)
  const kafka = await startEmbeddedKafka({ folder })
  await assert.rejects(startEmbeddedKafka({ folder }), /another embedded broker/)
  await kafka.stop()
  await (await startEmbeddedKafka({ folder })).stop()
})
