import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Column } from '../../src/arrow/column.ts'
import { valueAt } from '../../src/arrow/values.ts'
import type { StructType } from '../../src/core/schema.ts'
import { datePart } from '../../src/enrichments/date-parts.ts'
import { rowsOf, structOf } from '../support/batches.ts'
import { chanceOf } from '../support/chance.ts'

/** The derived values of rows. */
function derived(
  expression: string,
  schema: StructType,
  rows: readonly Record<string, unknown>[],
): unknown[] {
  const [column] = datePart('part', expression, schema).columns(rowsOf(schema, rows))
  return rows.map((_, row) => valueAt(column as Column, row))
}

test('Every part of a timestamp is that of UTC, and null where there is no timestamp', () => {
  const schema = structOf({ at: 'timestamp' })
  const rows = [{ at: '2024-02-29T23:30:00-02:00' }, { at: null }, { at: '1969-12-31T23:59:59.999999Z' }]
  assert.deepEqual(derived('date(at)', schema, rows), ['2024-03-01', null, '1969-12-31'])
  assert.deepEqual(derived('year(at)', schema, rows), [2024, null, 1969])
  assert.deepEqual(derived('month(at)', schema, rows), [3, null, 12])
  assert.deepEqual(derived('day(at)', schema, rows), [1, null, 31])
  assert.deepEqual(derived('hour(at)', schema, rows), [1, null, 23])
})

test('Dates, timestamps without zone and fields of structs are sources as well', () => {
  const schema = structOf({ on: 'date', s: structOf({ ntz: 'timestamp_ntz' }) })
  const rows = [
    { on: '1900-03-01', s: { ntz: '2024-01-01T05:00:00' } },
    { on: '0001-01-01', s: null },
  ]
  assert.deepEqual(derived('year(on)', schema, rows), [1900, 1])
  assert.deepEqual(derived('hour(on)', schema, rows), [0, 0])
  assert.deepEqual(derived('hour(s.ntz)', schema, rows), [5, null])
})

test('The last microsecond of a day belongs to it, however far from the epoch', () => {
  const rows = [
    '9999-12-31T23:59:59.999999Z',
    '0001-01-01T00:00:00.000000Z',
    '2500-06-30T23:59:59.999999Z',
    '1500-01-01T00:00:00Z',
    '1500-01-01T23:59:59.999999Z',
  ]
  const at = rows.map((text) => ({ at: text }))
  const schema = structOf({ at: 'timestamp' })
  assert.deepEqual(
    derived('date(at)', schema, at),
    rows.map((text) => text.slice(0, 10)),
  )
  assert.deepEqual(derived('hour(at)', schema, at), [23, 0, 23, 0, 23])
})

test('Parts of random instants agree with Date', (t) => {
  const chance = chanceOf(t)
  const schema = structOf({ at: 'timestamp' })
  const dates = Array.from(
    { length: 500 },
    () => new Date(chance.int(2 ** 32) * 73_000 + chance.int(73_000) - 62_000_000_000_000),
  )
  const rows = dates.map((date) => ({ at: date.toISOString() }))
  assert.deepEqual(
    derived('year(at)', schema, rows),
    dates.map((date) => date.getUTCFullYear()),
  )
  assert.deepEqual(
    derived('month(at)', schema, rows),
    dates.map((date) => date.getUTCMonth() + 1),
  )
  assert.deepEqual(
    derived('day(at)', schema, rows),
    dates.map((date) => date.getUTCDate()),
  )
  assert.deepEqual(
    derived('hour(at)', schema, rows),
    dates.map((date) => date.getUTCHours()),
  )
})

test('An expression that is none, or whose column is no date or time, is refused', () => {
  const schema = structOf({ at: 'timestamp', n: 'long', s: structOf({ n: 'long' }) })
  for (const expression of [
    'week(at)',
    'at',
    'date(n)',
    'date(missing)',
    'date(s)',
    'date(s.n)',
    'date(at.x)',
    '',
  ])
    assert.throws(() => datePart('part', expression, schema), { code: 'KD_CONFIG_INVALID' }, expression)
})
