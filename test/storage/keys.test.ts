import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareKeys } from '../../src/storage/keys.ts'

test('Keys are compared by their UTF-8 bytes', () => {
  const letters = [
    '',
    'a',
    'z',
    '/',
    '-',
    'é',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{1f642}',
    '\u{10ffff}',
  ]
  const keys = letters.flatMap((first) => letters.map((second) => first + second))
  for (const a of keys)
    for (const b of keys)
      assert.equal(
        Math.sign(compareKeys(a, b)),
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
        JSON.stringify([a, b]),
      )
})
