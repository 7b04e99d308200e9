import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchesOf, carryPageViews } from '../examples/custom-chain.ts'
import { carryLogLines } from '../examples/custom-format.ts'
import { carryOrders, readCustomers } from '../examples/enrichment.ts'
import { appIdOf, type DeadLetterSink } from '../operators/commit-delta.ts'
import type { PipelineCommit } from '../operators/commit-offsets.ts'
import type { DeadLetter } from '../src/core/batch.ts'
import type { Credit } from '../src/core/credit/credit.ts'
import { createTable } from '../src/delta/maintenance/create.ts'
import { loadSnapshot } from '../src/delta/log/snapshot.ts'
import type { TableWriter } from '../src/delta/commit/table-writer.ts'
import { openTableWriter } from '../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../src/storage/memory.ts'
import { dataFile, sortedRows } from './delta/rows-table.ts'
import { structOf } from './support/flow/batches.ts'
import { chanceBy } from './support/values/chance.ts'
import { FakeSource } from './support/flow/fake-source.ts'

const customersSchema = structOf({ id: 'string', segment: 'string', country: 'string' })

test('the custom chain maps, filters and taps rows, and carries every record to its place', async () => {
  const { store, commits, deadLetters, seen } = await carryPageViews(
    batchesOf('views', [
      [
        '{"url":"https://a.example/x?y=1","at":"2026-03-01T10:00:00Z","ms":1500}',
        '{"url":"https://a.example/health","at":"2026-03-01T10:00:01Z"}',
        '{"url":"no url","at":"2026-03-01T10:00:02Z"}',
      ],
      [
        '{"url":"https://b.example/","at":"2026-03-02T00:00:00+01:00","ms":null}',
        '{"url":"https://a.example/z","at":"2026-03-02T10:00:00Z","ms":7}',
        '{"url":5,"at":"2026-03-02T10:00:00Z"}',
        'no json',
      ],
    ]),
  )
  assert.deepEqual(
    commits.map(({ version, counts }) => [version, counts]),
    [[1n, { records: 7, rows: 3, deadLetters: 3, tombstones: 0, filtered: 1, slow: { value: 2 } }]],
  )
  assert.deepEqual(
    [...seen],
    [
      ['a.example', 2],
      ['b.example', 1],
    ],
  )
  assert.deepEqual(deadLetters.map(({ reason, offset }) => `${offset} ${reason}`).sort(), [
    '2 custom',
    '5 contract',
    '6 decode',
  ])
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.txns.get('page-views-0')?.version, 6n)
  const files: string[] = []
  for await (const add of snapshot.files()) {
    const { numRecords } = JSON.parse(add.stats ?? '{}') as { numRecords?: number }
    files.push(`${String(add.partitionValues['day'])} ${String(numRecords)}`)
  }
  assert.deepEqual(files.sort(), ['2026-03-01 2', '2026-03-02 1'])
})

test('orders get the columns of their customers, and a newer reference counts from the next start on', async () => {
  const customers = new MemoryStore()
  await createTable(customers, { schema: customersSchema, partitionColumns: [] })
  const add = async (rows: readonly Record<string, string>[]): Promise<void> => {
    const table = await openTableWriter(customers)
    const adds = [await dataFile(customers, customersSchema, rows)]
    await table.append({ adds, txns: [], operationParameters: {}, operationMetrics: {} })
  }
  await add([
    { id: '1', segment: 'gold', country: 'NL' },
    { id: '2', segment: 'new', country: 'DE' },
  ])
  const orders = new MemoryStore()
  const letters: DeadLetter[] = []
  const run = async (lines: readonly string[]): Promise<readonly PipelineCommit[]> => {
    const reference = await readCustomers(customers)
    return await carryOrders({
      open: inMemory('orders', lines),
      store: orders,
      customers: () => reference,
      deadLetters: into(letters),
    })
  }
  const first = [
    '{"order":"a","customer":1,"total":3.5}',
    '{"order":"b","customer":9}',
    '{"order":"c"}',
    '{"order":"d","customer":2}',
  ]
  await run(first)
  await add([{ id: '9', segment: 'new', country: 'FR' }])
  await run([...first, '{"order":"e","customer":9}'])
  assert.deepEqual(await rowsIn(orders), [
    { order: 'a', customer: 1, total: 3.5, segment: 'gold', country: 'NL' },
    { order: 'b', customer: 9, total: null, segment: null, country: null },
    { order: 'd', customer: 2, total: null, segment: 'new', country: 'DE' },
    { order: 'e', customer: 9, total: null, segment: 'new', country: 'FR' },
  ])
  assert.deepEqual(
    letters.map(({ offset, reason }) => [offset, reason]),
    [[2n, 'contract']],
  )
})

test('a format of one’s own makes rows of log lines, dead letters of the others', async () => {
  const store = new MemoryStore()
  const letters: DeadLetter[] = []
  const lines = [
    'level=info at=2026-03-01T10:00:00Z msg="all is \\"well\\""',
    'level=loud at=2026-03-01T10:00:01Z',
    'level=warn at=2026-03-01T10:00:02Z msg="open',
    'level=error at=2026-03-01T10:00:03+01:00 other=x',
    null,
  ]
  const commits = await carryLogLines(inMemory('logs', lines), store, into(letters))
  assert.deepEqual(
    commits.map(({ counts }) => counts),
    [{ records: 5, rows: 2, deadLetters: 2, tombstones: 1, filtered: 0, slow: { path: 4 } }],
  )
  assert.deepEqual(await rowsIn(store), [
    { level: 'error', at: '2026-03-01T09:00:03.000000Z', msg: null },
    { level: 'info', at: '2026-03-01T10:00:00.000000Z', msg: 'all is "well"' },
  ])
  assert.deepEqual(letters.map(({ offset, reason }) => `${offset} ${reason}`).sort(), [
    '1 contract',
    '2 decode',
  ])
  assert.match(
    letters.find(({ reason }) => reason === 'decode')?.message ?? '',
    /character 36, got "msg=\\"open"/,
  )
})

/** A topic of one partition in memory, read from where the table stands. */
function inMemory(
  appId: string,
  values: readonly (string | null)[],
): (table: TableWriter, credit: Credit) => FakeSource {
  return (table, credit) =>
    new FakeSource({
      topic: [values],
      partitions: [0],
      credit,
      chance: chanceBy(1),
      resume: (partition) => table.txn(appIdOf(appId, partition)),
    })
}

function into(letters: DeadLetter[]): DeadLetterSink {
  return {
    write: (more) => {
      letters.push(...more)
      return Promise.resolve()
    },
  }
}

async function rowsIn(store: MemoryStore): Promise<unknown[]> {
  return (await sortedRows(store)).map((line): unknown => JSON.parse(line))
}
