import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import kafkajs from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { outputOf, PROGRAM } from '../support/carry.ts'

const brokers = await kafkaForTests()
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-transforms-'))
after(() => rm(folder, { recursive: true, force: true }))

const CONTRACT = {
  type: 'object',
  required: ['session', 'status'],
  properties: {
    session: { type: 'string' },
    status: { type: 'integer' },
    email: { type: ['string', 'null'] },
    meta: {
      type: 'object',
      properties: { producer: { type: 'object', properties: { timestamp: { type: 'string' } } } },
    },
  },
}

const at = (timestamp: string): object => ({ producer: { timestamp } })

/** Records of every fate: five rows, and one each that a stage refuses, that is filtered, or that is a tombstone. */
const VALUES: readonly (string | null)[] = [
  ...[1, 2, 3].map((n) =>
    JSON.stringify({
      session: `s${n}`,
      status: 200,
      email: `user${n}@example.com`,
      'user.phone': '+49 123',
      'user.fax': '+49 456',
      meta: at('2021-03-24T15:06:17Z'),
    }),
  ),
  JSON.stringify({ session: 's4', status: 204, email: null, meta: at('2021-03-25T00:00:00Z') }),
  '{"session":"s5","status":201,"id":12345678901234567890,"meta":{"producer":{"timestamp":"2021-03-25T01:00:00Z"}}}',
  JSON.stringify({ session: 's6', status: 404, meta: at('2021-03-25T00:00:00Z') }),
  JSON.stringify({ session: 's7', status: 503, meta: at('2021-03-25T00:00:00Z') }),
  JSON.stringify({ session: 's8', status: 200 }),
  JSON.stringify({ session: 's9', status: 'x', meta: at('2021-03-25T00:00:00Z') }),
  'no json',
  null,
]

test('A topic with rules, filter, transforms, drop and rename makes a table by date, and every record is accounted for', async () => {
  const topic = nameForTests('requests')
  const client = { brokers, clientId: 'test' }
  await createTopic(client, topic, { partitions: 1 })
  await createTopic(client, `${topic}-dlq`, { partitions: 1 })
  const kafka = new kafkajs.Kafka({ ...client, logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({
    topic,
    messages: VALUES.map((value, i) => ({ key: `k${i}`, value, headers: { source: `web-${i}` } })),
  })
  await producer.disconnect()

  await writeFile(join(folder, 'contract.json'), JSON.stringify(CONTRACT))
  await writeFile(join(folder, 'hash.key'), 'a secret\n')
  await writeFile(join(folder, 'codes.csv'), 'code,meaning\n200,OK\n201,Created\n204,No content\n')
  const table = join(folder, 'table')
  const config = join(folder, 'config.json')
  const options = {
    contract: 'contract.json',
    rules: [{ name: 'served', when: 'status >= `500`', error: 'the server failed' }],
    filter: 'status != `404`',
    transforms: {
      date: { expr: 'substr(meta.producer.timestamp, `0`, `10`)', type: 'date' },
      'meta.kafka.offset': 'kafka.offset',
      'meta.kafka.partition': 'kafka.partition',
      'meta.kafka.topic': 'kafka.topic',
      key: 'kafka.key',
      source: 'kafka.headers.source',
      written: 'kafka.timestamp',
      meaning: { expr: "lookup('codes', status, 'meaning')", type: 'string' },
      user: "hmac_sha256(email, 'pii')",
      email: 'mask_email(email)',
      huge: 'to_string(id)',
    },
    drop: ['id', '"user.phone"', 'user.fax'],
    rename: { session: 'session_id' },
    lookups: { codes: 'codes.csv' },
    hashKeys: { pii: 'hash.key' },
    table: { uri: table, partitionColumns: ['date'] },
  }
  await writeFile(
    config,
    JSON.stringify({ kafka: { brokers, groupId: nameForTests('transforms') }, topics: { [topic]: options } }),
  )
  const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
  assert.equal(await worker.ended, 0, worker.lines.slice(-15).join('\n'))

  const warnings = worker.lines.filter((line) => line.includes('matched no field'))
  assert.equal(warnings.length, 1, worker.lines.join('\n'))
  assert.match(warnings.join(), /drop .*user\.fax.* contains a dot: write/)

  const rows = (await outputOf(['table', 'cat', table])).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  )
  const byOffset = rows.sort((a, b) => offsetOf(a) - offsetOf(b))
  assert.deepEqual(byOffset.map(offsetOf), [0, 1, 2, 3, 4])
  const [first, , , fourth, fifth] = byOffset
  assert.match(String(first?.['written']), /^20\d\d-/)
  assert.deepEqual(
    { ...first, written: undefined },
    {
      session_id: 's1',
      status: 200,
      email: 'u***@example.com',
      'user.fax': '+49 456',
      meta: { producer: { timestamp: '2021-03-24T15:06:17Z' }, kafka: { offset: 0, partition: 0, topic } },
      date: '2021-03-24',
      key: 'k0',
      source: 'web-0',
      written: undefined,
      meaning: 'OK',
      // HMAC-SHA-256 of user1@example.com under `a secret`.
      user: 'c16b47c5ca1e549600230d22cbfda8d5d8edeecb80dbc802d02e09b90eca29be',
      huge: 'null',
    },
  )
  assert.deepEqual([fourth?.['email'], fourth?.['user']], [null, null])
  assert.equal(fifth?.['huge'], '12345678901234567890')

  const duck = await (await DuckDBInstance.create()).connect()
  const counted = await duck.runAndReadAll(
    `SELECT date, count(*)::INTEGER AS n FROM read_parquet('${table}/*/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY ALL`,
  )
  assert.deepEqual(counted.getRowObjectsJson(), [
    { date: '2021-03-24', n: 3 },
    { date: '2021-03-25', n: 2 },
  ])
  const letters = await lettersOf(kafka, `${topic}-dlq`, 4)
  assert.deepEqual(letters, ['contract', 'decode', 'rule', 'transform'])
})

function offsetOf(row: Readonly<Record<string, unknown>>): number {
  return (row['meta'] as { kafka: { offset: number } }).kafka.offset
}

async function lettersOf(kafka: kafkajs.Kafka, topic: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: nameForTests('letters') })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const reasons: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ message }) => {
          const letter = JSON.parse(String(message.value)) as { error_reason: string }
          reasons.push(letter.error_reason)
          if (reasons.length === count) resolve()
          return Promise.resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return reasons.sort()
}
