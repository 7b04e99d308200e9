import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chunk } from '../../operators/buffer-time-or-count.ts'
import { partitionBy } from '../../operators/partition-by.ts'
import { currentLayoutFor, divideIntoFiles, toArrow, type ArrowFile } from '../../operators/to-arrow.ts'
import { toArrowSchema, toRecordBatch } from '../../src/arrow/record-batch.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { flushOf } from '../support/flow/flushes.ts'
import { layoutOf, type Layout } from '../../src/delta/files/layout.ts'
import { writeDataFiles } from '../../src/delta/files/write-data-files.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { layoutFor } from '../support/flow/layouts.ts'
import { operatorContract, outputsOf } from '../support/flow/operator-contract.ts'

const schema = structOf({ p: 'string', n: 'long' })
operatorContract('toArrow', () => toArrow({ layout: () => layoutFor(schema) }))

function chunkOf(
  rows: readonly Record<string, unknown>[],
  names: readonly string[],
  of: StructType = schema,
): Chunk {
  const [labelled] = outputsOf(partitionBy(names), [
    { provenance: provenanceOf(), payload: rowsOf(of, rows) },
  ])
  assert.ok(labelled !== undefined)
  return {
    columns: labelled.payload.rows.columns,
    labels: labelled.payload.labels,
    partitions: labelled.payload.partitions,
  }
}

function filesOf(
  chunks: readonly Chunk[],
  target: { partitionColumns?: readonly string[]; rowsMax?: number; schema?: StructType } = {},
): readonly ArrowFile[] {
  const input = flushOf(chunks, { id: 77 })
  const { partitionColumns = ['p'], schema: wanted = schema, ...rest } = target
  const layout = layoutFor(wanted, partitionColumns)
  const [out] = outputsOf(toArrow({ layout: () => layout, ...rest }), [input])
  assert.deepEqual([out?.id, out?.ranges, out?.bytes], [77, input.ranges, input.bytes])
  return out?.payload.files ?? []
}

/** Returns the slices of a file as rows. */
function batchesOf(file: ArrowFile): unknown[][] {
  return [...file.slices()].map(({ schema: of, columns, length }) =>
    toRecordBatch(toArrowSchema(of), columns, length)
      .toArray()
      .map(
        (row: { toJSON(): unknown }) =>
          JSON.parse(
            JSON.stringify(row, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)),
          ) as unknown,
      ),
  )
}

/** Writes the slices of a file and returns its statistics. */
async function statsOf(file: ArrowFile | undefined, layout: Layout): Promise<Record<string, unknown>> {
  const stats: string[] = []
  for await (const { add } of writeDataFiles(file?.slices() ?? [], {
    store: new MemoryStore(),
    layout,
    partitionValues: Object.fromEntries(layout.partitionColumns.map(({ name }) => [name, null])),
    parquet: { compression: 'none', rowGroupRows: 1_000 },
    dataChange: true,
    clock: { now: () => 1, sleep: () => Promise.resolve() },
  }))
    stats.push(add.stats ?? '')
  assert.equal(stats.length, 1)
  return JSON.parse(stats[0] ?? '') as Record<string, unknown>
}

test('All chunks share one file per table partition, without the partition columns and with rows in order', async () => {
  const files = filesOf([
    chunkOf(
      [
        { p: 'a', n: 1 },
        { p: 'b', n: 2 },
        { p: 'a', n: 3 },
      ],
      ['p'],
    ),
    chunkOf([{ p: 'b', n: 4 }], ['p']),
    chunkOf([], ['p']),
  ])
  assert.deepEqual(
    files.map((file) => [file.partition, file.rows, batchesOf(file)]),
    [
      [['a'], 2, [[{ n: 1 }, { n: 3 }]]],
      [['b'], 2, [[{ n: 2 }, { n: 4 }]]],
    ],
  )
  assert.deepEqual(await statsOf(files[0], layoutFor(schema, ['p'])), {
    numRecords: 2,
    minValues: { n: 1 },
    maxValues: { n: 3 },
    nullCount: { n: 0 },
  })
})

