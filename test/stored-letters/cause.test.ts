// Goal: messages with the same cause give the same text, and different causes give different texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeCauses, causeOf, CauseCounter, causeIdOf } from '../../src/stored-letters/cause.ts'

const SAME: readonly (readonly [string, string, string])[] = [
  ['numbers', '/price expected an integer, got 3.5', '/price expected an integer, got -12e4'],
  ['quoted values', '/price expected a number, got "a"', '/price expected a number, got "b \\" c"'],
  ['indexes of arrays', '/items/3/sku expected a string, got 1', '/items/17/sku expected a string, got 99'],
  [
    'identifiers',
    'no schema 1b4e28ba-2fa1-11d2-883f-0016d3cca427 here',
    'no schema 6fa459ea-ee8a-3ca4-894e-db77e160355e here',
  ],
  ['text that is cut within quotation marks', 'expected JSON, got "abc', 'expected JSON, got "xyz…'],
  [
    'objects',
    '/ must be a string, got {"a":1}; and more',
    '/ must be a string, got {"b":["x"],"c":2}; and more',
  ],
  ['times', 'expected a date, got 2026-01-01T10:00:00Z', 'expected a date, got 2025-12-31T23:59:59.5Z'],
]
for (const [what, a, b] of SAME) {
  test(`Messages that differ in ${what} are one cause`, () => assert.equal(causeOf(a), causeOf(b)))
}

const DIFFERENT: readonly (readonly [string, string, string])[] = [
  ['fields', '/price expected a number, got 1', '/amount expected a number, got 1'],
  ['fields with digits', '/address1 expected a string', '/address2 expected a string'],
  ['required properties', "must have required property 'a1'", "must have required property 'a2'"],
  ['expected types', '/v expected an integer, got "x"', '/v expected a string, got "x"'],
]
for (const [what, a, b] of DIFFERENT) {
  test(`Messages that differ in ${what} are two causes`, () => assert.notEqual(causeOf(a), causeOf(b)))
}

test('An apostrophe in a word does not start a quotation', () => {
  assert.equal(causeOf("doesn't fit, and isn't 3"), "doesn't fit, and isn't …")
})

test('A message of any length is processed quickly', () => {
  for (const text of [
    '"'.repeat(1e6),
    "'a".repeat(1e6),
    '1.'.repeat(1e6),
    '\\"'.repeat(1e6),
    'property '.repeat(1e6),
  ])
    assert.ok(causeOf(text).length <= 400, 'a cause is short')
})

test('The most frequent causes come first, each with its first position and its times', () => {
  const letter = (reason: string, message: string, offset: bigint) => ({
    reason,
    message,
    partition: 1,
    offset,
    writtenMs: Number(offset) * 10,
  })
  const letters = [letter('type', 'got 1', 5n), letter('decode', 'got 1', 6n), letter('type', 'got 2', 7n)]
  assert.deepEqual(describeCauses(letters, 1), ['2 × type: got … (first at 1/5)'])
  const causes = new CauseCounter()
  for (const one of letters) causes.add(one)
  assert.deepEqual(causes.top()[0], {
    id: causeIdOf('type', 'got 99'),
    reason: 'type',
    cause: 'got …',
    count: 2,
    sample: '1/5',
    firstMs: 50,
    lastMs: 70,
  })
  assert.equal(causes.top().length, 2)
})

test('Causes beyond the maximum are counted together', () => {
  const causes = new CauseCounter()
  for (let i = 0; i < 1_200; i++) causes.add({ reason: 'type', message: `/field${i} is bad` })
  assert.deepEqual([causes.top().length, causes.otherCount], [1_000, 200])
})
