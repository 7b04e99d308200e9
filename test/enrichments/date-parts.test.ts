import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derivedColumn } from '../../src/enrichments/derived-column.ts'
import { structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import { derived, enriched } from './derived.ts'

test('Every part of a timestamp is in UTC, and null without a timestamp', () => {
  const schema = structOf({ at: 'timestamp' })
  const rows = [{ at: '2024-02-29T23:30:00-02:00' }, { at: null }, { at: '1969-12-31T23:59:59.999999Z' }]
  assert.deepEqual(derived('date(at)', schema, rows), ['2024-03-01', null, '1969-12-31'])
  assert.deepEqual(derived('year(at)', schema, rows), [2024, null, 1969])
  assert.deepEqual(derived('month(at)', schema, rows), [3, null, 12])
  assert.deepEqual(derived('day(at)', schema, rows), [1, null, 31])
  assert.deepEqual(derived('hour(at)', schema, rows), [1, null, 23])
})

test('Dates, timestamps without time zone and struct fields are sources as well', () => {
  const schema = structOf({ on: 'date', s: structOf({ ntz: 'timestamp_ntz' }) })
  const rows = [
    { on: '1900-03-01', s: { ntz: '2024-01-01T05:00:00' } },
    { on: '0001-01-01', s: null },
  ]
  assert.deepEqual(derived('year(on)', schema, rows), [1900, 1])
  assert.deepEqual(derived('hour(on)', schema, rows), [0, 0])
  assert.deepEqual(derived('hour(s.ntz)', schema, rows), [5, null])
})

test('A source with dots in its name is found by its name and in quotes', () => {
  const schema = structOf({ 'at.utc': 'timestamp', s: structOf({ 'at.utc': 'timestamp' }) })
  const rows = [{ 'at.utc': '2024-02-29T00:00:00Z', s: { 'at.utc': '2023-01-01T00:00:00Z' } }]
  assert.deepEqual(derived('year(at.utc)', schema, rows), [2024])
  assert.deepEqual(derived('year("at.utc")', schema, rows), [2024])
  assert.deepEqual(derived('year(s."at.utc")', schema, rows), [2023])
  assert.throws(() => derivedColumn('part', 'year(s.at.utc)', schema), { code: 'KD_CONFIG_INVALID' })
})

test('The last microsecond of a day belongs to that day, however far from the epoch', () => {
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

test('An invalid expression, or one whose column is not a date or time, is refused', () => {
  const schema = structOf({
    at: 'timestamp',
    ntz: 'timestamp_ntz',
    on: 'date',
    n: 'long',
    b: 'boolean',
    s: structOf({ n: 'long' }),
  })
  for (const expression of [
    'week(at)',
    'at',
    'date(n)',
    'date(missing)',
    'date(s)',
    'date(s.n)',
    'date(at.x)',
    'date(millis(at))',
    'date(millis(b))',
    "date(on, 'Europe/Berlin')",
    "date(ntz, 'Europe/Berlin')",
    '',
  ])
    assert.throws(() => derivedColumn('part', expression, schema), { code: 'KD_CONFIG_INVALID' }, expression)
})

test('Parts in a time zone follow its local time, across offset changes', () => {
  const schema = structOf({ at: 'timestamp' })
  const rows = [
    '2026-03-28T22:59:59.999999Z',
    '2026-03-28T23:00:00Z',
    '2026-03-29T00:59:59.999999Z',
    '2026-03-29T01:00:00Z',
    '2026-10-25T00:30:00Z',
    '2026-10-25T01:30:00Z',
    '2026-12-31T23:00:00Z',
  ].map((at) => ({ at }))
  const part = (name: string): unknown[] => derived(`${name}(at, 'Europe/Berlin')`, schema, rows)
  assert.deepEqual(part('date'), [
    '2026-03-28',
    '2026-03-29',
    '2026-03-29',
    '2026-03-29',
    '2026-10-25',
    '2026-10-25',
    '2027-01-01',
  ])
  assert.deepEqual(part('hour'), [23, 0, 1, 3, 2, 2, 0])
  assert.deepEqual(part('year').at(-1), 2027)
})

test('Text is read as ISO 8601, in UTC without a zone; a date alone is that date in every zone', () => {
  const schema = structOf({ at: 'string' })
  const rows = [
    '2026-01-01T23:30:00Z',
    '2026-01-01T23:30:00',
    '2026-01-02T00:30:00+01:00',
    '2026-01-01',
    null,
  ]
  const at = rows.map((text) => ({ at: text }))
  const zoned = derived("date(at, 'Europe/Berlin')", schema, at)
  assert.deepEqual(zoned, ['2026-01-02', '2026-01-02', '2026-01-02', '2026-01-01', null])
  assert.deepEqual(derived('hour(at)', schema, at), [23, 23, 23, 0, null])
})

test('Numbers count seconds, milliseconds or microseconds since the epoch', () => {
  const schema = structOf({ n: 'long', d: 'double', i: 'integer' })
  const rows = [
    { n: 1_772_323_200_000, d: 1_772_323_200.75, i: 1_772_323_200 },
    { n: -1, d: -0.5, i: -1 },
    {},
  ]
  assert.deepEqual(derived('date(millis(n))', schema, rows), ['2026-03-01', '1969-12-31', null])
  assert.deepEqual(derived("hour(seconds(d), 'Asia/Kolkata')", schema, rows), [5, 5, null])
  assert.deepEqual(derived('date(seconds(i))', schema, rows), ['2026-03-01', '1969-12-31', null])
  assert.deepEqual(derived('year(micros(n))', schema, rows), [1970, 1969, null])
})

test('The timestamp of a record is a source even when rows have no column for it', () => {
  const schema = structOf({ n: 'long' })
  const values = derived("date(_kafka_timestamp, 'America/New_York')", schema, [{}], {
    timestampMs: 1_772_323_200_000,
  })
  assert.deepEqual(values, ['2026-02-28'])
})

test('Rows with text that is not a time, or a time out of range, are rejected with the value', () => {
  const text = structOf({ at: 'string' })
  const texts = ['yesterday', '2026-02-30', '10000-01-01T00:00:00Z', '2026-01-01'].map((at) => ({ at }))
  const { rejected } = enriched(derivedColumn('day', 'date(at)', text), text, texts)
  assert.deepEqual(Object.keys(rejected), ['0', '1', '2'])
  assert.equal(
    rejected[0],
    'day: expected an ISO 8601 date, or date and time, of the years 0 to 9999 in at, got "yesterday"',
  )
  const number = structOf({ n: 'long' })
  const numbers = [9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n, 253_402_300_799_999].map((n) => ({
    n,
  }))
  const edges = enriched(derivedColumn('day', "date(millis(n), 'Asia/Tokyo')", number), number, numbers)
  assert.deepEqual(Object.keys(edges.rejected), ['0', '1', '2'])
  assert.equal(edges.rejected[2], 'day: expected a time within the years 0 to 9999 in n, got 253402300799999')
  const late = enriched(derivedColumn('day', "date(at, 'Asia/Tokyo')", text), text, [
    { at: '9999-12-31T23:00Z' },
  ])
  assert.equal(
    late.rejected[0],
    'day: expected a time within the years 0 to 9999 in at, got "9999-12-31T23:00Z"',
  )
})

test('Text is read as Java writes it: without seconds that are 0, and with a region after the offset', () => {
  const schema = structOf({ at: 'string' })
  const texts = [
    '2020-01-01T10:15Z',
    '2020-01-01T10:15',
    '2020-01-01 10:15',
    '2020-01-01T00:15+01:00[Europe/Berlin]',
    '2020-01-01T10:15:30.5Z[UTC]',
  ]
  const rows = texts.map((at) => ({ at }))
  assert.deepEqual(derived('hour(at)', schema, rows), [10, 10, 10, 23, 10])
  assert.deepEqual(derived("date(at, 'Asia/Tokyo')", schema, rows), [
    ...['2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01'],
  ])
})
