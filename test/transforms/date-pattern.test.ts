import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dateParser } from '../../src/transforms/date-pattern.ts'

const SEED = Date.now() % 1_000_000

/** The platform's own clock of a zone. */
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

test('A local time that a zone shows is read as an instant that shows it, in every zone and around every change', () => {
  console.log(`seed ${SEED}`)
  const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
  const seconds = fc.integer({ min: 0, max: 2_000_000_000 })
  fc.assert(
    fc.property(zones, seconds, (zone, second) => {
      const local = clockOf(second * 1000, zone)
      const instant = Date.parse(dateParser('yyyy-MM-dd HH:mm:ss', zone).parse(local))
      assert.equal(clockOf(instant, zone), local)
      // Where the clocks show it twice, the first.
      assert.ok(instant <= second * 1000, 'the first of two')
    }),
    { numRuns: 200, seed: SEED },
  )
})

test('An hour that clocks show twice is the first of both, one that they leave out is moved by as much', () => {
  const berlin = dateParser('yyyy-MM-dd HH:mm', 'Europe/Berlin')
  assert.equal(berlin.parse('2024-10-27 02:30'), '2024-10-27T00:30:00Z')
  assert.equal(berlin.parse('2024-03-31 02:30'), '2024-03-31T01:30:00Z')
})

test('Texts that do not follow their pattern to the end, or name no day, are refused', () => {
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
    assert.throws(() => dateParser(pattern, 'UTC').parse(text), /parse_date\(\) expected /, text)
})

test('Months and weekdays by name, halves of the day, fractions and offsets are read', () => {
  const read = (pattern: string, text: string): string => dateParser(pattern, 'UTC').parse(text)
  assert.equal(read('EEEE, d MMMM yyyy', 'Saturday, 3 February 2024'), '2024-02-03')
  assert.equal(read('EEE d MMM yy', 'Sat 3 Feb 24'), '2024-02-03')
  assert.equal(read('M/d/yyyy h:mm a', '2/3/2024 12:05 am'), '2024-02-03T00:05:00Z')
  assert.equal(
    read("yyyyMMdd'T'HHmmssSSSSSSSSSX", '20240203T100000123456789-0130'),
    '2024-02-03T11:30:00.123456Z',
  )
})

test('A pattern without a day, with an unknown letter, or with half a clock is refused, and so is an unknown zone', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['HH:mm', 'UTC', /names no year/],
    ['yyyy-MM-dd QQ', 'UTC', /QQ of the pattern .* is not supported/],
    ['yyyy-MM-dd hh:mm', 'UTC', /h without a/],
    ['yyyy-MM-dd', 'Europe/Berln', /the nearest to "Europe\/Berln" is Europe\/Berlin/],
  ]
  for (const [pattern, zone, message] of refused)
    assert.throws(() => dateParser(pattern, zone), message, pattern)
})
