import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeSlots } from '../../../src/console/history/time-slots.ts'

test('Intervals are added up by slots, and overlapping ones hold no more than the time that has passed', () => {
  const slots = new TimeSlots()
  slots.add(1_000, 2_000)
  slots.add(4_000, 11_000)
  assert.deepEqual(
    [slots.sum(0, 4_999), slots.sum(5_000, 9_999), slots.sum(0, 20_000)],
    [2_000, 5_000, 8_000],
  )
  for (let times = 0; times < 9; times++) slots.add(0, 5_000)
  assert.equal(slots.sum(0, 4_999), 5_000)
  slots.add(7, 7)
  slots.add(9, 3)
  assert.equal(slots.sum(0, 20_000), 11_000)
})

test('Slots older than three minutes are forgotten, also by an interval that began before', () => {
  const slots = new TimeSlots()
  slots.add(0, 5_000)
  slots.add(0, 1_000_000)
  assert.equal(slots.sum(0, 1_000_000), 35 * 5_000)
  slots.add(2_000_000, 2_000_001)
  assert.equal(slots.sum(0, 2_000_001), 1)
  slots.add(1_999_000, 1_999_500)
  assert.equal(slots.sum(0, 2_000_001), 501)
})
