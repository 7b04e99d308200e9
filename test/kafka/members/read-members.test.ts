import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import kafkajs from 'kafkajs'
import { startEmbeddedKafka } from '../../../src/embedded-kafka/embedded-kafka.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { readGroupMembers } from '../../../src/kafka/members/read-members.ts'

const kafka = await startEmbeddedKafka()
after(() => kafka.stop())
const options = { brokers: kafka.brokers, clientId: 'test', reachTimeoutMs: 5_000 }

test('Members of a classic group have their topics, partitions and address', async () => {
  for (const topic of ['orders', 'users']) await createTopic(options, topic, { partitions: 3 })
  const client = new kafkajs.Kafka({
    ...{ brokers: [...kafka.brokers], clientId: 'reader', logLevel: kafkajs.logLevel.NOTHING },
  })
  const consumer = client.consumer({ groupId: 'carriers' })
  const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve))
  await consumer.connect()
  await consumer.subscribe({ topics: ['orders', 'users'] })
  await consumer.run({ eachMessage: () => Promise.resolve() })
  await joined
  try {
    const [member, ...others] = await readGroupMembers(options, 'carriers', 'classic')
    assert.equal(others.length, 0)
    assert.deepEqual([member?.clientId, member?.host], ['reader', '127.0.0.1'])
    assert.deepEqual([...(member?.topics ?? [])].sort(), ['orders', 'users'])
    assert.deepEqual(
      [member?.partitions.get('orders'), member?.partitions.get('users')],
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
    )
    // A group of the other protocol is none of this one.
    assert.deepEqual(await readGroupMembers(options, 'carriers', 'consumer'), [])
  } finally {
    await consumer.disconnect()
  }
})

test('A group that does not exist has no members, and without a broker there is an error', async () => {
  assert.deepEqual(await readGroupMembers(options, 'nobody', 'classic'), [])
  assert.deepEqual(await readGroupMembers(options, 'nobody', 'consumer'), [])
  const nowhere = { brokers: ['127.0.0.1:1'], clientId: 'test', reachTimeoutMs: 200 }
  await assert.rejects(readGroupMembers(nowhere, 'carriers', 'classic'), { code: 'KD_KAFKA_UNREACHABLE' })
})
