import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerConnection } from '../../../src/kafka/wire/broker.ts'
import { findCoordinator } from '../../../src/kafka/wire/find-coordinator.ts'

function brokerWith(version: number, response: object, asked: unknown[] = []): BrokerConnection {
  return {
    ...{ nodeId: 1, isOpen: true },
    versionOf: () => version,
    request: (_api, body) => {
      asked.push(body)
      return Promise.resolve({ throttleTimeMs: 0, coordinators: [], ...response } as never)
    },
    close: () => Promise.resolve(),
  }
}

const NODE = { nodeId: 4, host: 'kafka-4', port: 9092 }

test('Both forms of the request return the coordinator', async () => {
  const asked: unknown[] = []
  assert.deepEqual(await findCoordinator(brokerWith(3, { errorCode: 0, ...NODE }, asked), 'g', 1_000), NODE)
  const coordinators = [{ key: 'g', errorCode: 0, errorMessage: null, ...NODE }]
  assert.deepEqual(await findCoordinator(brokerWith(6, { coordinators }, asked), 'g', 1_000), NODE)
  assert.deepEqual(asked, [{ key: 'g' }, { keyType: 0, coordinatorKeys: ['g'] }])
})

test('A transient error is retryable, a refusal is named, and an empty response means no coordinator', async () => {
  const refused: readonly (readonly [object, object])[] = [
    [
      { errorCode: 15 },
      { code: 'KD_KAFKA_UNREACHABLE', retryable: true, message: /COORDINATOR_NOT_AVAILABLE/ },
    ],
    [{ errorCode: 14 }, { code: 'KD_KAFKA_UNREACHABLE', retryable: true }],
    [{ errorCode: 30 }, { code: 'KD_KAFKA_FORBIDDEN', message: /Describe and Read group "g"/ }],
    [{ errorCode: 24 }, { code: 'KD_KAFKA_REFUSED', retryable: false, message: /INVALID_GROUP_ID/ }],
  ]
  for (const [response, error] of refused) {
    await assert.rejects(findCoordinator(brokerWith(3, response), 'g', 1_000), error)
  }
  await assert.rejects(findCoordinator(brokerWith(6, {}), 'g', 1_000), { code: 'KD_KAFKA_UNREACHABLE' })
})
