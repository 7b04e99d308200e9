import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Measured } from '../../bench/measured.ts'
import { benchmarksPage, medianRatio, slowRowsOf } from '../../bench/page.ts'
import { benchmarksPlot } from '../../bench/plot.ts'
import { median, microsOf, ratioOf, type Pair } from '../../bench/programs.ts'

/** Returns the result of a run with a million records. */
function measured(cpuS: number): Measured {
  return { records: 1_000_000, wallS: 2 * cpuS, cpuS, rssBytesMax: 100 * 2 ** 20, blockMsMax: 12.4 }
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
  assert.equal(medianRatio({ pairs }), 4)
  assert.equal(microsOf(measured(8)), 8)
})

const shape = { name: 'user-events', title: 'user events', records: 1_000_000, bytes: 200_000_000, pairs }

test('the page has the median ratio, every pair, start-up and memory', () => {
  const page = benchmarksPage({
    records: 1_000_000,
    partitions: 4,
    shapes: [shape],
    reading: [{ floor: measured(4), other: measured(1) }],
    memory: [{ flushBytes: 16 * 2 ** 20, creditBytes: 32 * 2 ** 20, whole: measured(8) }],
    startUp: { floor: measured(0.25), whole: measured(0.75) },
    loadAverage: 1.25,
  })
  assert.match(
    page,
    /\| user-events \| user events \| 200 \| \*\*4\.00\*\* \| 3\.00 \| 12\.00 \| 16\.7 \| 100 \| 12 \| 0 \|/,
  )
  assert.match(page, /\| reading alone \|.*\*\*0\.25\*\*/)
  assert.match(page, /\| 3 \| 3\.00 \| 30\.00 \| 10\.00 \|/)
  assert.match(page, /0\.25 s of CPU and 100 MiB for the floor,\n0\.75 s and 100 MiB/)
  assert.match(page, /\| 16 \| 32 \| 100 \| 8\.00 \|/)
  assert.match(page, /1,000,000 of each shape/)
})

test('slow rows are those of the run that has most of them', () => {
  const slow = (counts: Measured['slow']): Measured => ({ ...measured(1), slow: counts })
  assert.equal(slowRowsOf({ pairs }), 0)
  const found = [{}, { path: 3, value: 4 }, { field: 2 }].map((counts) => ({
    floor: measured(1),
    other: slow(counts),
  }))
  assert.equal(slowRowsOf({ pairs: found }), 7)
})

test('the plot has a bar for each shape, as long as its ratio', () => {
  const plot = benchmarksPlot([shape, { name: 'a<b', pairs: [{ floor: measured(1), other: measured(2) }] }])
  const widths = [...plot.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  assert.equal(widths.length, 2)
  assert.ok(Math.abs((widths[0] ?? 0) / (widths[1] ?? 1) - 2) < 0.01, widths.join())
  assert.match(plot, /a&lt;b/)
})
