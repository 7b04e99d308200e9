import assert from 'node:assert/strict'
import { test } from 'node:test'
import { from, lastValueFrom, toArray } from 'rxjs'
import { partitionBy } from '../../operators/partition-by.ts'
import { toArrow } from '../../operators/to-arrow.ts'
import {
  layOutForSnapshot,
  writeParquet,
  type DataFiles,
  type OrphanedFiles,
  type ParquetTarget,
} from '../../operators/write-parquet.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { decodePath } from '../../src/delta/protocol/paths.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { askDuckdb } from '../support/duckdb.ts'
import { flushOf } from '../support/flow/flushes.ts'
import { layoutFor } from '../support/flow/layouts.ts'
import { operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

const schema = structOf({ p: 'string', on: 'date', n: 'long' })
const partitionColumns = ['p', 'on']
const clock = { now: () => 42, sleep: () => Promise.resolve() }
const target = (store: MemoryStore): ParquetTarget => ({
  store,
  parquet: { compression: 'zstd', rowGroupRows: 100 },
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
  return from(outputsOf(toArrow({ layout: () => layoutFor(schema, partitionColumns) }), inputs))
}

test('Every table partition has a complete file with its values, size and statistics when its flush is emitted', async () => {
  const store = new MemoryStore()
  const rows = [
    { p: 'a/b =é', on: '2024-02-29', n: 1 },
    { p: null, on: null, n: 2 },
    { p: 'a/b =é', on: '2024-02-29', n: 3 },
  ]
  const [flush] = await lastValueFrom(flushes(rows).pipe(writeParquet(target(store)), toArray()))
  const [one, two] = flush?.payload.adds ?? []
  assert.ok(one !== undefined && two !== undefined && flush?.payload.adds.length === 2)
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

test('Flushes are emitted in order, also without rows, and file names are unique', async () => {
  const store = new MemoryStore()
  const out = await lastValueFrom(
    flushes([{ p: 'a', n: 1 }], [], [{ p: 'a', n: 1 }]).pipe(writeParquet(target(store)), toArray()),
  )
  assert.deepEqual(
    out.map(({ id, payload }) => [id, payload.adds.length]),
    [
      [1, 1],
      [2, 0],
      [3, 1],
    ],
  )
  assert.notEqual(out[0]?.payload.adds[0]?.path, out[2]?.payload.adds[0]?.path)
})

test('A store that refuses a file stops the stream', async () => {
  const store = new MemoryStore('', { fault: () => 'refused' })
  await assert.rejects(lastValueFrom(flushes([{ p: 'a', n: 1 }]).pipe(writeParquet(target(store)))), {
    code: 'KD_STORE_FAILED',
  })
})

test('No partition value stops the stream: zero bytes, dots, slashes, or text longer than a file name', async () => {
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
    flush?.payload.adds.map(({ partitionValues }) => partitionValues['p']),
    texts,
  )
  for (const { path, size } of flush.payload.adds) {
    const key = decodePath(path)
    assert.equal(await store.size(key), size)
    for (const segment of key.split('/')) assert.ok(Buffer.byteLength(segment) <= 255, segment)
  }
})

test('For a changed table the rows are written to new files, and the old files are deleted', async () => {
  const store = new MemoryStore()
  let layout = layoutFor(schema, partitionColumns)
  const files = { arrow: { layout: () => layout }, parquet: target(store) }
  const [flush] = await lastValueFrom(
    flushes([{ p: 'a', on: '2024-01-01', n: 1 }]).pipe(writeParquet(files.parquet), toArray()),
  )
  assert.ok(flush !== undefined)
  layout = layoutFor(schema, partitionColumns, { 'delta.parquet.compression.codec': 'snappy' })
  const next = await layOutForSnapshot(flush.payload, files)
  assert.equal(next.layout, layout)
  const keys = await keysOf(store)
  assert.deepEqual(
    keys,
    next.adds.map(({ path }) => decodePath(path)),
  )
  assert.match(keys[0] ?? '', /\.snappy\.parquet$/)
  await next.discard()
  assert.deepEqual(await keysOf(store), [])
})

test('Files that cannot be deleted are reported with the reason', async () => {
  const orphaned: OrphanedFiles[] = []
  const store = new MemoryStore()
  const fault = new Error('the deletion was refused')
  store.delete = () => Promise.reject(fault)
  const input = flushes([{ p: 'a', on: '2024-01-01', n: 1 }], [])
  const onOrphaned = (files: OrphanedFiles): void => void orphaned.push(files)
  const [flush] = outputs(
    await lastValueFrom(input.pipe(writeParquet({ ...target(store), onOrphaned }), toArray())),
  )
  await flush.discard()
  const keys = flush.adds.map(({ path }) => decodePath(path))
  assert.deepEqual(orphaned, [{ keys, reason: fault }])
})

test('When one file of a flush cannot be written, the others are deleted; a store that does not answer is not asked', async () => {
  const rows = ['a', 'b', 'c'].map((p, n) => ({ p, on: '2024-01-01', n }))
  for (const retryable of [false, true]) {
    const orphaned: OrphanedFiles[] = []
    const store = new MemoryStore()
    const put = store.put.bind(store)
    const fault = new PipelineError('KD_STORE_FAILED', 'expected status 200, got 403', {}, { retryable })
    store.put = (key, body) => (key.includes('p=b') ? Promise.reject(fault) : put(key, body))
    const onOrphaned = (files: OrphanedFiles): void => void orphaned.push(files)
    const writing = flushes(rows).pipe(writeParquet({ ...target(store), onOrphaned }))
    await assert.rejects(lastValueFrom(writing), fault)
    const left: string[] = []
    for await (const { key } of store.list('')) left.push(key)
    assert.equal(left.length, retryable ? 2 : 0)
    assert.deepEqual(
      orphaned.map(({ keys, reason }) => [[...keys].sort(), reason]),
      retryable ? [[left, fault]] : [],
    )
  }
})

function outputs(flushed: readonly { readonly payload: DataFiles }[]): [DataFiles] {
  const [first] = flushed
  assert.ok(first !== undefined)
  return [first.payload]
}

test('Files that match the changed table are kept, with its layout', async () => {
  const store = new MemoryStore()
  let layout = layoutFor(schema, partitionColumns)
  const files = { arrow: { layout: () => layout }, parquet: target(store) }
  const [flush] = await lastValueFrom(
    flushes([{ p: 'a', on: '2024-01-01', n: 1 }]).pipe(writeParquet(files.parquet), toArray()),
  )
  assert.ok(flush !== undefined)
  const keys = await keysOf(store)
  layout = layoutFor(schema, partitionColumns, { 'delta.appendOnly': 'true' })
  const next = await layOutForSnapshot(flush.payload, files)
  assert.equal(next.layout, layout)
  assert.equal(next.adds, flush.payload.adds)
  assert.deepEqual(await keysOf(store), keys)
})

test('Rows that do not fit the changed table have no files, and the old files are deleted', async () => {
  const store = new MemoryStore()
  const reasons: string[] = []
  const files = {
    arrow: { layout: () => layoutFor(schema, partitionColumns), incompatibleReasonOf: () => reasons[0] },
    parquet: target(store),
  }
  const [flush] = await lastValueFrom(
    flushes([{ p: 'a', on: '2024-01-01', n: 1 }]).pipe(writeParquet(files.parquet), toArray()),
  )
  assert.ok(flush !== undefined)
  reasons.push('n is not positive')
  const next = await layOutForSnapshot(flush.payload, files)
  assert.deepEqual([next.layout.incompatibleReason, next.adds], [reasons[0], []])
  assert.deepEqual(await keysOf(store), [])
})

async function keysOf(store: MemoryStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

test('Rows of one partition become files of the table’s target size, each with its own statistics', async () => {
  const store = new MemoryStore()
  const rows = Array.from({ length: 20_000 }, (_, n) => ({
    p: 'a',
    on: '2024-01-01',
    n: (n * 7_919) % 1_000_003,
  }))
  const layout = layoutFor(schema, partitionColumns, { 'delta.targetFileSize': '16kb' })
  const input = outputsOf(partitionBy(partitionColumns), [
    { provenance: provenanceOf(), payload: rowsOf(schema, rows) },
  ]).map(({ payload }) =>
    flushOf([{ columns: payload.rows.columns, labels: payload.labels, partitions: payload.partitions }], {
      id: 1,
    }),
  )
  const files = from(outputsOf(toArrow({ layout: () => layout, rowsMax: 1_000 }), input))
  const [flush] = await lastValueFrom(
    files.pipe(
      writeParquet({ ...target(store), parquet: { compression: 'zstd', rowGroupRows: 1_000 } }),
      toArray(),
    ),
  )
  const adds = flush?.payload.adds ?? []
  assert.ok(adds.length > 2, `${adds.length} files`)
  for (const { size } of adds.slice(0, -1))
    assert.ok(size >= 16_384 && size < 40_000, `a file of ${size} bytes`)
  const found: bigint[] = []
  for (const add of adds) {
    const bytes = await store.get(decodePath(add.path))
    const values = (await askDuckdb(bytes, 'SELECT n FROM FILE')).map(([n]) => n as bigint)
    const { numRecords, minValues, maxValues } = JSON.parse(add.stats ?? '') as Record<string, unknown>
    const sorted = [...values].sort((a, b) => Number(a - b)).map(Number)
    assert.deepEqual(
      [numRecords, minValues, maxValues],
      [values.length, { n: sorted[0] }, { n: sorted.at(-1) }],
    )
    found.push(...values)
  }
  assert.deepEqual(
    found,
    rows.map(({ n }) => BigInt(n)),
  )
})
