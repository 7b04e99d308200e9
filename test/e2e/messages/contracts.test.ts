import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import kafkajs from 'kafkajs'
import { createTopic, readGroupOffsets } from '../../../src/kafka/client/admin.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { actionsOf, outputOf, PROGRAM } from '../support/carry.ts'

const brokers = await kafkaForTests()
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-contracts-'))
after(() => rm(folder, { recursive: true, force: true }))

const MESSAGES: readonly { readonly key: string; readonly value: string | null }[] = [
  { key: '{"id":1}', value: '{"id":1,"price":1.0,"at":"2026-03-01T10:00:00Z","mail":"a@b.example"}' },
  {
    key: '{"id":2}',
    value: '{"id":2,"price":2.5,"at":"2026-03-02T10:00:00Z","mail":"c@d.example","tags":["x"]}',
  },
  { key: '{"id":1}', value: null },
  { key: '{"id":2}', value: 'null' },
  { key: '{"id":3}', value: 'no json' },
  ...Array.from({ length: 5 }, (_, i) => ({
    key: `{"id":${i + 4}}`,
    value: `{"id":${i + 4},"price":3,"at":"2026-03-02T10:00:00Z","mail":"e@f.example","late":${i}}`,
  })),
]

test('A topic without contract and table: a sample is printed as contract, the table is made, tombstones are rows of it', async () => {
  const topic = nameForTests('contracts')
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 1 })
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: [...MESSAGES] })
  await producer.disconnect()
  const uri = join(folder, 'table')
  const config = join(folder, 'config.json')
  const entry = {
    tombstones: 'row',
    inference: { timestamps: true, records: 2 },
    derive: { day: 'date(at)' },
    table: { uri, partitionColumns: ['day'] },
  }
  await writeFile(config, JSON.stringify({ kafka: { brokers, groupId: topic }, topics: { [topic]: entry } }))

  const contract = await outputOf([
    'contract',
    'infer',
    topic,
    '--brokers',
    brokers.join(','),
    '--timestamps',
  ])
  const file = join(folder, 'contract.json')
  await writeFile(file, contract.join('\n'))
  const { properties, required } = JSON.parse(contract.join('\n')) as {
    properties: object
    required: unknown
  }
  assert.deepEqual(properties, {
    id: { type: 'integer' },
    price: { type: 'number' },
    at: { type: 'string', format: 'date-time' },
    mail: { type: 'string', format: 'email' },
    tags: { type: 'array', items: { type: 'string' } },
    late: { type: 'integer' },
  })
  assert.deepEqual(required, ['id', 'price', 'at', 'mail'])
  const check = ['contract', 'check', topic, '--config', config, '--contract', file]
  const { code, output } = await ended(check)
  assert.equal(code, 1, 'one record cannot be read')
  assert.match(
    output,
    /10 records read: 7 messages, 1 undecodable \(such as offset 4: .*\), 2 without a value/,
  )
  assert.match(output, /7 of 7 messages satisfy/)

  const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'])
  assert.equal(await worker.ended, 0, worker.lines.slice(-10).join('\n'))
  const log = worker.lines.join('\n')
  assert.match(
    log,
    /"columns":\["\+ id long","\+ price double","\+ at timestamp","\+ mail string","\+ tags array<string>"\]/,
  )
  assert.match(log, /"records":10,"rows":9,"deadLetters":1,"tombstones":0,"filtered":0/)
  const adds = actionsOf(uri, 2).flatMap(({ add }) => (add === undefined ? [] : [add['path'] as string]))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const files = adds.map((path) => `'${join(uri, decodeURIComponent(path))}'`).join(', ')
  const reader = await connection.runAndReadAll(
    `SELECT id, price, typeof(price), typeof("at"), _deleted, late FROM read_parquet([${files}], union_by_name = true) ORDER BY _deleted, id`,
  )
  const rows = reader
    .getRows()
    .map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value)))
  connection.closeSync()
  instance.closeSync()
  assert.deepEqual(rows, [
    [1, 1, 'DOUBLE', 'TIMESTAMP WITH TIME ZONE', false, null],
    [2, 2.5, 'DOUBLE', 'TIMESTAMP WITH TIME ZONE', false, null],
    ...Array.from({ length: 5 }, (_, i) => [i + 4, 3, 'DOUBLE', 'TIMESTAMP WITH TIME ZONE', false, i]),
    [1, null, 'DOUBLE', 'TIMESTAMP WITH TIME ZONE', true, null],
    [2, null, 'DOUBLE', 'TIMESTAMP WITH TIME ZONE', true, null],
  ])
  const admin = client.admin()
  await admin.connect()
  const { groups } = await admin.listGroups()
  await admin.disconnect()
  const samples = groups.filter(({ groupId }) => groupId.startsWith(`${topic}-sample`))
  for (const { groupId } of samples)
    assert.equal((await readGroupOffsets({ brokers, clientId: 'test' }, groupId, topic)).size, 0, groupId)
  assert.equal((await readGroupOffsets({ brokers, clientId: 'test' }, topic, topic)).get(0), 10n)
})

/** What a command that may fail prints. */
function ended(args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const [command = 'node', ...rest] = PROGRAM
  return new Promise((done) =>
    execFile(command, [...rest, ...args], (error, output) =>
      done({ code: Number(error?.code ?? 0), output }),
    ),
  )
}
