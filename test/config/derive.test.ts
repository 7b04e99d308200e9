import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DATE_PARTS, parseDerivation } from '../../config/derive.ts'

for (const part of DATE_PARTS) {
  it(`${part}(column) is taken apart, blanks ignored`, () => {
    const expected = { column: 'c', part, from: 'time stamp' }
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
  'xdate(a)',
]) {
  it(`${JSON.stringify(text)} is no derivation`, () => {
    assert.equal(parseDerivation('c', text), undefined)
  })
}
