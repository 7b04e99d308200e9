import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '../../src/resilience/backoff.ts'

const OPTIONS = { minBackoffMs: 50, maxBackoffMs: 1_000, random: () => 0.5 }

test('Pauses double from the first one up to the maximum', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 5, 6, 7, 1e9].map((failures) => backoffMs(failures, OPTIONS)),
    [0, 50, 100, 200, 800, 1_000, 1_000, 1_000],
  )
})

test('Slight jitter makes a pause up to 20 % shorter or longer', () => {
  assert.equal(backoffMs(1, { ...OPTIONS, random: () => 0 }), 40)
  assert.ok(Math.abs(backoffMs(1, { ...OPTIONS, random: () => 0.999_999 }) - 60) < 0.01)
})

test('Full jitter takes a random share of the pause, and without jitter the pause is kept', () => {
  const shares = [0, 0.25, 0.75]
  assert.deepEqual(
    shares.map((share) => backoffMs(3, { ...OPTIONS, jitter: 'full', random: () => share })),
    [0, 50, 150],
  )
  assert.equal(backoffMs(3, { minBackoffMs: 50, maxBackoffMs: 1_000, jitter: 'none' }), 200)
})
