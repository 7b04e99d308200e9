// Goal: clients that we did not write read every record with its key, value, headers and timestamp.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { CODEC_NAMES } from '../../../src/compression/compression.ts'
import { registerCodecs } from '../../../src/kafka/client/codecs.ts'
import type { OutgoingRecord } from '../../../src/kafka/produce/record-batch.ts'
import { openSender } from '../../../src/kafka/produce/sender.ts'
import { hasPython, pythonLines, pythonWithProducers } from '../../e2e/support/python.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { testTopic } from '../topic.ts'

const python = (await hasPython()) ? await pythonWithProducers() : undefined

/** Prints each record as a line of JSON. */
const READER = `
import json, sys
from confluent_kafka import Consumer, TopicPartition
brokers, topic, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer({"bootstrap.servers": brokers, "group.id": topic, "auto.offset.reset": "earliest",
                     "enable.partition.eof": True, "check.crcs": True})
consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
ended = set()
text = lambda b: None if b is None else b.decode("latin-1")
while len(ended) < partitions:
    for m in consumer.consume(1000, 1):
        if m.error() is not None:
            if m.error().name() != "_PARTITION_EOF": raise Exception(m.error())
            ended.add(m.partition())
        else:
            headers = [[n, text(v)] for n, v in m.headers() or []]
            print(json.dumps([m.partition(), m.offset(), text(m.key()), text(m.value()), headers, m.timestamp()]))
`

type Read = readonly [
  partition: number,
  offset: number,
  key: string | null,
  value: string | null,
  headers: readonly (readonly [string, string])[],
  timestamp: readonly [type: number, ms: number],
]

const RECORDS: readonly OutgoingRecord[] = Array.from({ length: 3_001 }, (_, index) => ({
  key: index % 7 === 0 ? null : `key-${index}`,
  value: index % 11 === 0 ? null : index % 13 === 0 ? 'Grüße '.repeat(index) : `value ${index}`,
  ...(index % 5 === 0 ? { headers: { traceparent: `00-${index}`, other: '' } } : {}),
}))

const latin1 = (content: OutgoingRecord['key']): string | null =>
  content === null ? null : Buffer.from(content as string).toString('latin1')

for (const codec of ['none', ...CODEC_NAMES] as const)
  test(`Records sent with compression ${codec} arrive as they were sent`, async () => {
    const { brokers, topic } = await testTopic(3)
    const client = { brokers, clientId: 'test', topic }
    const sender = await openSender({
      ...client,
      ...(codec === 'none' ? {} : { compression: codec }),
    })
    const sinceMs = Date.now()
    for (const [index, record] of RECORDS.entries()) {
      sender.append(record)
      if (index % 1_000 === 999) await sender.flush()
    }
    await sender.flush()
    const untilMs = Date.now()
    await sender.close()
    const reads = [await readByKafkaJs(brokers, topic)]
    if (python !== undefined) {
      const lines = await pythonLines(python, ['-c', READER, brokers.join(), topic, '3'])
      reads.push(lines.map((line) => JSON.parse(line) as Read))
    }
    for (const read of reads) {
      assert.equal(read.length, RECORDS.length)
      const sorted = [...read].sort((a, b) => a[1] * 3 + a[0] - b[1] * 3 - b[0])
      for (const [index, [partition, offset, key, value, headers, [, ms]]] of sorted.entries()) {
        const { key: sentKey, value: sentValue, headers: sentHeaders = {} } = RECORDS[index] ?? assert.fail()
        assert.deepEqual([partition, offset], [index % 3, Math.floor(index / 3)])
        assert.deepEqual([key, value], [latin1(sentKey), latin1(sentValue as string | null)])
        assert.deepEqual(headers, Object.entries(sentHeaders))
        assert.ok(ms >= sinceMs && ms <= untilMs, `${ms} is between ${sinceMs} and ${untilMs}`)
      }
    }
  })

async function readByKafkaJs(brokers: string[], topic: string): Promise<readonly Read[]> {
  registerCodecs(kafkajs.CompressionCodecs)
  const kafka = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: nameForTests('group') })
  const read: Read[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const text = (bytes: unknown): string | null =>
      bytes == null ? null : (bytes as Buffer).toString('latin1')
    consumer
      .run({
        eachMessage: ({ partition, message: { offset, key, value, headers, timestamp } }) => {
          const names = Object.entries(headers ?? {}).map(([name, each]) => [name, text(each) ?? ''] as const)
          read.push([partition, Number(offset), text(key), text(value), names, [0, Number(timestamp)]])
          if (read.length === RECORDS.length) resolve()
          return Promise.resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return read
}

test('A record larger than the topic allows is refused with advice, a missing topic by its code', async () => {
  const { brokers, topic } = await testTopic(1, { 'max.message.bytes': '1000' })
  const sender = await openSender({ brokers, clientId: 'test', topic })
  sender.append({ key: null, value: 'x'.repeat(5_000) })
  await assert.rejects(sender.flush(), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'KD_KAFKA_REFUSED')
    assert.match(error.message, /MESSAGE_TOO_LARGE.*max\.message\.bytes/)
    return true
  })
  await sender.close()
  const missing = openSender({
    brokers: await kafkaForTests(),
    clientId: 'test',
    topic: nameForTests('none'),
  })
  await assert.rejects(missing, { code: 'KD_TOPIC_MISSING' })
})

test('Batches are full before they are sent, and order is kept over many flushes in flight', async () => {
  const { brokers, topic } = await testTopic(1)
  const sender = await openSender({ brokers, clientId: 'test', topic })
  const flushes: Promise<void>[] = []
  for (let index = 0; index < 20_000; index++) {
    sender.append({ key: null, value: `${index} ${'x'.repeat(100)}` })
    if (index % 500 === 499) flushes.push(sender.flush())
  }
  await Promise.all(flushes)
  await sender.close()
  if (python === undefined) return
  const lines = await pythonLines(python, ['-c', READER, brokers.join(), topic, '1'])
  const found = lines.map((line) => Number.parseInt((JSON.parse(line) as Read)[3] ?? ''))
  assert.deepEqual(
    found,
    Array.from({ length: 20_000 }, (_, index) => index),
  )
})
