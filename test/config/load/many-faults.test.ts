import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { messageOf } from '../../../src/core/errors.ts'

test('A configuration with ten different faults reports all ten at once', () => {
  const load = (): unknown =>
    loadConfig({
      object: {
        kafka: { brokers: ['no-port'], sasl: { mechanism: 'plain', username: 'u' } },
        storage: { s3: { endpoint: 'minio:9000' } },
        htpp: { port: 1 },
        topics: {
          a: {
            contract: '/nowhere/c.json',
            creditBytes: 10,
            flush: { count: 'many', bytes: 6 },
            table: { uri: 's3://lake/a', partitionColumns: ['d', 'd'] },
          },
          b: { table: {} },
        },
      },
      env: { LOG_LEVEL: 'loud' },
    })
  let message = ''
  try {
    load()
  } catch (error) {
    message = messageOf(error)
  }
  const keys = message
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/: .*/, ''))
  assert.deepEqual(keys.sort(), [
    'htpp',
    'kafka.brokers',
    'kafka.sasl.password',
    'log.level',
    'storage.s3.endpoint',
    'topics.a.contract',
    'topics.a.creditBytes',
    'topics.a.flush.count',
    'topics.a.table.partitionColumns',
    'topics.b.table.uri',
  ])
})
