import { ensureCapacity } from '../validity.ts'

/**
 * Collects the nulls of a column beside its values, which are stored without gaps: a run of nulls takes eight bytes,
 * whatever its length.
 */
export class NullRuns {
  /** Number of nulls. */
  count = 0
  /** Number of values before each run. */
  #before = new Int32Array(64)
  #lengths = new Int32Array(64)
  #runs = 0

  /** Adds nulls after the first `values` values. */
  add(values: number, nulls: number): void {
    this.count += nulls
    const last = this.#runs - 1
    if (last >= 0 && this.#before[last] === values) {
      this.#lengths[last] = (this.#lengths[last] as number) + nulls
      return
    }
    const run = this.#runs++
    if (run === this.#before.length) {
      this.#before = ensureCapacity(this.#before, run + 1)
      this.#lengths = ensureCapacity(this.#lengths, run + 1)
    }
    this.#before[run] = values
    this.#lengths[run] = nulls
  }

  /** Drops what follows the first `length` values and nulls of a column that has `values` values. Returns the values left. */
  truncate(length: number, values: number): number {
    let left = values
    let excess = values + this.count - length
    while (excess > 0) {
      const run = this.#runs - 1
      const after = left - (run < 0 ? 0 : (this.#before[run] as number))
      if (excess <= after || run < 0) return left - excess
      left -= after
      excess -= after
      const nulls = Math.min(excess, this.#lengths[run] as number)
      excess -= nulls
      this.count -= nulls
      this.#lengths[run] = (this.#lengths[run] as number) - nulls
      if (this.#lengths[run] === 0) this.#runs--
    }
    return left
  }

  /** Returns the rows of the first `values` values, ascending; no null is left afterwards. */
  finish(values: number): Int32Array {
    const rows = new Int32Array(values)
    let at = 0
    let nulls = 0
    for (let run = 0; run < this.#runs; run++) {
      for (const end = this.#before[run] as number; at < end; at++) rows[at] = at + nulls
      nulls += this.#lengths[run] as number
    }
    for (; at < values; at++) rows[at] = at + nulls
    this.#runs = 0
    this.count = 0
    return rows
  }
}