test('A slice holds about 1 MiB, the first ones less, also of columns that the rows lack, and at least one row', () => {
  const megabyte = 'x'.repeat(1024 * 1024)
  const large = Array.from({ length: 5 }, () => chunkOf([{ p: megabyte }, { p: megabyte }], []))
  const rowsOf = (files: readonly ArrowFile[]): number[] =>
    files.flatMap((file) => [...file.slices()].map(({ length }) => length))
  const rows = rowsOf(filesOf(large, { partitionColumns: [] }))
  assert.ok(Math.max(...rows) <= 2 && rows.length <= 10, String(rows))
  assert.equal(
    rows.reduce((sum, count) => sum + count, 0),
    10,
  )
  const wideOf = (type: DataType): StructType =>
    structOf(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`c${i}`, type] as const)))
  const few = chunkOf(
    Array.from({ length: 2000 }, (_, n) => ({ n })),
    [],
  )
  for (const type of ['decimal(10,2)', { type: 'array', elementType: 'long', containsNull: true }] as const) {
    const slices = rowsOf(filesOf([few], { partitionColumns: [], schema: wideOf(type) }))
    assert.ok(slices.length >= 6, String(slices))
    assert.ok(
      (slices[0] ?? 0) * 2 <= (slices[1] ?? 0) + 1,
      'the second slice has twice the rows of the first',
    )
  }
  const nulls = rowsOf(filesOf([few], { partitionColumns: [], schema: wideOf('long') }))
  assert.ok(nulls.length <= 3, 'nulls alone take little')
  const huge = [chunkOf([{ p: megabyte.repeat(5) }, { p: megabyte.repeat(5) }], [])]
  assert.deepEqual(rowsOf(filesOf(huge, { partitionColumns: [] })), [1, 1])
})

test('Record batches hold at most the allowed rows; small chunks are joined, large ones divided', async () => {
  const chunks = [3, 0, 1, 7].map((count, chunk) =>
    chunkOf(
      Array.from({ length: count }, (_, i) => ({ n: chunk * 10 + i })),
      [],
    ),
  )
  const [file, ...others] = filesOf(chunks, { partitionColumns: [], rowsMax: 4 })
  assert.equal(others.length, 0)
  const batches = file === undefined ? [] : batchesOf(file)
  assert.deepEqual(
    batches.map((rows) => rows.length),
    [4, 4, 3],
  )
  assert.deepEqual(
    batches.flat().map((row) => (row as { n: number }).n),
    [0, 1, 2, 20, 30, 31, 32, 33, 34, 35, 36],
  )
  assert.equal((await statsOf(file, layoutFor(schema)))['numRecords'], 11)
})

test('Columns that the rows do not have are null, also fields of structs', async () => {
  const ours = structOf({ s: structOf({ b: 'long', a: 'string' }), n: 'long' })
  const theirs = structOf({ more: 'double', n: 'long', s: structOf({ a: 'string', c: 'date', b: 'long' }) })
  const [file] = filesOf([chunkOf([{ n: 1, s: { a: 'x', b: 2 } }], [], ours)], {
    partitionColumns: [],
    schema: theirs,
  })
  assert.deepEqual(file && batchesOf(file), [[{ more: null, n: 1, s: { a: 'x', c: null, b: 2 } }]])
  assert.deepEqual((await statsOf(file, layoutFor(theirs)))['nullCount'], {
    more: 1,
    n: 0,
    s: { a: 0, c: 1, b: 0 },
  })
})

test('A flush without rows has no files', () => {
  assert.deepEqual(filesOf([]), [])
  assert.deepEqual(filesOf([chunkOf([], ['p'])]), [])
})

