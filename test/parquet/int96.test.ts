import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Data } from 'apache-arrow'
import type { DataType } from '../../src/core/schema.ts'
import { jsonTextReaderOf } from '../../src/delta/statistics/json-text.ts'
import { rewriteInt96AsBytes } from '../../src/parquet/int96.ts'
import { readArrowTables } from '../../src/parquet/reader.ts'
import { arrayOf, mapOf, structOf } from '../support/flow/batches.ts'

// Three rows that Spark 4.2 wrote: an id, a timestamp, twelve bytes that are not INT96, and timestamps in a struct, a
// list and a map.
const bytes = readFileSync(new URL('../fixtures/parquet/int96.parquet', import.meta.url))

function textsOf(column: string, type: DataType, columns?: readonly string[]): string[] {
  return [...readArrowTables('f', bytes, columns === undefined ? {} : { columns })].flatMap((table) =>
    table.batches.flatMap((batch) => {
      const text = jsonTextReaderOf(batch.getChild(column)?.data[0] as Data, type)
      return Array.from({ length: batch.numRows }, (_, row) => text(row))
    }),
  )
}

test('INT96 timestamps are correct in every year, nested ones included', () => {
  assert.deepEqual(textsOf('at', 'timestamp'), [
    '"9999-12-31T23:59:59.999999Z"',
    'null',
    '"1582-10-15T00:00:00.000000Z"',
  ])
  assert.deepEqual(textsOf('st', structOf({ at: 'timestamp', s: 'string' })), [
    '{"at":"0001-01-01T00:00:00.000000Z","s":"a"}',
    'null',
    '{"at":null,"s":"b"}',
  ])
  assert.deepEqual(textsOf('arr', arrayOf('timestamp')), [
    '["1969-12-31T23:59:59.999999Z",null]',
    'null',
    '[]',
  ])
  assert.deepEqual(textsOf('m', mapOf('timestamp')), ['{"k":"2026-01-01T00:00:00.000001Z"}', 'null', '{}'])
})

test('Other columns of the file stay unchanged, and columns can be selected', () => {
  const twelve = `"${Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).toString('base64')}"`
  assert.deepEqual(textsOf('bytes', 'binary'), [twelve, 'null', twelve])
  assert.deepEqual(textsOf('id', 'integer', ['id']), ['1', '2', '3'])
  assert.deepEqual(textsOf('m', mapOf('timestamp'), ['m', 'id'])[0], '{"k":"2026-01-01T00:00:00.000001Z"}')
})

test('Files without INT96, damaged files and other bytes are left to the decoder', () => {
  const [table] = readArrowTables('f', bytes)
  assert.equal(table?.numRows, 3)
  assert.equal(rewriteInt96AsBytes(rewriteInt96AsBytes(bytes)?.bytes ?? new Uint8Array(0)), undefined)
  assert.equal(rewriteInt96AsBytes(new Uint8Array(3)), undefined)
  assert.equal(rewriteInt96AsBytes(new Uint8Array(100).fill(255)), undefined)
  const damaged = Buffer.from(bytes)
  damaged.fill(255, bytes.length - 100, bytes.length - 8)
  assert.equal(rewriteInt96AsBytes(damaged), undefined)
})
