import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bothOf,
  conditionalOf,
  eitherOf,
  exactlyOne,
  INVALID,
  nullVerdict,
  oppositeOf,
  UNKNOWN,
  VALID,
  type Verdict,
} from '../../../src/contract/rules/verdict.ts'

const ALL = [VALID, INVALID, UNKNOWN]
/** The truths that a verdict leaves open. */
const truthsOf = (verdict: Verdict): boolean[] =>
  [true, false].filter((truth) => (verdict & (truth ? VALID : INVALID)) !== 0)

test('a combination leaves open exactly what its parts leave open', () => {
  for (const a of ALL) {
    assert.deepEqual(
      truthsOf(oppositeOf(a)).sort(),
      truthsOf(a)
        .map((truth) => !truth)
        .sort(),
    )
    for (const b of ALL) {
      const pairs = truthsOf(a).flatMap((one) => truthsOf(b).map((other) => [one, other] as const))
      const possible = (of: (one: boolean, other: boolean) => boolean): boolean[] =>
        [...new Set(pairs.map(([one, other]) => of(one, other)))].sort()
      assert.deepEqual(
        truthsOf(bothOf(a, b)).sort(),
        possible((one, other) => one && other),
      )
      assert.deepEqual(
        truthsOf(eitherOf(a, b)).sort(),
        possible((one, other) => one || other),
      )
    }
  }
})

test('a conditional follows the branch that its condition selects', () => {
  assert.equal(conditionalOf(VALID, VALID, INVALID), VALID)
  assert.equal(conditionalOf(INVALID, INVALID, VALID), VALID)
  assert.equal(conditionalOf(VALID, INVALID, VALID), INVALID)
  assert.equal(conditionalOf(UNKNOWN, VALID, VALID), VALID)
  assert.equal(conditionalOf(UNKNOWN, VALID, INVALID), UNKNOWN)
})

test('exactly one of several rules is obeyed', () => {
  const cases = [
    [1, 0],
    [0, 0],
    [2, 0],
    [2, 1],
    [1, 1],
    [0, 1],
  ] as const
  const verdicts = cases.map(([certain, open]) => exactlyOne(certain, open))
  assert.deepEqual(verdicts, [VALID, INVALID, INVALID, INVALID, UNKNOWN, UNKNOWN])
})

test('null obeys rules for other types', () => {
  assert.equal(nullVerdict({ minimum: 3, pattern: 'a' }), VALID)
  assert.equal(nullVerdict({ types: ['string'] }), INVALID)
  assert.equal(nullVerdict({ values: [1, null] }), VALID)
  assert.equal(nullVerdict({ anyOf: [{ types: ['null'] }, { types: ['string'] }] }), VALID)
  assert.equal(nullVerdict({ oneOf: [{}, { types: ['null'] }] }), INVALID)
  assert.equal(nullVerdict({ not: { values: [null] } }), INVALID)
  assert.equal(nullVerdict({ condition: { if: {}, then: { never: true }, else: undefined } }), INVALID)
})
