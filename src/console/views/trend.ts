import type { Trend } from '../snapshot.ts'

/** Known values that each half of the window needs. */
const KNOWN_MIN = 3
/** Changes below this share of the largest value count as none. */
const TOLERANCE = 0.05

/** Says where a lag goes, and when it is gone. */
export interface LagTrend {
  readonly trend: Trend | null
  readonly clearMs: number | null
}

const UNKNOWN: LagTrend = { trend: null, clearMs: null }

/**
 * Compares the newer half of a window with the older one. A lag falls at each commit and grows until the next, so that two
 * values say little: it grows if its lowest and its highest value do, shrinks if both do, and is steady otherwise. It does
 * not count as shrinking if it is higher now than at the middle of the window. Unknown (null) with too few values, and while
 * the newest one is unknown. `clearMs` is the time to zero at the speed between the means of the halves, only while the lag
 * shrinks. `values` are oldest first, NaN where they are unknown.
 */
export function trendOf(values: Float32Array, everyMs: number): LagTrend {
  const now = values.at(-1) ?? Number.NaN
  const half = Math.floor(values.length / 2)
  const older = summaryOf(values.subarray(0, half))
  const newer = summaryOf(values.subarray(half))
  if (Number.isNaN(now) || older.count < KNOWN_MIN || newer.count < KNOWN_MIN) return UNKNOWN
  const tolerance = Math.max(1, TOLERANCE * Math.max(older.highest, newer.highest))
  if (newer.lowest > older.lowest + tolerance && newer.highest > older.highest + tolerance)
    return { trend: 'growing', clearMs: null }
  const falls = older.highest - newer.highest > tolerance && older.lowest >= newer.lowest
  const middle = values[half] as number
  if (now === 0 || !falls || !(now < (Number.isNaN(middle) ? older.highest : middle)))
    return { trend: 'steady', clearMs: null }
  const perMs = (older.mean - newer.mean) / ((values.length / 2) * everyMs)
  return { trend: 'draining', clearMs: perMs > 0 ? Math.round(now / perMs) : null }
}

interface Summary {
  readonly count: number
  readonly lowest: number
  readonly highest: number
  readonly mean: number
}

function summaryOf(values: Float32Array): Summary {
  let [count, sum, lowest, highest] = [0, 0, Infinity, -Infinity]
  for (const value of values) {
    if (Number.isNaN(value)) continue
    count++
    sum += value
    lowest = Math.min(lowest, value)
    highest = Math.max(highest, value)
  }
  return { count, lowest, highest, mean: sum / count }
}
