import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as arrow from 'apache-arrow'
import type { PrimitiveName } from '../../../src/core/schema.ts'
import { primitiveTextReaderOf } from '../../../src/delta/statistics/json-primitives.ts'

const COLUMNS = {
  int: arrow.vectorFromArray([-5], new arrow.Int32()),
  long: arrow.vectorFromArray([-(2n ** 63n)], new arrow.Int64()),
  float: arrow.vectorFromArray([0.5], new arrow.Float32()),
  double: arrow.vectorFromArray([0.1], new arrow.Float64()),
  date: arrow.vectorFromArray([new Date(Date.UTC(1969, 11, 31))], new arrow.DateDay()),
  text: arrow.vectorFromArray(['5'], new arrow.Utf8()),
  flag: arrow.vectorFromArray([true], new arrow.Bool()),
} as const

for (const [column, type, text] of [
  ['int', 'byte', '-5'],
  ['int', 'long', '-5'],
  ['int', 'double', '-5'],
  ['int', 'decimal(12,2)', '-5.00'],
  ['long', 'decimal(20,1)', '-9223372036854775808.0'],
  ['float', 'double', '0.5'],
  ['date', 'timestamp_ntz', '"1969-12-31T00:00:00.000000"'],
  ['text', 'binary', '"NQ=="'],
] as const) {
  test(`A column of ${column} is read as ${type}`, () => {
    assert.equal(textOf(column, type), text)
  })
}

for (const [column, type] of [
  ['int', 'string'],
  ['int', 'date'],
  ['int', 'decimal(9,0)'],
  ['long', 'integer'],
  ['long', 'double'],
  ['long', 'decimal(18,0)'],
  ['double', 'float'],
  ['double', 'long'],
  ['date', 'timestamp'],
  ['text', 'long'],
  ['flag', 'integer'],
] as const) {
  test(`A column of ${column} is refused for a table column of ${type}`, () => {
    assert.throws(() => textOf(column, type), {
      code: 'KD_PARQUET_FAILED',
      message: new RegExp(`wants ${type.replace(/[()]/g, '.')}`),
    })
  })
}

function textOf(column: keyof typeof COLUMNS, type: PrimitiveName): string {
  const data = COLUMNS[column].data[0] as arrow.Data | undefined
  assert.ok(data)
  return primitiveTextReaderOf(data, type)(0)
}
