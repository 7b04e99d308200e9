// Goal: a broken deploy is named on one screen; once the contract is mended, each of its records lands once.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import kafkajs from 'kafkajs'
import { loadConfig } from '../../config/load/load.ts'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { outputOf } from './support/carry.ts'
import { hasPython, pythonLines, pythonWithReaders } from './support/python.ts'

// Python is no prerequisite.
const python = (await hasPython()) ? await pythonWithReaders() : undefined

// At the top level: a hook that is registered inside a test does not run at the end of the file.
const brokers = await kafkaForTests()
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-dlq-'))
after(() => rm(folder, { recursive: true, force: true }))

const GOOD = 60
const LACKING = 30
const BROKEN = 10
type Row = Readonly<Record<string, unknown>>

async function rowsIn(table: string): Promise<readonly Row[]> {
  const store = new LocalStore(join(folder, table))
  const rows: Row[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store))) rows.push(JSON.parse(line) as Row)
  return rows
}

/** Rows as readers that are not ours have them, in no order. */
async function assertReadAlike(table: string, rows: readonly Row[]): Promise<void> {
  const sorted = (all: readonly unknown[]): string[] => all.map((row) => JSON.stringify(row)).sort()
  for (const reader of python === undefined ? [] : ['delta-rs', 'duckdb']) {
    const lines = await pythonLines(python ?? '', [
      join(import.meta.dirname, 'support', 'read_table.py'),
      reader,
      join(folder, table),
    ])
    assert.deepEqual(
      lines
        .map((line) => JSON.parse(line) as unknown)
        .map((row) => sorted(Object.entries(row as Row)))
        .sort(),
      rows.map((row) => sorted(Object.entries(row))).sort(),
      reader,
    )
  }
}

const log = createLogger({ level: 'silent' })

