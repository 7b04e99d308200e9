import type { Series } from '../snapshot.ts'

/** Longest time between two values that counts as one step, in steps: timers of a busy process are late. */
const LATE_STEPS = 1.5

/**
 * Holds the last values of a quantity at regular moments as 32-bit numbers, which have seven digits: enough for a sparkline.
 * Moments that were missed are unknown.
 */
export class SeriesRing {
  readonly everyMs: number
  readonly #values: Float32Array
  #count = 0
  #endMs = 0

  constructor(everyMs: number, slots: number) {
    this.everyMs = everyMs
    this.#values = new Float32Array(slots)
  }

  /** Number of values held. */
  get length(): number {
    return Math.min(this.#count, this.#values.length)
  }

  /** Adds the value of a moment; `undefined` when it is unknown. */
  add(value: number | undefined, atMs: number): void {
    for (let missed = missedSteps(this.#count, atMs - this.#endMs, this); missed > 0; missed--)
      this.#push(Number.NaN)
    this.#push(value ?? Number.NaN)
    this.#endMs = atMs
  }

  /** Returns at most `max` of the newest values, oldest first; NaN stands for unknown. */
  newest(max: number): Float32Array {
    const { length } = this
    const slots = this.#values.length
    const from = Math.max(0, length - max)
    return Float32Array.from({ length: length - from }, (_, at) => {
      return this.#values[(this.#count - length + from + at) % slots] as number
    })
  }

  /** Returns every `stride`-th value, counted from the newest, oldest first. */
  series(stride = 1): Series {
    return seriesOf(this.newest(this.#values.length), stride, this.everyMs, this.#endMs)
  }

  #push(value: number): void {
    this.#values[this.#count % this.#values.length] = value
    this.#count++
    // Keeps the number small and the position the same.
    if (this.#count >= 2 * this.#values.length) this.#count -= this.#values.length
  }
}

/** Returns the number of moments between the last value and one `passedMs` later that have none. */
function missedSteps(count: number, passedMs: number, { everyMs, length }: SeriesRing): number {
  if (count === 0 || passedMs <= LATE_STEPS * everyMs) return 0
  return Math.min(length, Math.round(passedMs / everyMs) - 1)
}

/** Returns values as a series with every `stride`-th of them, counted from the newest; NaN becomes null. */
export function seriesOf(values: Float32Array, stride: number, everyMs: number, endMs: number): Series {
  const shown: (number | null)[] = []
  for (let at = (values.length - 1) % stride; at >= 0 && at < values.length; at += stride) {
    const value = values[at] as number
    shown.push(Number.isNaN(value) ? null : Math.round(value))
  }
  return { everyMs: everyMs * stride, endMs, values: shown }
}
