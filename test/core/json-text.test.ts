import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Exact } from '../../src/core/exact.ts'
import { jsonText } from '../../src/core/json-text.ts'
import { parseExact } from '../../src/formats/json/exact.ts'

test('Text that was parsed comes back to the letter, numbers that no double holds too', () => {
  for (const text of [
    '{"a":[1,null,"x\\"y",{"b":true}],"n":12345678901234567890}',
    '[0.12345678901234567890123,1e400,-9223372036854775809]',
    '"exact-"',
  ])
    assert.equal(jsonText(parseExact(text)), text)
})

test('Members that are null are left out where that is asked for, elements are not; maps are objects', () => {
  const value = { a: null, b: [null, { c: null, d: new Exact('1.10') }], m: new Map([['k', 5n]]) }
  assert.equal(jsonText(value, { nulls: false }), '{"b":[null,{"d":1.10}],"m":{"k":5}}')
})
