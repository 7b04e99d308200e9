import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { Compression, Table as WasmTable, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { readParquetSchema, readArrowTables } from '../../src/parquet/reader.ts'

const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4_RAW'] as const

for (const codec of CODECS) {
  test(`A file compressed with ${codec} is read in tables of bounded size, in file order`, () => {
    const sizes: number[] = []
    const ids: bigint[] = []
    for (const table of readArrowTables('f', numbers(1_000, codec), { rowsMax: 300 })) {
      sizes.push(table.numRows)
      ids.push(...(table.getChild('id')?.toArray() as BigInt64Array))
    }
    assert.deepEqual(sizes, [300, 300, 300, 100])
    assert.deepEqual(
      ids,
      Array.from({ length: 1_000 }, (_, index) => 2n ** 53n + BigInt(index)),
    )
  })
}

test('A limit stops in the middle of a file', () => {
  const sizes = [...readArrowTables('f', numbers(10), { limit: 7, rowsMax: 5 })].map((table) => table.numRows)
  assert.deepEqual(sizes, [5, 2])
})

test('Columns that the file lacks are left out, and rows are kept even without any column', () => {
  const [some] = readArrowTables('f', numbers(10), { columns: ['twice', 'none'] })
  assert.deepEqual(
    some?.schema.fields.map((field) => field.name),
    ['twice'],
  )
  const [none] = readArrowTables('f', numbers(10), { columns: ['none'] })
  assert.equal(none?.numRows, 10)
})

test('A file without rows gives nothing', () => {
  assert.deepEqual([...readArrowTables('f', numbers(0))], [])
})

test('INT96 timestamps of Spark are timestamps', () => {
  const folder = new URL('../fixtures/dat/all_primitive_types/delta/', import.meta.url)
  const file = readdirSync(folder).find((name) => name.endsWith('.parquet'))
  assert.ok(file !== undefined)
  const bytes = readFileSync(new URL(file, folder))
  const timestamp = readParquetSchema(file, bytes).fields.find((field) => field.name === 'timestamp')
  assert.match(String(timestamp?.type), /^Timestamp<NANOSECOND|^Timestamp<MICROSECOND/)
})

for (const [damage, bytes] of [
  ['is not Parquet', new Uint8Array(100)],
  ['is empty', new Uint8Array(0)],
  ['is cut', numbers(1_000).subarray(0, 2_000)],
  ['has damaged pages', numbers(1_000).fill(7, 4, 60)],
] as const) {
  test(`A file that ${damage} is an error, not a crash`, () => {
    assert.throws(() => [...readArrowTables('f', bytes)], { code: 'KD_PARQUET_FAILED' })
  })
}

function numbers(rows: number, codec: (typeof CODECS)[number] = 'ZSTD'): Uint8Array {
  const table = tableFromArrays({
    id: BigInt64Array.from({ length: rows }, (_, index) => 2n ** 53n + BigInt(index)),
    twice: Float64Array.from({ length: rows }, (_, index) => index * 2),
  })
  const properties = new WriterPropertiesBuilder().setCompression(Compression[codec]).build()
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, 'stream')), properties)
}
