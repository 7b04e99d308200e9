import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { needsCircuit } from '../../../src/service/health/server-outage.ts'

test('A topic needs the brokers, the stores of its tables, the DynamoDB table of the log store, and the schema registry if its values are or may be framed for it', () => {
  const { topics, storage } = loadConfig({
    object: {
      storage: { s3: { logStore: 'dynamodb' }, dynamodb: { table: 'log' } },
      schemaRegistry: { url: 'http://registry:8081' },
      topics: {
        plain: { table: { uri: 's3a://lake/plain' } },
        framed: {
          format: 'avro',
          framing: 'registry',
          table: { uri: 'abfss://lake@account.dfs.core.windows.net/framed' },
          deadLetters: { to: 'table', table: 's3://letters/framed' },
        },
        detected: { formats: ['avro', 'text'], table: { uri: '/data/detected' } },
        lines: { formats: ['csv', 'text'], table: { uri: '/data/lines' } },
        local: { table: { uri: '/data/local' } },
      },
    },
  })
  const needed = (name: string): string[] =>
    [
      ['kafka', 'kafka:9092'],
      ['store', 's3://lake'],
      ['store', 's3://letters'],
      ['store', 'abfss://lake@account.dfs.core.windows.net'],
      ['store', 'file:///data/local'],
      ['store', 'dynamodb://log'],
      ['registry', 'http://registry:8081'],
    ].flatMap(([kind, server = '']) => {
      const topic = topics[name]
      assert.ok(topic, name)
      return needsCircuit(topic, { kind: kind as 'store', name: server }, storage) ? [server] : []
    })
  assert.deepEqual(needed('plain'), ['kafka:9092', 's3://lake', 'dynamodb://log'])
  assert.deepEqual(needed('framed'), [
    'kafka:9092',
    's3://letters',
    'abfss://lake@account.dfs.core.windows.net',
    'dynamodb://log',
    'http://registry:8081',
  ])
  assert.deepEqual(needed('detected'), ['kafka:9092', 'http://registry:8081'])
  assert.deepEqual(needed('lines'), ['kafka:9092'])
  assert.deepEqual(needed('local'), ['kafka:9092', 'file:///data/local'])
})

/** A server, and the options by which a topic needs it or does not need it although another option names it. */
const DEPENDENCIES: readonly [
  kind: 'kafka' | 'store' | 'registry',
  server: string,
  topic: object,
  isNeeded: boolean,
][] = [
  ['kafka', 'kafka:9092', {}, true],
  ['store', 's3://lake', {}, true],
  ['store', 's3://lake/orders', {}, true],
  ['store', 's3://lake/other', {}, false],
  ['store', 's3://other', {}, false],
  ['store', 'dynamodb://log', {}, true],
  ['store', 'dynamodb://log', { table: { uri: '/data/orders' } }, false],
  ['store', 'file:///data/orders', { table: { uri: '/data/orders' } }, true],
  ['store', 's3://letters', { deadLetters: { table: 's3://letters/orders' } }, true],
  ['store', 's3://letters/orders', { deadLetters: { table: 's3://letters/orders' } }, true],
  ['store', 's3://letters', { deadLetters: { to: 'both', table: 's3://letters/orders' } }, true],
  ['store', 's3://letters', { deadLetters: { to: 'topic', table: 's3://letters/orders' } }, false],
  ['store', 's3://letters', { deadLetters: { mode: 'skip', table: 's3://letters/orders' } }, false],
  ['store', 's3://letters', { deadLetters: { mode: 'stop', table: 's3://letters/orders' } }, false],
  [
    'store',
    's3://ledger',
    { deadLetters: { table: 's3://lake/letters', replayLedger: 's3://ledger/orders' } },
    false,
  ],
  ['registry', 'http://registry:8081', {}, false],
  ['registry', 'http://registry:8081', { format: 'avro', framing: 'registry' }, true],
  ['registry', 'http://registry:8081', { format: 'protobuf', framing: 'registry' }, true],
  ['registry', 'http://registry:8081', { format: 'json', framing: 'registry' }, true],
  ['registry', 'http://registry:8081', { formats: ['avro', 'text'] }, true],
  ['registry', 'http://registry:8081', { formats: ['protobuf', 'text'] }, true],
  ['registry', 'http://registry:8081', { formats: ['csv', 'json'] }, true],
  ['registry', 'http://registry:8081', { formats: ['csv', 'jsonl'] }, true],
  ['registry', 'http://registry:8081', { formats: ['csv', 'text'] }, false],
]

for (const [kind, name, options, isNeeded] of DEPENDENCIES) {
  test(`A topic with ${JSON.stringify(options)} ${isNeeded ? 'waits' : 'does not wait'} for ${name}`, () => {
    const { topics, storage } = loadConfig({
      object: {
        storage: { s3: { logStore: 'dynamodb' }, dynamodb: { table: 'log' } },
        schemaRegistry: { url: 'http://registry:8081' },
        topics: { orders: { table: { uri: 's3://lake/orders' }, ...options } },
      },
    })
    const { orders } = topics
    assert.ok(orders)
    assert.equal(needsCircuit(orders, { kind, name }, storage), isNeeded)
  })
}
