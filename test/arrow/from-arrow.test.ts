import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Data,
  DateDay,
  DateMillisecond,
  Dictionary,
  Int32,
  Int64,
  TimestampMillisecond,
  TimestampNanosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import type { Column } from '../../src/arrow/column.ts'
import { columnFromArrow } from '../../src/arrow/from-arrow.ts'
import { daysOfMs } from '../../src/arrow/time.ts'
import { valueAt } from '../../src/arrow/values.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { readArrowTables } from '../../src/parquet/reader.ts'
import { arrayOf, columnsOf, mapOf, structOf } from '../support/flow/batches.ts'
import { fileOf } from '../support/values/parquet-file.ts'

const inner = structOf({ n: 'long', t: 'string' })
const schema: StructType = structOf({
  string: 'string',
  long: 'long',
  integer: 'integer',
  short: 'short',
  byte: 'byte',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamp',
  ntz: 'timestamp_ntz',
  decimal: 'decimal(20,3)',
  struct: inner,
  list: arrayOf(inner),
  map: mapOf('double'),
  lists: arrayOf(arrayOf('string')),
})
const full = {
  string: 'zähne 🦷',
  long: -9_007_199_254_740_993n,
  integer: -2_147_483_648,
  short: -32_768,
  byte: -128,
  float: 0.5,
  double: -1e-300,
  boolean: true,
  binary: 'AAEC/w==',
  date: '1582-10-15',
  timestamp: '1900-01-02T03:04:05.000006Z',
  ntz: '9999-12-31T23:59:59.999999',
  decimal: '-12345678901234567.890',
  struct: { n: 1, t: null },
  list: [{ n: 1, t: 'a' }, null, { n: null, t: '' }],
  map: { a: 1.5, b: null },
  lists: [['a', null], [], null],
}
const rows = [full, {}, { ...full, struct: null, list: [], map: {}, boolean: false, string: '' }, full, {}]

test('Columns keep their values through a Parquet file, nulls and nested values included', async () => {
  const columns = columnsOf(schema, rows).columns
  const bytes = await fileOf(schema, [rows])
  const [table] = readArrowTables('f', bytes)
  for (const [at, { name, type }] of schema.fields.entries()) {
    const column = columnFromArrow(table?.batches[0]?.getChild(name)?.data[0] as Data, type, rows.length)
    assert.deepEqual(valuesOf(column), valuesOf(columns[at] as Column), name)
  }
})

test('A column that the data lacks is null, and so is a field of a struct', () => {
  assert.deepEqual(valuesOf(columnFromArrow(undefined, 'long', 2)), [null, null])
  const data = vectorFromArray([{ n: 1 }, { n: 2 }]).data[0] as Data
  const type = structOf({ n: 'double', more: 'string' })
  assert.deepEqual(valuesOf(columnFromArrow(data, type, 2)), [
    { n: 1, more: null },
    { n: 2, more: null },
  ])
})

test('A dictionary is read as its values', () => {
  const vector = vectorFromArray(['b', null, 'a', 'b'], new Dictionary(new Utf8(), new Int32()))
  assert.deepEqual(valuesOf(columnFromArrow(vector.data[0] as Data, 'string', 4)), ['b', null, 'a', 'b'])
})

test('Milliseconds and nanoseconds become microseconds, rounded down', () => {
  const millis = vectorFromArray([-1], new TimestampMillisecond()).data[0] as Data
  assert.deepEqual(valuesOf(columnFromArrow(millis, 'timestamp_ntz', 1)), ['1969-12-31T23:59:59.999000'])
  const nanos = vectorFromArray([0], new TimestampNanosecond()).data[0] as Data
  ;(nanos.values as BigInt64Array)[0] = -1n
  assert.deepEqual(valuesOf(columnFromArrow(nanos, 'timestamp_ntz', 1)), ['1969-12-31T23:59:59.999999'])
})

