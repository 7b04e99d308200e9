import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'
import { carryRecords, startService } from '../../support/service.ts'

let folder: string
let uri: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inferred-'))
  uri = join(folder, 'table')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function columnsOf(at = uri): Promise<Record<string, unknown>> {
  const { schema } = await openTableWriter(await openStore(at))
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, type]))
}

test('Without a schema and a table the columns are inferred from the first messages, and later messages add theirs', async () => {
  const records = [
    { id: 1, name: 'a', at: '2026-01-01T00:00:00Z', tags: ['x'], none: null },
    { id: 2.5, name: null, where: { page: 'p' } },
    ...Array.from({ length: 20 }, (_, i) => ({ id: i, late: true })),
  ]
  const { commits, deadLetters } = await carryRecords(records, {
    uri,
    more: { inference: { records: 2 }, kafkaColumns: true },
  })
  assert.equal(deadLetters.length, 0)
  assert.equal(
    commits.reduce((sum, { counts }) => sum + counts.rows, 0),
    22,
  )
  const { id, name, at, late, where, none } = await columnsOf()
  assert.deepEqual(
    { id, name, at, late, none },
    { id: 'double', name: 'string', at: 'string', late: 'boolean', none: undefined },
  )
  assert.equal((where as { type: string }).type, 'struct')
})

test('Under policies other than addNewColumns the table keeps the columns of the sample', async () => {
  const records = [{ id: 1 }, ...Array.from({ length: 20 }, (_, i) => ({ id: i, late: true }))]
  const { commits } = await carryRecords(records, {
    uri,
    more: { inference: { records: 1 }, table: { uri, schemaEvolution: 'none' } },
  })
  assert.equal(
    commits.reduce((sum, { counts }) => sum + (counts.droppedFields ?? 0), 0),
    20,
  )
  assert.deepEqual(await columnsOf(), { id: 'long' })
})

test('Timestamps are inferred with the option set, and columns derived from them partition the table', async () => {
  const more = {
    inference: { timestamps: true },
    derive: { day: 'date(at)' },
    table: { uri, partitionColumns: ['day'] },
  }
  await carryRecords([{ at: '2026-01-01T00:00:00Z', on: '2026-01-01', text: '2026-13-01' }], { uri, more })
  assert.deepEqual(await columnsOf(), { at: 'timestamp', on: 'date', text: 'string', day: 'date' })
})

test('A partition column that no message has is refused, naming the inferred columns', async () => {
  const partitioned = { table: { uri, partitionColumns: ['day'] } }
  await assert.rejects(carryRecords([{ id: 1 }], { uri, more: partitioned }), {
    code: 'KD_CONFIG_INVALID',
    message:
      /table\.partitionColumns: expected one of the columns inferred from the first messages \(id\), got day/,
  })
  await assert.rejects(carryRecords([{ id: 1 }], { uri, more: { derive: { day: 'date(at)' } } }), {
    code: 'KD_CONFIG_INVALID',
    message: /day/,
  })
})

test('With until latest, a topic without messages to infer from fails with the reason', async () => {
  await assert.rejects(carryRecords([], { uri }), {
    code: 'KD_CONFIG_INVALID',
    message: /the topic is empty/,
  })
  await assert.rejects(carryRecords([], { uri, before: 3 }), {
    code: 'KD_CONFIG_INVALID',
    message: /none of 3 records can be decoded, for example offset 0: expected JSON/,
  })
  await assert.rejects(carryRecords([{}, { a: null }], { uri }), {
    code: 'KD_CONFIG_INVALID',
    message: /none of the first 2 messages has a field with a value/,
  })
  const { commits } = await carryRecords([{}, { a: null }], { uri, more: { kafkaColumns: true } })
  assert.equal(commits.at(-1)?.counts.rows, 2, 'with columns of its own the topic needs none of the messages')
})

test('An empty topic is waited for, a stop ends the wait without a table, and no record that arrives meanwhile is lost', async () => {
  const idle = startService({ uri })
  assert.deepEqual((await idle.stop()).commits, [])
  const service = startService({ uri, more: { startFrom: 'latest', inference: { ageMs: 50 } } })
  await new Promise((resolve) => setTimeout(resolve, 20))
  service.push([{ id: 1 }, { id: 2 }])
  await service.settled()
  service.push([{ id: 3 }])
  await service.settled()
  const { commits } = await service.stop()
  assert.equal(
    commits.reduce((sum, { counts }) => sum + counts.rows, 0),
    3,
  )
  assert.deepEqual(await columnsOf(), { id: 'long' })
})

test('Of two services that start at once one creates the table, and both commit to it', async () => {
  const carried = await Promise.all(
    ['a', 'b'].map((appId) => carryRecords([{ id: 1, [appId]: true }], { uri, appId })),
  )
  const rows = carried.flatMap(({ commits }) => commits).reduce((sum, { counts }) => sum + counts.rows, 0)
  assert.equal(rows, 2)
  const { id, a, b } = await columnsOf()
  assert.deepEqual([id, a, b], ['long', 'boolean', 'boolean'])
})

test('A topic without a table cannot be optimized, and says so', async () => {
  const config = loadConfig({ object: { topics: { events: { topic: 'events', table: { uri } } } } })
  const topic = new LiveTopic()
  const stopping = new AbortController()
  let refusal: Promise<void> | undefined
  await runTopics(config, {
    until: 'stopped',
    log: createLogger({ level: 'silent' }),
    signal: stopping.signal,
    connectors: {
      source: (options) => new LiveSource(topic, options),
      deadLetters: () => assert.fail('there are no dead letters'),
    },
    observe: ({ events, control }) =>
      events.subscribe((event) => {
        if (event.kind !== 'phase' || event.phase !== 'running') return
        refusal = assert.rejects(control.optimize(), {
          code: 'KD_COMMAND_INVALID',
          message: /has no table yet/,
        })
        stopping.abort()
      }),
  })
  assert.ok(refusal !== undefined)
  await refusal
})

test('A message that is nested too deeply is a dead letter among the first messages', async () => {
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
  const records = [{ id: 1, a: nested(2000) }, { id: 2, n: nested(900) }, { id: 3 }]
  const { deadLetters } = await carryRecords(records, { uri })
  assert.deepEqual(
    deadLetters.map(({ message }) => message),
    ['expected at most 1,000 nested levels, got more'],
  )
  assert.deepEqual(Object.keys(await columnsOf()), ['id', 'n'])
})
