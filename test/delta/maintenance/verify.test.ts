import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Add } from '../../../src/delta/protocol/actions.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { optimizeTable } from '../../../src/delta/maintenance/optimize.ts'
import { verifyTable, type TableProblem, type VerifyResult } from '../../../src/delta/maintenance/verify.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { structOf } from '../../support/flow/batches.ts'
import { dataFile } from '../rows-table.ts'

const schema = structOf({
  text: 'string',
  at: 'timestamp',
  in: structOf({ n: 'long' }),
  _kafka_topic: 'string',
  _kafka_partition: 'integer',
  _kafka_offset: 'long',
})
const row = (offset: number, text: string | null = 'x'.repeat(40)): Record<string, unknown> => ({
  text,
  at: '2026-03-01T00:00:00.000999Z',
  in: { n: offset },
  _kafka_topic: 'events',
  _kafka_partition: 3,
  _kafka_offset: offset,
})

async function tableOf(
  change: (add: Add, store: Store) => Add | Promise<Add> = (add) => add,
): Promise<Store> {
  const store = new MemoryStore()
  await createTable(store, { schema, partitionColumns: [] })
  const first = await dataFile(store, schema, [row(5), row(6, null), row(8)])
  const second = await change(await dataFile(store, schema, [row(9), row(10)]), store)
  await (
    await openTableWriter(store)
  ).append({
    adds: [first, second],
    txns: [{ appId: 'app-3', version: 10n, follows: undefined }],
    operationParameters: {},
    operationMetrics: {},
  })
  return store
}

async function verify(
  store: Store,
): Promise<{ done: VerifyResult; problems: TableProblem[]; orphans: string[] }> {
  const problems: TableProblem[] = []
  const orphans: string[] = []
  const done = await verifyTable(store, {
    onProblem: (problem) => {
      problems.push(problem)
      return Promise.resolve()
    },
    onOrphan: (key) => {
      orphans.push(key)
      return Promise.resolve()
    },
  })
  assert.equal(done.problems, problems.length)
  return { done, problems, orphans }
}

test('A valid table has no problems; rows, offsets and unreferenced files are counted', async () => {
  const store = await tableOf()
  await store.put('left-behind.parquet', new Uint8Array(9))
  const { done, problems, orphans } = await verify(store)
  assert.deepEqual(problems, [])
  assert.deepEqual(orphans, ['left-behind.parquet'])
  const { version, files, rows, orphanBytes, partitions } = done
  assert.deepEqual({ version, files, rows, orphanBytes }, { version: 1n, files: 2, rows: 5, orphanBytes: 9 })
  assert.deepEqual(partitions, [
    { topic: 'events', partition: 3, rows: 5, first: 5n, last: 10n, missing: 1n, duplicates: 0 },
  ])
})

test('A packed table is still valid, and recently removed files are not orphans', async () => {
  const store = await tableOf()
  await optimizeTable(store)
  const { done, problems, orphans } = await verify(store)
  assert.deepEqual([problems, orphans], [[], []])
  assert.deepEqual([done.files, done.rows], [1, 5])
})

const stats =
  (change: (stats: Record<string, Record<string, unknown>>) => void) =>
  (add: Add): Add => {
    const parsed = JSON.parse(add.stats ?? '') as Record<string, Record<string, unknown>>
    change(parsed)
    return { ...add, stats: JSON.stringify(parsed) }
  }

for (const [what, change, kind, detail] of [
  [
    'a missing file',
    async (add: Add, store: Store) => {
      await store.delete(decodeURIComponent(add.path))
      return add
    },
    'missing file',
    /no such file/,
  ],
  ['another size', (add: Add) => ({ ...add, size: add.size + 1 }), 'wrong size', /the log says/],
  [
    'damaged pages',
    async (add: Add, store: Store) => {
      const key = decodeURIComponent(add.path)
      await store.put(key, (await store.get(key)).fill(7, 4, 60))
      return add
    },
    'damaged file',
    /KD_|Parquet/,
  ],
  [
    'a wrong row count',
    stats((one) => Object.assign(one, { numRecords: 3 })),
    'wrong statistics',
    /numRecords is 3, the file holds 2/,
  ],
  [
    'a wrong null count',
    stats(({ nullCount }) => Object.assign(nullCount ?? {}, { text: 1 })),
    'wrong statistics',
    /nullCount of text is 1/,
  ],
  [
    'a minimum above a value',
    stats(({ minValues }) => Object.assign(minValues ?? {}, { _kafka_offset: 10 })),
    'wrong statistics',
    /minimum of _kafka_offset is 10, the file holds 9/,
  ],
  [
    'a nested maximum below a value',
    stats(({ maxValues }) => Object.assign(maxValues ?? {}, { in: { n: 9 } })),
    'wrong statistics',
    /maximum of in\.n is 9, the file holds 10/,
  ],
  [
    'a text maximum that was cut and not rounded up',
    stats(({ maxValues }) => Object.assign(maxValues ?? {}, { text: 'x'.repeat(32) })),
    'wrong statistics',
    /maximum of text/,
  ],
] as const) {
  test(`${what} is found`, async () => {
    const { problems } = await verify(await tableOf(change))
    assert.deepEqual(
      problems.map((problem) => problem.kind),
      [kind],
    )
    assert.match(problems[0]?.detail ?? '', detail)
  })
}

test('Wide bounds, and bounds truncated to milliseconds, are valid', async () => {
  const { problems } = await verify(
    await tableOf(
      stats(({ minValues, maxValues }) => {
        Object.assign(minValues ?? {}, {
          _kafka_offset: -5,
          text: 'x'.repeat(40),
          at: '2026-03-01T00:00:00.000Z',
        })
        Object.assign(maxValues ?? {}, { text: 'x'.repeat(40), at: '2026-02-28T16:00:00.000-08:00' })
      }),
    ),
  )
  assert.deepEqual(problems, [])
})

test('A record with two rows is found, and so is a row beyond the txn of its Kafka partition', async () => {
  const store = await tableOf()
  const adds = [await dataFile(store, schema, [row(9), row(11)])]
  await (
    await openTableWriter(store)
  ).append({ adds, txns: [], operationParameters: {}, operationMetrics: {} })
  const { problems, done } = await verify(store)
  assert.deepEqual(
    problems.map(({ kind, detail }) => `${kind}: ${detail}`),
    [
      'duplicate: events partition 3: offset 9 is a row more than once',
      'beyond txn: events partition 3: offset 11 is a row, its txn says 10',
    ],
  )
  assert.equal(done.partitions[0]?.duplicates, 1)
})

for (const name of [
  'all_primitive_types',
  'multi_partitioned',
  'nested_types',
  'no_stats',
  'with_checkpoint',
  'cdf',
]) {
  test(`Statistics of Spark verify: ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-verify-'))
    cpSync(join(import.meta.dirname, '../../fixtures/dat', name, 'delta'), folder, { recursive: true })
    const { problems, done } = await verify(new LocalStore(folder))
    assert.deepEqual(problems, [])
    assert.ok(done.rows > 0)
    rmSync(folder, { recursive: true })
  })
}
