import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeriesRing } from '../../../src/console/history/series-ring.ts'

test('A ring keeps the newest values, oldest first, and unknown ones are null, not 0', () => {
  const ring = new SeriesRing(1_000, 4)
  assert.deepEqual(ring.series(), { everyMs: 1_000, endMs: 0, values: [] })
  for (const [at, value] of [1, 2, undefined, 0, 5, 6].entries()) ring.add(value, 1_000 * at)
  assert.deepEqual(ring.series(), { everyMs: 1_000, endMs: 5_000, values: [null, 0, 5, 6] })
  assert.deepEqual([...ring.newest(2)], [5, 6])
  for (let at = 6; at < 1_000; at++) ring.add(at, 1_000 * at)
  assert.deepEqual(ring.series().values, [996, 997, 998, 999])
})

test('A thinned series ends with the newest value', () => {
  const ring = new SeriesRing(2_000, 10)
  for (let at = 0; at < 8; at++) ring.add(at, 2_000 * at)
  assert.deepEqual(ring.series(5), { everyMs: 10_000, endMs: 14_000, values: [2, 7] })
  assert.deepEqual(ring.series(100).values, [7])
})

test('Moments that were missed are unknown, and no more of them than the ring holds', () => {
  const ring = new SeriesRing(1_000, 5)
  ring.add(1, 0)
  ring.add(2, 1_300)
  ring.add(3, 4_300)
  assert.deepEqual(ring.series().values, [1, 2, null, null, 3])
  ring.add(4, 1_000_000)
  assert.deepEqual(ring.series().values, [null, null, null, null, 4])
})