async function produceOrders(topic: string): Promise<void> {
  await createTopic({ brokers, clientId: 'test' }, topic, { partitions: 3 })
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const valueOf = (i: number): string => {
    if (i < GOOD) return JSON.stringify({ id: i, currency: 'EUR' })
    return i < GOOD + LACKING ? JSON.stringify({ id: i, note: `n${i}` }) : `{"id":${i},`
  }
  const messages = Array.from({ length: GOOD + LACKING + BROKEN }, (_, i) => ({
    key: `k${i}`,
    value: valueOf(i),
    partition: i % 3,
    headers: { trace: `t${i}` },
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

async function contract(required: readonly string[]): Promise<void> {
  const properties = { id: { type: 'integer' }, currency: { type: 'string' }, note: { type: 'string' } }
  await writeFile(join(folder, 'contract.json'), JSON.stringify({ type: 'object', required, properties }))
}

async function configFile(topic: string, deadLetters: object, transforms: object = {}): Promise<string> {
  const path = join(folder, `${topic}.json`)
  const orders = {
    topic,
    contract: './contract.json',
    kafkaColumns: true,
    table: { uri: `./${topic}` },
    deadLetters,
    transforms,
  }
  await writeFile(path, JSON.stringify({ kafka: { brokers, groupId: topic }, topics: { orders } }))
  return path
}

async function carry(config: string): Promise<void> {
  await runTopics(loadConfig({ files: [config] }), { until: 'latest', log })
}

interface Groups {
  readonly letters: number
  readonly foreign: number
  readonly lost: number
  readonly groups: readonly {
    readonly id: string
    readonly count: number
    readonly reason: string
    readonly cause: string
  }[]
}

const groupsOf = async (...args: readonly string[]): Promise<Groups> =>
  JSON.parse((await outputOf(['dlq', 'group', '--json', ...args])).join('\n')) as Groups

test('The dead letters of a broken deploy are grouped, replayed once the contract is mended, and the rest discarded', async () => {
  const topic = nameForTests('orders')
  await produceOrders(topic)
  await contract(['id', 'currency'])
  const config = await configFile(topic, { to: 'both', table: `./${topic}-letters` })
  await carry(config)

  const screen = (await outputOf(['dlq', 'group', '--config', config])).join('\n')
  assert.match(screen, /^40 open dead letters in table /)
  assert.match(screen, /\n +30 +[0-9a-f]{8} +contract .*currency/)
  const inTable = await groupsOf('--config', config)
  const inTopic = await groupsOf('--config', config, '--from-topic', `${topic}-dlq`)
  assert.deepEqual(
    inTopic.groups.map(({ id, count }) => [id, count]),
    inTable.groups.map(({ id, count }) => [id, count]),
  )
  assert.deepEqual(
    inTable.groups.map(({ count, reason }) => [reason, count]),
    [
      ['contract', LACKING],
      ['decode', BROKEN],
    ],
  )

  const letters = await rowsIn(`${topic}-letters`)
  assert.equal(letters.length, LACKING + BROKEN)
  assert.equal(
    letters.filter(({ stage, json_string }) => stage === 'schema' && json_string !== null).length,
    LACKING,
  )
  await assertReadAlike(`${topic}-letters`, letters)

  await contract(['id'])
  const dry = JSON.parse(
    (await outputOf(['dlq', 'replay', '--json', '--config', config])).join('\n'),
  ) as Record<string, unknown>
  assert.deepEqual([dry['dryRun'], dry['landed'], dry['failed']], [true, LACKING, BROKEN])
  assert.equal((await rowsIn(topic)).length, GOOD)

  await Promise.all([
    outputOf(['dlq', 'replay', '--config', config, '--yes']),
    // The topic holds the same letters: they land once between them.
    outputOf(['dlq', 'replay', '--config', config, '--from-topic', `${topic}-dlq`, '--yes']),
  ])
  const again = (await outputOf(['dlq', 'replay', '--config', config, '--yes'])).join('\n')
  assert.match(again, /^0 dead letters became/)
  assert.match(again, /10 failed again and stay open:\n.*\n +10 +[0-9a-f]{8} +decode/)
  const landed = await rowsIn(topic)
  assert.equal(landed.length, GOOD + LACKING)
  const places = landed.map((row) => `${String(row['_kafka_partition'])}/${String(row['_kafka_offset'])}`)
  assert.equal(new Set(places).size, GOOD + LACKING)
  for (const { id, _kafka_partition: partition, _kafka_key: key } of landed)
    assert.deepEqual([Number(id) % 3, `k${String(id)}`], [partition, key], 'each has the place of its record')

  await outputOf(['dlq', 'discard', '--config', config, '--reason', 'decode', '--yes'])
  assert.equal((await groupsOf('--config', config)).letters, 0)
  assert.equal((await groupsOf('--config', config, '--all')).letters, LACKING + BROKEN)
})

test('Too many dead letters stop the topic before anything is written, and nothing is lost', async () => {
  const topic = nameForTests('limited')
  await produceOrders(topic)
  await contract(['id', 'currency'])
  const table = `./${topic}-letters`
  const limited = await configFile(topic, { table, maxRate: 0.3, maxRateRecordsMin: 50 })
  await assert.rejects(carry(limited), {
    code: 'KD_TOO_MANY_DEAD_LETTERS',
    message:
      /40 of 100 records \(40 %\) are dead letters, at most 30 % are allowed; 30 × contract: .*currency.*\(first at \d\/\d+\)/,
  })
  assert.equal((await groupsOf('--table', join(folder, `${topic}-letters`))).letters, 0)
  await carry(await configFile(topic, { table, maxRate: 0.5, maxRateRecordsMin: 50 }))
  assert.equal((await groupsOf('--table', join(folder, `${topic}-letters`))).letters, LACKING + BROKEN)
  assert.equal((await rowsIn(topic)).length, GOOD)
})

test('Dead letters with large values, keys and headers are replayed whole from the topic', async () => {
  const topic = nameForTests('large')
  await createTopic({ brokers, clientId: 'test' }, topic, {
    partitions: 1,
    config: { 'max.message.bytes': '8000000' },
  })
  const client = new kafkajs.Kafka({ brokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const note = 'ä€'.repeat(600_000)
  const messages = [
    { key: 'k0', value: JSON.stringify({ id: 0, note }) },
    { key: 'k'.repeat(100_000), value: '{"id":1}' },
    { key: 'k2', value: '{"id":2}', headers: { big: 'h'.repeat(1_000_000) } },
    { key: 'k3', value: '{"id":3}', headers: { big: 'small' } },
    { key: 'k4', value: `{"id":4,"note":"${note}` },
  ]
  for (const message of messages) await producer.send({ topic, messages: [message] })
  await producer.disconnect()
  await contract(['id', 'currency'])
  const config = await configFile(topic, {}, { header: 'kafka.headers.big' })
  await carry(config)
  const before = await groupsOf('--config', config)
  assert.deepEqual(
    before.groups.map(({ count, reason }) => [count, reason]),
    [
      [4, 'contract'],
      [1, 'decode'],
    ],
  )
  assert.deepEqual([before.foreign, before.lost], [0, 0])
  const shown = JSON.parse(
    (await outputOf(['dlq', 'show', '2', '--json', '--config', config])).join('\n'),
  ) as {
    headers: { big: string }
    value: object
  }[]
  assert.deepEqual([shown[0]?.headers.big.length, shown[0]?.value], [100_001, { id: 2 }])

  await contract(['id'])
  const done = JSON.parse(
    (await outputOf(['dlq', 'replay', '--json', '--yes', '--config', config])).join('\n'),
  ) as Record<string, unknown>
  assert.deepEqual([done['landed'], done['failed'], done['unplayable'], done['lost']], [4, 1, {}, 0])
  const rows = [...(await rowsIn(topic))].sort((a, b) => Number(a['id']) - Number(b['id']))
  assert.deepEqual(
    rows.map((row) =>
      [row['id'], row['note'], row['header'], row['_kafka_key']].map((value) => value ?? null),
    ),
    [
      [0, note, null, 'k0'],
      [1, null, null, 'k'.repeat(100_000)],
      [2, null, 'h'.repeat(1_000_000), 'k2'],
      [3, null, 'small', 'k3'],
    ],
  )
  await outputOf(['dlq', 'discard', '--config', config, '--yes'])
  assert.equal((await groupsOf('--config', config)).letters, 0)
})
