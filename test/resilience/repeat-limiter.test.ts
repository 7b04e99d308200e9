import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RepeatLimiter } from '../../src/resilience/repeat-limiter.ts'

test('The first occurrence is due, then one a minute with the number of occurrences since, for each key on its own', () => {
  const clock = { nowMs: 1_000, now: () => clock.nowMs, sleep: () => Promise.resolve() }
  const limiter = new RepeatLimiter(clock)
  assert.deepEqual(
    [limiter.occurrencesIfDue('a'), limiter.occurrencesIfDue('a'), limiter.occurrencesIfDue('b')],
    [1, undefined, 1],
  )
  clock.nowMs += 59_999
  assert.equal(limiter.occurrencesIfDue('a'), undefined)
  clock.nowMs += 1
  assert.deepEqual([limiter.occurrencesIfDue('a'), limiter.occurrencesIfDue('a')], [3, undefined])
})
