import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicMetadata } from '../../../src/kafka/wire/cluster.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../../src/kafka/wire/error-codes.ts'
import { listPartitions } from '../../../src/kafka/wire/list-partitions.ts'
import { NO_UUID } from '../../../src/kafka/wire/schema.ts'

const ID = '0123456789abcdef0123456789abcdef'

function asked(error: BrokerErrorName, partitions: readonly number[], name = 'orders'): Promise<unknown> {
  const place = {
    errorCode: 0,
    leaderId: 1,
    leaderEpoch: 0,
    replicaNodes: [],
    isrNodes: [],
    offlineReplicas: [],
  }
  const topic: TopicMetadata = {
    name,
    topicId: error === 'NONE' ? ID : NO_UUID,
    errorCode: BROKER_ERRORS[error].code,
    isInternal: false,
    partitions: partitions.map((partitionIndex) => ({ partitionIndex, ...place })),
  }
  const topics = new Map([[name, topic]])
  const metadata = (): Promise<object> => Promise.resolve({ clusterId: null, brokers: [], topics })
  return listPartitions({ metadata } as never, name, 'Read')
}

test('The partitions of a topic come with its id', async () => {
  assert.deepEqual(await asked('NONE', [0, 1]), { topicId: ID, partitions: [0, 1] })
})

test('A topic is missing, forbidden or refused, each with its own error', async () => {
  await assert.rejects(asked('UNKNOWN_TOPIC_OR_PARTITION', []), { code: 'KD_TOPIC_MISSING' })
  await assert.rejects(asked('NONE', []), { code: 'KD_TOPIC_MISSING' })
  await assert.rejects(asked('TOPIC_AUTHORIZATION_FAILED', []), {
    code: 'KD_KAFKA_FORBIDDEN',
    message: /Read/,
  })
  await assert.rejects(asked('CLUSTER_AUTHORIZATION_FAILED', []), { code: 'KD_KAFKA_FORBIDDEN' })
  for (const name of ['a b/c', 'x'.repeat(250), '..', 'größe'])
    await assert.rejects(asked('INVALID_TOPIC_EXCEPTION', [], name), {
      code: 'KD_KAFKA_REFUSED',
      retryable: false,
      message: /1 to 249 letters/,
    })
  await assert.rejects(asked('INVALID_REQUEST', []), { code: 'KD_KAFKA_REFUSED', message: /INVALID_REQUEST/ })
})

test('A topic that is being created is not missing: the error says so and a retry may help', async () => {
  await assert.rejects(asked('LEADER_NOT_AVAILABLE', []), {
    code: 'KD_SOURCE_FAILED',
    retryable: true,
    message: /LEADER_NOT_AVAILABLE; the topic is being created/,
  })
  await assert.rejects(asked('UNKNOWN_SERVER_ERROR', []), { code: 'KD_SOURCE_FAILED', retryable: true })
  assert.deepEqual(await asked('LEADER_NOT_AVAILABLE', [0]), { topicId: NO_UUID, partitions: [0] })
})
