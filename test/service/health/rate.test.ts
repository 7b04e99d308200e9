import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rate } from '../../../src/service/health/rate.ts'

test('The rate covers the time since the start, and later the last minute', () => {
  const rate = new Rate(500)
  assert.equal(rate.perSecond(500), 0)
  for (let ms = 500; ms < 10_500; ms += 100) rate.add(10, ms)
  assert.equal(rate.perSecond(10_500), 100)
  for (let ms = 10_500; ms < 200_500; ms += 100) rate.add(10, ms)
  assert.ok(Math.abs(rate.perSecond(200_400) - 100) < 1, `${rate.perSecond(200_400)} is 100`)
})

test('Events older than a minute do not count, whether by a second or by an hour', () => {
  const rate = new Rate(0)
  rate.add(600, 1_000)
  assert.equal(rate.perSecond(60_000), 10)
  assert.equal(rate.perSecond(61_000), 0)
  rate.add(60, 70_000)
  assert.equal(rate.perSecond(3_600_000), 0)
})
