import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dateParserFor } from '../../src/transforms/date-pattern.ts'

const SEED = Date.now() % 1_000_000

/** The platform's clock in a time zone. */
function clockOf(ms: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(ms)
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}:${part('second')}`
}

test('A local time is parsed to an instant with that local time, in every zone and around every offset change', () => {
  console.log(`seed ${SEED}`)
  const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
  const seconds = fc.integer({ min: 0, max: 2_000_000_000 })
  fc.assert(
    fc.property(zones, seconds, (zone, second) => {
      const local = clockOf(second * 1000, zone)
      const instant = Date.parse(dateParserFor('yyyy-MM-dd HH:mm:ss', zone).parse(local))
      assert.equal(clockOf(instant, zone), local)
      // The first one, where the clock shows the time twice.
      assert.ok(instant <= second * 1000, 'the first of two')
    }),
    { numRuns: 200, seed: SEED },
  )
})

test('A repeated hour is the first of the two, a skipped hour is shifted by the gap', () => {
  const berlin = dateParserFor('yyyy-MM-dd HH:mm', 'Europe/Berlin')
  assert.equal(berlin.parse('2024-10-27 02:30'), '2024-10-27T00:30:00Z')
  assert.equal(berlin.parse('2024-03-31 02:30'), '2024-03-31T01:30:00Z')
})

test('Texts that do not match their whole pattern, or contain no valid day, are refused', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['yyyy-MM-dd', '2024-02-30'],
    ['yyyy-MM-dd', '2024-02-03 '],
    ['yyyy-MM-dd', '2024-2-03'],
    ['yyyy-MM-dd HH:mm', '2024-02-03 24:00'],
    ['yyyy-MM-dd hh:mm a', '2024-02-03 13:00 PM'],
    ['dd MMM yyyy', '03 Fev 2024'],
    ['yyyy-MM-dd HH:mm:ss.SSS', '2024-02-03 10:00:00.12'],
    ['yyyy-MM-dd HH:mm X', '2024-02-03 10:00 +25'],
  ]
  for (const [pattern, text] of refused)
    assert.throws(() => dateParserFor(pattern, 'UTC').parse(text), /parse_date\(\) expected /, text)
})

test('Month and weekday names, AM and PM, fractions and offsets are parsed', () => {
  const read = (pattern: string, text: string): string => dateParserFor(pattern, 'UTC').parse(text)
  assert.equal(read('EEEE, d MMMM yyyy', 'Saturday, 3 February 2024'), '2024-02-03')
  assert.equal(read('EEE d MMM yy', 'Sat 3 Feb 24'), '2024-02-03')
  assert.equal(read('M/d/yyyy h:mm a', '2/3/2024 12:05 am'), '2024-02-03T00:05:00Z')
  assert.equal(
    read("yyyyMMdd'T'HHmmssSSSSSSSSSX", '20240203T100000123456789-0130'),
    '2024-02-03T11:30:00.123456Z',
  )
})

test('A pattern without a day, with an unknown letter, or with h but without a is refused, and so is an unknown zone', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['HH:mm', 'UTC', /names no year/],
    ['yyyy-MM-dd QQ', 'UTC', /QQ of the pattern .* is not supported/],
    ['yyyy-MM-dd hh:mm', 'UTC', /h without a/],
    ['yyyy-MM-dd', 'Europe/Berln', /the nearest to "Europe\/Berln" is Europe\/Berlin/],
  ]
  for (const [pattern, zone, message] of refused)
    assert.throws(() => dateParserFor(pattern, zone), message, pattern)
})
