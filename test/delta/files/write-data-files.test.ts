import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Columns } from '../../../src/arrow/column.ts'
import { FixedBuilder } from '../../../src/arrow/fixed-builder.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { writeDataFiles, type NewDataFiles } from '../../../src/delta/files/write-data-files.ts'
import { decodePath } from '../../../src/delta/protocol/paths.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { askDuckdb } from '../../support/duckdb.ts'
import { structOf } from '../../support/flow/batches.ts'
import { layoutFor } from '../../support/flow/layouts.ts'

const schema = structOf({ n: 'long' })
const clock = { now: () => 42, sleep: () => Promise.resolve() }
const target = (store: MemoryStore): NewDataFiles => ({
  store,
  layout: layoutFor(schema),
  partitionValues: {},
  parquet: { compression: 'zstd', rowGroupRows: 1_000 },
  dataChange: false,
  clock,
})

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Returns columns that all hold these numbers. */
function columnsOf(numbers: readonly number[], of: StructType = schema): Columns {
  const columns = of.fields.map(() => {
    const builder = new FixedBuilder('long')
    for (const number of numbers) builder.appendSafe(number)
    return builder.finish()
  })
  return { schema: of, length: numbers.length, columns }
}

/** Yields slices of 1,000 scattered numbers each. */
async function* slicesOf(count: number): AsyncGenerator<Columns> {
  for (let slice = 0; slice < count; slice++) {
    await Promise.resolve()
    yield columnsOf(Array.from({ length: 1_000 }, (_, i) => ((slice * 1_000 + i) * 7_919) % 1_000_003))
  }
}

test('All rows are in one file with statistics, empty slices left out', async () => {
  const store = new MemoryStore()
  const slices = [columnsOf([]), columnsOf([3, 1]), columnsOf([]), columnsOf([2])]
  const written = await collect(writeDataFiles(slices, target(store)))
  assert.equal(written.length, 1)
  const [{ add, rows }] = written as [(typeof written)[number]]
  assert.deepEqual([rows, add.dataChange, add.modificationTime, add.partitionValues], [3, false, 42, {}])
  const bytes = await store.get(decodePath(add.path))
  assert.equal(add.size, bytes.length)
  assert.deepEqual(await askDuckdb(bytes, 'SELECT n FROM FILE'), [[3n], [1n], [2n]])
  assert.deepEqual(JSON.parse(add.stats ?? ''), {
    numRecords: 3,
    minValues: { n: 1 },
    maxValues: { n: 3 },
    nullCount: { n: 0 },
  })
})

test('No rows make no file', async () => {
  const store = new MemoryStore()
  for (const slices of [[], [columnsOf([])]])
    assert.deepEqual(await collect(writeDataFiles(slices, target(store))), [])
  assert.deepEqual(await collect(store.list('')), [])
})

test('A file that is full is followed by another, and together they hold every row once', async () => {
  const store = new MemoryStore()
  const files = { ...target(store), fileBytes: 8 * 1024 }
  const written = await collect(writeDataFiles(slicesOf(20), files))
  assert.ok(written.length > 2, `${written.length} files`)
  assert.equal(
    written.reduce((sum, { rows }) => sum + rows, 0),
    20_000,
  )
  for (const { add, rows } of written) {
    const { numRecords, minValues } = JSON.parse(add.stats ?? '') as Record<string, unknown>
    const [found] = await askDuckdb(
      await store.get(decodePath(add.path)),
      'SELECT count(*), min(n) FROM FILE',
    )
    assert.deepEqual([BigInt(rows), numRecords, minValues], [found?.[0], rows, { n: Number(found?.[1]) }])
  }
})

test('Columns that follow those of the layout are written without statistics', async () => {
  const store = new MemoryStore()
  const wider = structOf({ n: 'long', hidden: 'long' })
  const written = await collect(writeDataFiles([columnsOf([5], wider)], { ...target(store), schema: wider }))
  const [{ add }] = written as [(typeof written)[number]]
  assert.deepEqual(await askDuckdb(await store.get(decodePath(add.path)), 'SELECT * FROM FILE'), [[5n, 5n]])
  assert.deepEqual((JSON.parse(add.stats ?? '') as { maxValues: unknown }).maxValues, { n: 5 })
})

test('A store that refuses a file, or rows that fail, reject, and the rows are closed', async () => {
  for (const isRefused of [true, false]) {
    let isClosed = false
    const rows = async function* (): AsyncGenerator<Columns> {
      try {
        yield* slicesOf(1)
        if (!isRefused) throw new Error('no more rows')
        yield* slicesOf(1_000)
      } finally {
        isClosed = true
      }
    }
    const store = new MemoryStore('', isRefused ? { fault: () => 'refused' } : {})
    const written = writeDataFiles(rows(), target(store))
    await assert.rejects(collect(written), isRefused ? { code: 'KD_STORE_FAILED' } : /no more rows/)
    assert.ok(isClosed)
  }
})
