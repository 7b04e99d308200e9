import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decimalText, unscaledAt, unscaledOf } from '../../src/arrow/decimal.ts'
import { chanceOf } from '../support/values/chance.ts'

test('Numbers that the type holds exactly become unscaled integers', () => {
  const cases: [unknown, number, number, bigint][] = [
    [1, 5, 2, 100n],
    ['1.50', 5, 2, 150n],
    ['1.5000', 5, 2, 150n],
    ['-0.05', 5, 2, -5n],
    ['-0', 5, 2, 0n],
    ['1e2', 5, 2, 10_000n],
    ['12300e-2', 5, 2, 12_300n],
    [1e21, 38, 0, 10n ** 21n],
    [1e-7, 38, 10, 1000n],
    [10n ** 37n, 38, 0, 10n ** 37n],
    [`-${'9'.repeat(38)}`, 38, 0, -(10n ** 38n) + 1n],
    [`0.${'9'.repeat(38)}`, 38, 38, 10n ** 38n - 1n],
  ]
  for (const [value, precision, scale, unscaled] of cases)
    assert.equal(unscaledOf(value, precision, scale), unscaled, String(value))
})

test('Values that need rounding, do not fit, or are not numbers are refused', () => {
  const cases: [unknown, number, number][] = [
    ['1.005', 5, 2],
    ['1000', 5, 2],
    [`1${'0'.repeat(38)}`, 38, 0],
    ['1e999999999', 38, 0],
    ['1e-999999999', 38, 0],
    ['9'.repeat(100_000), 38, 0],
    ['', 5, 2],
    ['.5', 5, 2],
    ['5.', 5, 2],
    ['+5', 5, 2],
    ['0x10', 5, 2],
    [NaN, 5, 2],
    [Infinity, 5, 2],
    [true, 5, 2],
    [null, 5, 2],
  ]
  for (const [value, precision, scale] of cases)
    assert.equal(unscaledOf(value, precision, scale), undefined, String(value).slice(0, 20))
})

test('The text of a random decimal gives the decimal again, with as many fraction digits as its scale', (t) => {
  const chance = chanceOf(t)
  for (let i = 0; i < 2000; i++) {
    const scale = chance.int(39)
    const digits = Array.from({ length: 1 + chance.int(38) }, () => chance.int(10)).join('')
    const unscaled = BigInt(digits) * (chance.once(2) ? -1n : 1n)
    const text = decimalText(unscaled, scale)
    assert.match(text, scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`))
    assert.equal(unscaledOf(text, 38, scale), unscaled)
  }
})

test('Four words hold the extremes of 128 bits', () => {
  assert.equal(unscaledAt([-1, -1, -1, -1], 0), -1n)
  assert.equal(unscaledAt([0, 0, 0, -0x8000_0000], 0), -(2n ** 127n))
  assert.equal(unscaledAt([7, -1, -1, -1, 0x7fff_ffff], 1), 2n ** 127n - 1n)
})