test('Null, an empty text and longs beyond 2^53 have separate files', () => {
  const wide = structOf({ p: 'string', n: 'long', v: 'long' })
  const rows = [
    { p: null, n: 2n ** 53n },
    { p: '', n: 2n ** 53n },
    { p: null, n: 2n ** 53n + 1n },
    { p: null, n: 2n ** 53n },
  ]
  const files = filesOf([chunkOf(rows, ['p', 'n'], wide)], {
    partitionColumns: ['p', 'n'],
    schema: wide,
  })
  assert.deepEqual(
    files.map(({ partition, rows: count }) => [...partition, count]),
    [
      [null, 2n ** 53n, 2],
      ['', 2n ** 53n, 1],
      [null, 2n ** 53n + 1n, 1],
    ],
  )
})

test('For a changed table the same rows can be divided into other files, as often as wanted', () => {
  let layout = layoutFor(schema)
  const target = { layout: () => layout }
  const [out] = outputsOf(toArrow(target), [flushOf([chunkOf([{ p: 'a', n: 1 }], [])])])
  assert.ok(out !== undefined)
  const { chunks, files } = out.payload
  layout = layoutFor(structOf({ n: 'long', more: 'string' }))
  const other = divideIntoFiles(chunks, currentLayoutFor(chunks, target))
  assert.equal(other.layout, layout)
  assert.equal(other.chunks, chunks)
  for (let time = 1; time <= 2; time++) {
    assert.deepEqual(other.files.map(batchesOf), [[[{ n: 1, more: null }]]])
    assert.deepEqual(files.map(batchesOf), [[[{ p: 'a', n: 1 }]]])
  }
})

test('Files, statistics and field ids of a table with column mapping use physical names', async () => {
  const mapped = structOf({ n: 'long', s: structOf({ a: 'string' }) })
  let id = 0
  const named = (type: StructType): StructType => ({
    ...type,
    fields: type.fields.map((field) => ({
      ...field,
      type: typeof field.type === 'object' && field.type.type === 'struct' ? named(field.type) : field.type,
      metadata: { 'delta.columnMapping.id': ++id, 'delta.columnMapping.physicalName': `col-${field.name}` },
    })),
  })
  const layout = layoutOf({
    protocol: { minReaderVersion: 2, minWriterVersion: 5 },
    metadata: {
      id: 'a-table',
      schema: named(mapped),
      partitionColumns: [],
      configuration: { 'delta.columnMapping.mode': 'name' },
    },
  })
  const chunk = chunkOf([{ n: 1, s: { a: 'x' } }], [], mapped)
  const [out] = outputsOf(toArrow({ layout: () => layout }), [flushOf([chunk])])
  const [file] = out?.payload.files ?? []
  assert.deepEqual(file && batchesOf(file), [[{ 'col-n': 1, 'col-s': { 'col-a': 'x' } }]])
  const [slice] = file?.slices() ?? []
  assert.deepEqual(
    slice && toArrowSchema(slice.schema).fields.map((field) => field.metadata.get('PARQUET:field_id')),
    // The field of the struct was numbered before the struct itself.
    ['1', '3'],
  )
  assert.deepEqual((await statsOf(file, layout))['minValues'], {
    'col-n': 1,
    'col-s': { 'col-a': 'x' },
  })
})

test('Rows that violate new constraints make the layout incompatible and no files; this is checked again each time', () => {
  const reasons = [undefined, 'broken']
  const target = { layout: () => layoutFor(schema, ['p']), incompatibleReasonOf: () => reasons.shift() }
  const [out] = outputsOf(toArrow(target), [flushOf([chunkOf([{ p: 'a', n: 1 }], ['p'])])])
  assert.ok(out !== undefined)
  const { chunks, layout, files } = out.payload
  assert.deepEqual([layout.incompatibleReason, files.length], [undefined, 1])
  const broken = currentLayoutFor(chunks, target)
  assert.equal(broken.incompatibleReason, 'broken')
  assert.deepEqual(divideIntoFiles(chunks, broken).files, [])
  assert.equal(currentLayoutFor(chunks, target).incompatibleReason, undefined)
})
