import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeUnit } from 'apache-arrow'
import { builderOf } from '../../src/arrow/builder.ts'
import {
  civilOf,
  daysOf,
  formatDate,
  formatDateTime,
  isLeapYear,
  parseDate,
  parseDateTime,
  timestampMicrosOf,
} from '../../src/arrow/time.ts'
import { chanceOf } from '../support/values/chance.ts'

const DAY_MS = 86_400_000

/** Returns the date by `Date`; `Date.UTC` would read years below 100 as years of the 20th century. */
function dateOf(year: number, month: number, day: number): Date {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date
}

test('Days, months and years agree with Date over a sample of the years 0 to 9999', (t) => {
  const chance = chanceOf(t)
  const years = [0, 1, 4, 99, 100, 400, 1582, 1899, 1900, 1969, 1970, 1972, 2000, 2024, 2100, 9999]
  for (let i = 0; i < 3000; i++) {
    const year = chance.once(4) ? chance.pick(years) : chance.int(10_000)
    const month = 1 + chance.int(12)
    const day = 1 + chance.int(31)
    const date = dateOf(year, month, day)
    const isDay = date.getUTCMonth() === month - 1
    const days = daysOf(year, month, day)
    assert.equal(days, isDay ? date.getTime() / DAY_MS : undefined, `${year}-${month}-${day}`)
    if (days === undefined) continue
    assert.deepEqual(civilOf(days), { year, month, day })
    assert.equal(formatDate(days), date.toISOString().slice(0, 10))
    assert.equal(parseDate(formatDate(days)), days)
  }
})

test('29 February exists only in leap years', () => {
  for (let year = 0; year < 10_000; year++) {
    const isLeap = dateOf(year, 2, 29).getUTCMonth() === 1
    assert.equal(isLeapYear(year), isLeap, String(year))
    assert.equal(daysOf(year, 2, 29) !== undefined, isLeap, String(year))
  }
})

test('Dates that do not exist, and text that is not a date, are refused', () => {
  for (const text of [
    '2023-02-29',
    '2024-02-30',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-01-32',
    '24-01-01',
    '2024-1-1',
    '2024-01-01T00:00:00Z',
    ' 2024-01-01',
    '2024-01-01\n',
    '+2024-01-01',
    '',
    '٢٠٢٤-٠١-٠١',
  ])
    assert.equal(parseDate(text), undefined, text)
})

/** Returns the microseconds since the epoch. */
function microsOf(text: string, zoned = true): bigint | undefined {
  const parsed = parseDateTime(text, zoned)
  return parsed && BigInt(parsed.days) * 86_400_000_000n + BigInt(parsed.micros)
}

test('Instants with any offset and fraction agree with Date, and their text reads back', (t) => {
  const chance = chanceOf(t)
  const two = (value: number): string => String(value).padStart(2, '0')
  for (let i = 0; i < 3000; i++) {
    const day = `${String(1 + chance.int(9998)).padStart(4, '0')}-${two(1 + chance.int(12))}-${two(1 + chance.int(28))}`
    const time = `${two(chance.int(24))}:${two(chance.int(60))}:${two(chance.int(60))}`
    const fraction = String(chance.int(1_000_000_000))
      .padStart(9, '0')
      .slice(0, 1 + chance.int(9))
    const zone = chance.once(2)
      ? 'Z'
      : `${chance.pick(['+', '-'])}${two(chance.int(24))}:${two(chance.int(60))}`
    const text = `${day}T${time}.${fraction}${zone}`
    const micros =
      BigInt(Date.parse(`${day}T${time}${zone}`)) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
    assert.equal(microsOf(text), micros, text)
    const parsed = parseDateTime(text, true)
    assert.ok(parsed !== undefined && parsed.micros >= 0 && parsed.micros < 86_400_000_000)
    assert.equal(microsOf(formatDateTime(micros, true)), micros, text)
  }
})

test('A zone is required for timestamp and refused for timestamp_ntz', () => {
  assert.equal(microsOf('1970-01-01T00:00:00'), undefined)
  assert.equal(microsOf('1970-01-01T00:00:00', false), 0n)
  assert.equal(microsOf('1970-01-01T00:00:00Z', false), undefined)
  assert.equal(microsOf('1970-01-01 00:00:00+0000'), 0n)
  assert.equal(microsOf('1970-01-01t01:00:00+01'), 0n)
  assert.equal(formatDateTime(0n, false), '1970-01-01T00:00:00.000000')
})

