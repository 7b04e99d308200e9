import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trendOf } from '../../../src/console/views/trend.ts'

const UNKNOWN = { trend: null, clearMs: null }
const of = (...values: readonly number[]) => trendOf(Float32Array.from(values), 1_000)

test('A lag that falls evenly is gone when its line reaches zero; one that grows never says when', () => {
  const falling = Float32Array.from({ length: 60 }, (_, at) => 100_000 - 1_000 * at)
  const { trend, clearMs } = trendOf(falling, 1_000)
  assert.equal(trend, 'draining')
  assert.ok(Math.abs((clearMs ?? 0) - 41_000) < 2_000, `${clearMs}`)
  assert.deepEqual(trendOf(falling.toReversed(), 1_000), { trend: 'growing', clearMs: null })
})

test('The teeth of flushes are no trend', () => {
  const teeth = Float32Array.from({ length: 60 }, (_, at) => 1_000 * (at % 15))
  assert.deepEqual(trendOf(teeth, 1_000), { trend: 'steady', clearMs: null })
  const rising = teeth.map((value, at) => value + 400 * at)
  assert.equal(trendOf(rising, 1_000).trend, 'growing')
  const draining = teeth.map((value, at) => value + 40_000 - 600 * at)
  assert.equal(trendOf(draining, 1_000).trend, 'draining')
})

test('Too few values, or a newest one that is unknown, are no trend', () => {
  assert.deepEqual(of(), UNKNOWN)
  assert.deepEqual(of(5, 4, 3, 2, 1), UNKNOWN)
  assert.deepEqual(of(900, 800, 700, 600, 500, Number.NaN), UNKNOWN)
  assert.deepEqual(of(Number.NaN, Number.NaN, 700, 600, 500, 400), UNKNOWN)
  assert.equal(of(900, Number.NaN, 800, 700, 600, 500, 400, 300).trend, 'draining')
})

test('Without lag nothing drains, and a lag that fell and grows again does not say when it is gone', () => {
  assert.deepEqual(of(0, 0, 0, 0, 0, 0), { trend: 'steady', clearMs: null })
  assert.deepEqual(of(900, 800, 700, 200, 100, 0), { trend: 'steady', clearMs: null })
  assert.equal(of(900, 900, 900, 100, 300, 500).clearMs, null)
  assert.equal(of(1, 2, 1, 2, 1, 2).trend, 'steady')
})
