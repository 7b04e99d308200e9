// Goal: a byte that changed on a broker's disk stops the topic with an error that says where, and never becomes a row.
// Method: a real broker is stopped, one byte of a stored batch is changed in its segment file, and it is started again.
import assert from 'node:assert/strict'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import kafkajs from 'kafkajs'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { carryAll } from './support/runs.ts'
import { offsetsOfTable } from './support/table.ts'

const BATCHES = 8
const RECORDS_PER_BATCH = 5
/** The batch with the changed byte; the offset is that of its first record. */
const CHANGED_BATCH = 5
const CHANGED_OFFSET = CHANGED_BATCH * RECORDS_PER_BATCH
const PARTITION = 1

/** Bytes of a batch: spec "Record Batch". */
const PLACES = {
  // No checksum covers the offset, but the batch after it contradicts it.
  'base offset': 6,
  length: 10,
  'producer id': 45,
  'a value': 75,
}

interface Case {
  readonly name: string
  readonly topic: string
  readonly at: number
  readonly compression: kafkajs.CompressionTypes
}

const cases: readonly Case[] = [
  ...Object.entries(PLACES).map(([name, at], index) => ({
    name,
    topic: `flipped-${index}`,
    at,
    compression: kafkajs.CompressionTypes.None,
  })),
  { name: 'compressed records', topic: 'flipped-gzip', at: 80, compression: kafkajs.CompressionTypes.GZIP },
]

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-flipped-'))
const kafka = await startKafka()
after(async () => {
  await kafka.stop()
  await rm(folder, { recursive: true, force: true })
})

before(async () => {
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  for (const { topic, compression } of cases) {
    await createTopic({ brokers: kafka.brokers, clientId: 'test' }, topic, { partitions: 2 })
    for (let batch = 0; batch < BATCHES; batch++) {
      const messages = Array.from({ length: RECORDS_PER_BATCH }, (_, index) => ({
        partition: PARTITION,
        value: `${batch}-${index} ${'x'.repeat(100)}`,
      }))
      await producer.send({ topic, messages, compression })
    }
  }
  await producer.disconnect()
  // After a clean end the broker does not check its segments when it starts.
  await kafka.halt('SIGTERM')
  for (const { topic, at } of cases) await flip(topic, at)
  await kafka.resume()
})

describe('A changed byte of a stored batch stops the topic at this batch', () => {
  for (const { name, topic } of cases)
    it(name, async () => {
      const uri = join(folder, topic)
      const run = {
        brokers: kafka.brokers,
        topic,
        uri,
        groupId: topic,
        isStatic: false,
        isolation: 'read_committed',
        fetchBytes: 1_048_576,
        flushCount: 1_000,
      } as const
      const context = { topic, partition: PARTITION, offset: BigInt(CHANGED_OFFSET) }
      await assert.rejects(carryAll(run), { code: 'KD_RECORDS_CORRUPT', context })
      // The records before it are rows, once, also after another start.
      await assert.rejects(carryAll(run), { code: 'KD_RECORDS_CORRUPT', context })
      assert.deepEqual(
        await offsetsOfTable(uri, PARTITION),
        Array.from({ length: CHANGED_OFFSET }, (_, offset) => offset),
      )
    })
})

/** Changes one bit of the byte at a place of the batch. */
async function flip(topic: string, at: number): Promise<void> {
  const path = join(kafka.dir, 'data', `${topic}-${PARTITION}`, '00000000000000000000.log')
  const file = await open(path, 'r+')
  try {
    const bytes = await file.readFile()
    let start = 0
    for (let batch = 0; batch < CHANGED_BATCH; batch++) start += 12 + bytes.readInt32BE(start + 8)
    assert.equal(bytes.readBigInt64BE(start), BigInt(CHANGED_OFFSET))
    await file.write(Buffer.from([bytes.readUInt8(start + at) ^ 0x04]), 0, 1, start + at)
  } finally {
    await file.close()
  }
}