test('Text is read as Java writes it: seconds of 0 are absent, a region follows the offset', () => {
  for (const [text, same] of [
    ['2020-01-01T10:15Z', '2020-01-01T10:15:00Z'],
    ['2020-01-01T10:15+01:00', '2020-01-01T09:15:00Z'],
    ['2020-01-01 10:15-0530', '2020-01-01T15:45:00Z'],
    ['2020-01-01T10:15+01:00[Europe/Berlin]', '2020-01-01T09:15:00Z'],
    ['2020-01-01T10:15:30.123Z[GMT+00:00]', '2020-01-01T10:15:30.123Z'],
    ['1890-01-01T00:00+00:53:28[Europe/Berlin]', '1889-12-31T23:06:32Z'],
    ['1890-01-01T00:00:00-005328', '1890-01-01T00:53:28Z'],
  ] as const) {
    assert.notEqual(microsOf(text), undefined, text)
    assert.equal(microsOf(text), microsOf(same), text)
  }
  assert.equal(microsOf('2020-01-01T10:15', false), microsOf('2020-01-01T10:15:00', false))
  assert.notEqual(microsOf('2020-01-01T10:15', false), undefined)
  assert.equal(builderOf('timestamp').append('2020-01-01T10:15Z'), undefined)
  assert.equal(builderOf('timestamp_ntz').append('2020-01-01T10:15'), undefined)
  assert.match(builderOf('timestamp').append('2020-01-01T10:15') ?? '', /date and time with zone/)
  // The offset decides, as it does in Java: Berlin has another one in January.
  assert.equal(microsOf('2020-01-01T10:15+05:00[Europe/Berlin]'), microsOf('2020-01-01T05:15:00Z'))
})

test('A leap second is the first of the next minute', () => {
  assert.equal(microsOf('2016-12-31T23:59:60Z'), microsOf('2017-01-01T00:00:00Z'))
})

test('Text that is not a date and time is refused', () => {
  for (const text of [
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-02-30T00:00:00Z',
    '2024-01-01T00Z',
    '2024-01-01T00:00.5Z',
    '2024-01-01T00:0Z',
    '2024-01-01T00:00:00+00:00:60',
    '2024-01-01T00:00:00[Europe/Berlin]',
    '2024-01-01T00:00Z[]',
    '2024-01-01T00:00Z[Europe/Berlin',
    '2024-01-01T00:00Z[Europe/Berlin][u-ca=iso8601]',
    `2024-01-01T00:00Z[${'x'.repeat(65)}]`,
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01_00:00:00Z',
    '2024-01-01T00:00:00 Z',
    'now',
    '',
  ])
    assert.equal(microsOf(text), undefined, text)
})

test('An instant outside the years 0 to 9999 in UTC is refused, because its text could not be parsed again', () => {
  assert.equal(microsOf('0000-01-01T00:59:59+01:00'), undefined)
  assert.equal(microsOf('9999-12-31T23:00:00-01:00'), undefined)
  assert.equal(microsOf('9999-12-31T23:59:60Z'), undefined)
  for (const text of ['0000-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z'])
    assert.equal(formatDateTime(microsOf(text) ?? 0n, true), text)
})

test('Microseconds before the epoch keep their fraction', () => {
  assert.equal(formatDateTime(-1n, true), '1969-12-31T23:59:59.999999Z')
  assert.equal(formatDateTime(-86_400_000_000n, true), '1969-12-31T00:00:00.000000Z')
  assert.equal(formatDateTime(-86_400_000_001n, true), '1969-12-30T23:59:59.999999Z')
})

test('Timestamps of each unit become microseconds, and nanoseconds are rounded down before 1970 too', () => {
  assert.deepEqual(
    [TimeUnit.SECOND, TimeUnit.MILLISECOND, TimeUnit.MICROSECOND, TimeUnit.NANOSECOND].map((unit) =>
      timestampMicrosOf(-1_500n, unit),
    ),
    [-1_500_000_000n, -1_500_000n, -1_500n, -2n],
  )
  assert.deepEqual(
    [-1_000n, -1n, 0n, 999n, 1_000n].map((nanos) => timestampMicrosOf(nanos, TimeUnit.NANOSECOND)),
    [-1n, -1n, 0n, 0n, 1n],
  )
})
