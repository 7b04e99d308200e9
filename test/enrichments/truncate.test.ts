import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derivedColumn } from '../../src/enrichments/derived-column.ts'
import { structOf } from '../support/flow/batches.ts'
import { derived, enriched } from './derived.ts'

test('Text is truncated to its first characters, however many bytes they take', () => {
  const rows = ['iceberg', 'ice', '', 'Grüße', '日本語🙂🙂', null].map((c) => ({ c }))
  const values = derived('truncate(c, 4)', structOf({ c: 'string' }), rows)
  assert.deepEqual(values, ['iceb', 'ice', '', 'Grüß', '日本語🙂', null])
})

test('Numbers are rounded down, including negative ones', () => {
  const numbers = [0, 9, 10, 19, -1, -10, null].map((c) => ({ c }))
  const expected = [0, 0, 10, 10, -10, -10, null]
  for (const type of ['integer', 'long', 'short', 'byte'] as const)
    assert.deepEqual(derived('truncate(c, 10)', structOf({ c: type }), numbers), expected, type)
  const large = derived('truncate(c, 10)', structOf({ c: 'long' }), [{ c: 9_223_372_036_854_775_807n }])
  assert.deepEqual(large, [9_223_372_036_854_775_800n])
})

test('A number below which its type has no multiple is rejected', () => {
  for (const [type, c] of [
    ['byte', -128],
    ['long', -9_223_372_036_854_775_808n],
  ] as const) {
    const schema = structOf({ c: type })
    const { values, rejected } = enriched(derivedColumn('t', 'truncate(c, 10)', schema), schema, [
      { c: 1 },
      { c },
    ])
    assert.deepEqual(values, [0, null])
    assert.match(rejected[1] ?? '', /^t: expected an integer/)
  }
})
