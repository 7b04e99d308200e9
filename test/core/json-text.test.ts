import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExactNumber } from '../../src/core/exact.ts'
import { toJsonText } from '../../src/core/json-text.ts'
import { parseExact } from '../../src/formats/json/exact.ts'

test('Parsed text is written again unchanged, including numbers beyond double precision', () => {
  for (const text of [
    '{"a":[1,null,"x\\"y",{"b":true}],"n":12345678901234567890}',
    '[0.12345678901234567890123,1e400,-9223372036854775809]',
    '"exact-"',
  ])
    assert.equal(toJsonText(parseExact(text)), text)
})

test('With nulls: false null members are left out but null elements are kept; maps become objects', () => {
  const value = { a: null, b: [null, { c: null, d: new ExactNumber('1.10') }], m: new Map([['k', 5n]]) }
  assert.equal(toJsonText(value, { nulls: false }), '{"b":[null,{"d":1.10}],"m":{"k":5}}')
})
