import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { partitionBy } from '../../operators/partition-by.ts'
import { toArrow } from '../../operators/to-arrow.ts'
import { writeParquet, type ParquetTarget } from '../../operators/write-parquet.ts'
import { decodePath } from '../../src/delta/paths.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { provenanceOf, rowsOf, structOf } from '../support/batches.ts'
import { askDuckdb } from '../support/duckdb.ts'
import { flushOf } from '../support/flushes.ts'
import { operatorContract, outputsOf } from '../support/operator-contract.ts'

const schema = structOf({ p: 'string', on: 'date', n: 'long' })
const partitionColumns = ['p', 'on']
const clock = { now: () => 42, sleep: () => Promise.resolve() }
const target = (store: MemoryStore): ParquetTarget => ({
  store,
  schema: () => schema,
  partitionColumns,
  compression: 'zstd',
  rowGroupRows: 100,
  clock,
})
operatorContract('writeParquet', () => writeParquet(target(new MemoryStore())))

function flushes(...lists: readonly (readonly Record<string, unknown>[])[]) {
  const inputs = lists.map((rows, index) => {
    const [labelled] = outputsOf(partitionBy(partitionColumns), [
      { provenance: provenanceOf(), payload: rowsOf(schema, rows) },
    ])
    assert.ok(labelled !== undefined)
    return flushOf(
      [
        {
          columns: labelled.payload.rows.columns,
          labels: labelled.payload.labels,
          partitions: labelled.payload.partitions,
        },
      ],
      { id: index + 1 },
    )
  })
  return from(outputsOf(toArrow({ schema: () => schema, partitionColumns }), inputs))
}

test('Every partition is a file that is whole when its flush leaves, with its values, size and statistics', async () => {
  const store = new MemoryStore()
  const rows = [
    { p: 'a/b =é', on: '2024-02-29', n: 1 },
    { p: null, on: null, n: 2 },
    { p: 'a/b =é', on: '2024-02-29', n: 3 },
  ]
  const [flush] = await lastValueFrom(flushes(rows).pipe(writeParquet(target(store)), toArray()))
  const [one, two] = flush?.payload ?? []
  assert.ok(one !== undefined && two !== undefined && flush?.payload.length === 2)
  assert.deepEqual(
    [one.partitionValues, two.partitionValues],
    [
      { p: 'a/b =é', on: '2024-02-29' },
      { p: null, on: null },
    ],
  )
  assert.deepEqual([one.modificationTime, one.dataChange], [42, true])
  const bytes = await store.get(decodePath(one.path))
  assert.equal(one.size, bytes.length)
  assert.deepEqual(await askDuckdb(bytes, 'SELECT * FROM FILE'), [[1n], [3n]])
  assert.deepEqual(JSON.parse(one.stats ?? ''), {
    numRecords: 2,
    minValues: { n: 1 },
    maxValues: { n: 3 },
    nullCount: { n: 0 },
  })
  assert.match(
    two.path,
    /^p=__HIVE_DEFAULT_PARTITION__\/on=__HIVE_DEFAULT_PARTITION__\/part-.*\.zstd\.parquet$/,
  )
})

test('Flushes leave in their order, those without rows too, and no two files share a name', async () => {
  const store = new MemoryStore()
  const out = await lastValueFrom(
    flushes([{ p: 'a', n: 1 }], [], [{ p: 'a', n: 1 }]).pipe(writeParquet(target(store)), toArray()),
  )
  assert.deepEqual(
    out.map(({ id, payload }) => [id, payload.length]),
    [
      [1, 1],
      [2, 0],
      [3, 1],
    ],
  )
  assert.notEqual(out[0]?.payload[0]?.path, out[2]?.payload[0]?.path)
})

test('A store that refuses a file stops the stream', async () => {
  const store = new MemoryStore('', { fault: () => 'refused' })
  await assert.rejects(lastValueFrom(flushes([{ p: 'a', n: 1 }]).pipe(writeParquet(target(store)))), {
    code: 'KD_STORE_FAILED',
  })
})

test('No text of a partition value stops the stream: zero bytes, dots, slashes, and more than a file name holds', async () => {
  const store = new MemoryStore()
  const texts = [
    '\0',
    '.',
    '..',
    '../..',
    '/',
    '%',
    'x'.repeat(10_000),
    '🙂'.repeat(300),
    `${'a'.repeat(60)}b`,
    `${'a'.repeat(60)}c`,
  ]
  const rows = texts.map((p, n) => ({ p, on: '2024-01-01', n }))
  const [flush] = await lastValueFrom(flushes(rows).pipe(writeParquet(target(store)), toArray()))
  assert.deepEqual(
    flush?.payload.map(({ partitionValues }) => partitionValues['p']),
    texts,
  )
  for (const { path, size } of flush.payload) {
    const key = decodePath(path)
    assert.equal(await store.size(key), size)
    for (const segment of key.split('/')) assert.ok(Buffer.byteLength(segment) <= 255, segment)
  }
})
