import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canCast, castColumn } from '../../src/arrow/cast.ts'
import type { Column } from '../../src/arrow/column.ts'
import { gather } from '../../src/arrow/gather.ts'
import { valueAt } from '../../src/arrow/values.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import type { DataType } from '../../src/core/schema.ts'
import { arrayOf, columnsOf, mapOf, structOf } from '../support/flow/batches.ts'

function columnOf(type: DataType, values: readonly unknown[]): Column {
  const [column] = columnsOf(
    structOf({ c: type }),
    values.map((c) => ({ c })),
  ).columns
  assert.ok(column !== undefined)
  return column
}
const valuesOf = (column: Column): unknown[] =>
  Array.from({ length: column.length }, (_, row) => {
    const value = valueAt(column, row)
    return value instanceof ExactNumber ? value.text : value
  })

const CASES: readonly (readonly [DataType, DataType, readonly (readonly [unknown, unknown])[]])[] = [
  [
    'byte',
    'short',
    [
      [-128, -128],
      [127, 127],
    ],
  ],
  [
    'byte',
    'long',
    [
      [-128, -128],
      [0, 0],
      [127, 127],
    ],
  ],
  ['short', 'integer', [[-32768, -32768]]],
  [
    'integer',
    'long',
    [
      [-2147483648, -2147483648],
      [2147483647, 2147483647],
      [-1, -1],
    ],
  ],
  ['integer', 'double', [[-5, -5]]],
  ['float', 'double', [[1.5, 1.5]]],
  [
    'long',
    'double',
    [
      [9007199254740993n, 9007199254740992],
      [-3, -3],
    ],
  ],
  [
    'date',
    'timestamp_ntz',
    [
      ['1969-12-31', '1969-12-31T00:00:00.000000'],
      ['9999-12-31', '9999-12-31T00:00:00.000000'],
    ],
  ],
  ['integer', 'decimal(12,2)', [[-7, '-7.00']]],
  ['long', 'decimal(22,2)', [[-9223372036854775808n, '-9223372036854775808.00']]],
  ['decimal(6,2)', 'decimal(10,4)', [[new ExactNumber('-1234.56'), '-1234.5600']]],
  ['long', 'string', [[9007199254740993n, '9007199254740993']]],
  [
    'double',
    'string',
    [
      [1.5, '1.5'],
      [1e21, '1e+21'],
    ],
  ],
  ['boolean', 'string', [[true, 'true']]],
  ['date', 'string', [['2026-03-01', '2026-03-01']]],
  ['decimal(20,2)', 'string', [[new ExactNumber('123456789012345678.90'), '123456789012345678.90']]],
  [
    structOf({ a: 'long', b: arrayOf('string') }),
    'string',
    [[{ a: null, b: ['x', null] }, '{"b":["x",null]}']],
  ],
  [mapOf('long'), 'string', [[{ k: 1 }, '{"k":1}']]],
]

for (const [from, to, pairs] of CASES) {
  test(`${JSON.stringify(from)} becomes ${JSON.stringify(to)}, null stays null`, () => {
    assert.ok(canCast(from, to))
    const cast = castColumn(columnOf(from, [null, ...pairs.map(([value]) => value)]), to)
    assert.equal(cast.type, to)
    assert.deepEqual(valuesOf(cast), [null, ...pairs.map(([, value]) => value)])
  })
}

test('Other casts are refused, except of a column without values', () => {
  const cases: readonly (readonly [DataType, unknown, DataType])[] = [
    ['long', 1, 'integer'],
    ['double', 1.5, 'long'],
    ['date', '2026-03-01', 'timestamp'],
    ['decimal(10,4)', new ExactNumber('1.5'), 'decimal(10,2)'],
    ['string', '1', 'long'],
    [arrayOf('long'), [1], 'long'],
    ['long', 1, arrayOf('long')],
  ]
  for (const [from, value, to] of cases) {
    assert.ok(!canCast(from, to))
    assert.throws(() => castColumn(columnOf(from, [null, value]), to), { code: 'KD_SCHEMA_MISMATCH' })
    assert.deepEqual(valuesOf(castColumn(columnOf(from, [null, null]), to)), [null, null])
  }
})

test('Picks of several types are gathered in one type, by rows and ranges, at every depth', () => {
  const narrow = columnOf(arrayOf(structOf({ N: 'integer', s: 'boolean' })), [
    [{ N: 1, s: true }],
    null,
    [{ N: 2 }, { N: 3 }],
  ])
  const wide = columnOf(arrayOf(structOf({ n: 'long', t: 'date' })), [[{ n: 2 ** 40, t: '2026-03-01' }]])
  const both = gather(arrayOf(structOf({ n: 'double', s: 'string', t: 'date' })), [
    { column: narrow, rows: Int32Array.of(2, 0), start: 0, end: 2 },
    { column: wide, start: 0, end: 1 },
  ])
  assert.deepEqual(valuesOf(both), [
    [
      { n: 2, s: null, t: null },
      { n: 3, s: null, t: null },
    ],
    [{ n: 1, s: 'true', t: null }],
    [{ n: 2 ** 40, s: null, t: '2026-03-01' }],
  ])
})
