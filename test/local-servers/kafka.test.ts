import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'

test('A halted and resumed broker still has its topics, and its folder is deleted after stop', async () => {
  const server = await startKafka({ config: { 'num.partitions': '3' } })
  try {
    await createTopic({ brokers: server.brokers, clientId: 'test' }, 'kept', { partitions: 3 })
    await server.halt('SIGTERM')
    await server.resume()
    assert.equal(await partitionsOf(server.brokers, 'kept'), 3)
    assert.match(await readFile(server.logPath, 'utf8'), /Kafka Server started/)
  } finally {
    await server.stop()
  }
  assert.equal(existsSync(server.dir), false)
})

test('A broker that cannot start is an error with the last lines of its log', async () => {
  await assert.rejects(startKafka({ config: { 'log.segment.bytes': '1' } }), {
    code: 'KD_SERVER_FAILED',
    message: /log\.segment\.bytes/,
  })
})

async function partitionsOf(brokers: string[], topic: string): Promise<number | undefined> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return topics[0]?.partitions.length
}