for (const [type, values] of [
  ['short', [32_768]],
  ['byte', [-129]],
] as const) {
  test(`A number that a ${type} cannot hold is an error`, () => {
    const data = vectorFromArray(values, new Int32()).data[0] as Data
    assert.throws(() => columnFromArrow(data, type, 1), { code: 'KD_PARQUET_FAILED' })
  })
}

for (const type of ['string', 'boolean', 'date', 'timestamp_ntz', arrayOf('long'), inner] as DataType[]) {
  test(`Integers are refused as ${typeof type === 'string' ? type : type.type}`, () => {
    const data = vectorFromArray([1], new Int32()).data[0] as Data
    assert.throws(() => columnFromArrow(data, type, 1), { code: 'KD_PARQUET_FAILED' })
  })
}

test('Dates in milliseconds belong to the day in which they lie, before 1970 too', () => {
  const day = 86_400_000n
  const data = vectorFromArray([new Date(0)], new DateMillisecond()).data[0] as Data
  const values = BigInt64Array.from([0n, day - 1n, -1n, -day, -day - 1n])
  const days = data.clone(data.type, 0, values.length, 0, [undefined, values] as never)
  assert.deepEqual(valuesOf(columnFromArrow(days, 'date', values.length)), [
    '1970-01-01',
    '1970-01-01',
    '1969-12-31',
    '1969-12-31',
    '1969-12-30',
  ])
  assert.deepEqual([...values].map(daysOfMs), [0, 0, -1, -1, -2])
})

test('Integers that fit are converted to wider and narrower types', () => {
  const data = vectorFromArray([1, -5, null], new Int32()).data[0] as Data
  for (const type of ['long', 'integer', 'short', 'byte'] as const)
    assert.deepEqual(valuesOf(columnFromArrow(data, type, 3)), [1, -5, null], type)
})

for (const [what, data, type, expected] of [
  ['Integers', vectorFromArray([1, -5, null], new Int32()), 'double', [1, -5, null]],
  ['Integers', vectorFromArray([1, -5, null], new Int32()), 'decimal(12,2)', ['1.00', '-5.00', null]],
  [
    'Longs',
    vectorFromArray([2n ** 62n, -5n, null], new Int64()),
    'decimal(21,2)',
    ['4611686018427387904.00', '-5.00', null],
  ],
  [
    'Days',
    vectorFromArray([-1, 0, null], new DateDay()),
    'timestamp_ntz',
    ['1969-12-31T00:00:00.000000', '1970-01-01T00:00:00.000000', null],
  ],
] as const) {
  test(`${what} are widened to ${type}`, () => {
    assert.deepEqual(
      textsOf(columnFromArrow(data.data[0] as Data, type, 3)),
      expected.map((value) => (value === null ? null : String(value))),
    )
  })
}

test('Decimals are widened in scale and precision, and never truncated', async () => {
  const narrow = structOf({ d: 'decimal(20,3)' })
  const [table] = readArrowTables(
    'f',
    await fileOf(narrow, [[{ d: '-12345678901234567.890' }, { d: null }, { d: '0.001' }]]),
  )
  const data = table?.batches[0]?.getChild('d')?.data[0] as Data
  assert.deepEqual(textsOf(columnFromArrow(data, 'decimal(24,5)', 3)), [
    '-12345678901234567.89000',
    null,
    '0.00100',
  ])
  assert.throws(() => columnFromArrow(data, 'decimal(20,4)', 3), { code: 'KD_PARQUET_FAILED' })
  assert.throws(() => columnFromArrow(data, 'decimal(38,2)', 3), { code: 'KD_PARQUET_FAILED' })
})

test('Integers with more digits than a decimal has are an error', () => {
  const data = vectorFromArray([1_000], new Int32()).data[0] as Data
  assert.throws(() => columnFromArrow(data, 'decimal(3,0)', 1), { code: 'KD_PARQUET_FAILED' })
})

function textsOf(column: Column): (string | null)[] {
  return valuesOf(column).map((value) => {
    if (value === null) return null
    return value instanceof ExactNumber ? value.text : JSON.stringify(value).replaceAll('"', '')
  })
}

function valuesOf(column: Column): unknown[] {
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row))
}
