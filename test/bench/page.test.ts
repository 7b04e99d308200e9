import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Measured } from '../../bench/measured.ts'
import { benchmarksPage, medianRatio } from '../../bench/page.ts'
import { median, microsOf, ratioOf, type Pair } from '../../bench/programs.ts'

/** Returns the result of a run with a million records. */
function measured(cpuS: number): Measured {
  return { records: 1_000_000, wallS: 2 * cpuS, cpuS, rssBytesMax: 100 * 2 ** 20 }
}

const pairs: Pair[] = [
  { floor: measured(2), other: measured(8) },
  { floor: measured(4), other: measured(12) },
  { floor: measured(3), other: measured(30) },
]

test('the median is the middle one, or the mean of the two in the middle', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([1, 9, 5, 4]), 4.5)
  assert.equal(median([7]), 7)
  assert.ok(Number.isNaN(median([])))
})

test('the ratio is taken pair by pair, so that a busy machine affects both sides', () => {
  assert.deepEqual(pairs.map(ratioOf), [4, 3, 10])
  assert.equal(medianRatio({ name: 'pipeline', pairs }), 4)
  assert.equal(microsOf(measured(8)), 8)
})

test('the page has the median ratio, every pair, start-up and memory', () => {
  const page = benchmarksPage({
    records: 1_000_000,
    bytes: 200_000_000,
    partitions: 4,
    variants: [{ name: 'pipeline', pairs }],
    memory: [{ flushBytes: 16 * 2 ** 20, creditBytes: 32 * 2 ** 20, whole: measured(8) }],
    startUp: { floor: measured(0.25), whole: measured(0.75) },
    loadAverage: 1.25,
  })
  assert.match(page, /\| pipeline \| \*\*4\.00\*\* \| 12\.00 \| 41,667 \| 8\.3 \| 100 \|/)
  assert.match(page, /\| 3 \| 3\.00 \| 30\.00 \| 10\.00 \|/)
  assert.match(page, /0\.25 s of CPU and 100 MiB for the floor,\n0\.75 s and 100 MiB/)
  assert.match(page, /\| 16 \| 32 \| 100 \| 8\.00 \|/)
  assert.match(page, /1,000,000 user events, 200 bytes of JSON each/)
})
