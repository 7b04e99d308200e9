import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DATE_PARTS, findDerivationFault, parseDerivation } from '../../../config/rows/derive.ts'

for (const part of DATE_PARTS) {
  it(`${part}(column) is parsed, blanks are ignored`, () => {
    const expected = { kind: 'part', column: 'c', part, from: 'time stamp' }
    assert.deepEqual(parseDerivation('c', `${part}(time stamp)`), expected)
    assert.deepEqual(parseDerivation('c', ` ${part} ( time stamp ) `), expected)
  })
}

for (const text of [
  '',
  'date',
  'date()',
  'date( )',
  'minute(ts)',
  'DATE(ts)',
  'date(ts',
  'date(a)(b)',
  'date((a))',
  'date(weeks(a))',
  'date(millis())',
  'bucket(a)',
  'bucket(a, 0)',
  'bucket(a, -4)',
  'bucket(a, 1000001)',
  'bucket(, 4)',
  'truncate(a, 1.5)',
  'truncate(f(a), 4)',
  'xdate(a)',
]) {
  it(`${JSON.stringify(text)} is not a derivation`, () => {
    assert.equal(parseDerivation('c', text), undefined)
  })
}

it('Time zones, units, buckets and widths are parsed', () => {
  const part = { kind: 'part', column: 'c', part: 'hour', from: 'a.b' }
  const parse = (text: string): unknown => parseDerivation('c', text)
  assert.deepEqual(parse("hour(a.b, 'Europe/Berlin')"), { ...part, timeZone: 'Europe/Berlin' })
  assert.deepEqual(parse('hour(millis(a.b))'), { ...part, unit: 'millis' })
  assert.deepEqual(parse("hour( seconds( a.b ) ,'UTC')"), { ...part, unit: 'seconds', timeZone: 'UTC' })
  assert.deepEqual(parse('bucket(a, 16)'), { kind: 'bucket', column: 'c', from: 'a', buckets: 16 })
  assert.deepEqual(parse('truncate(a b, 4)'), { kind: 'truncate', column: 'c', from: 'a b', width: 4 })
})

it('An unknown time zone is a fault that names the nearest one', () => {
  assert.equal(findDerivationFault('c', "date(at, 'Europe/Berlin')"), undefined)
  assert.match(
    findDerivationFault('c', "date(at, 'Europe/Berlyn')") ?? '',
    /nearest to "Europe\/Berlyn" is Europe\/Berlin/,
  )
  assert.match(findDerivationFault('c', 'week(at)') ?? '', /^must be one of year\(c\)/)
})

it('A name in quotes may contain dots, commas and parentheses', () => {
  const parse = (text: string): unknown => parseDerivation('c', text)
  const part = { kind: 'part', column: 'c', part: 'date' }
  assert.deepEqual(parse('date("at.x".y)'), { ...part, from: '"at.x".y' })
  assert.deepEqual(parse('date(millis("t (ms)"), \'UTC\')'), {
    ...part,
    from: '"t (ms)"',
    unit: 'millis',
    timeZone: 'UTC',
  })
  assert.deepEqual(parse('bucket("a, (b)", 4)'), {
    kind: 'bucket',
    column: 'c',
    from: '"a, (b)"',
    buckets: 4,
  })
  assert.equal(parse('date("a"())'), undefined)
  assert.match(findDerivationFault('c', 'date("a"b)') ?? '', /^must have a dot after the closing quote/)
})
