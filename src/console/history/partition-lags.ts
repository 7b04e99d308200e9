import type { Series } from '../snapshot.ts'
import { seriesOf } from './series-ring.ts'

const EVERY_MS = 10_000
const SLOTS = 60

/** Counts the partitions whose lag is kept over time, of all topics of the process: each takes 240 bytes. */
export class PartitionAllowance {
  #left: number

  constructor(partitionsMax: number) {
    this.#left = partitionsMax
  }

  /** Takes one partition and returns whether there was one left. */
  take(): boolean {
    if (this.#left <= 0) return false
    this.#left--
    return true
  }

  /** Gives partitions back that are no longer kept. */
  give(partitions: number): void {
    this.#left += partitions
  }
}

/**
 * Holds the lag of the partitions of one topic every ten seconds, for ten minutes, in one array of 32-bit numbers: a row of 60
 * for each partition. Partitions beyond the allowance have no series.
 */
export class PartitionLags {
  readonly everyMs = EVERY_MS
  readonly #allowance: PartitionAllowance
  readonly #rows = new Map<number, number>()
  #values = new Float32Array(0)
  #count = 0
  #endMs = -Infinity

  constructor(allowance: PartitionAllowance) {
    this.#allowance = allowance
  }

  /** Number of partitions that have a series. */
  get partitions(): number {
    return this.#rows.size
  }

  /** Number of values held, known or not. */
  get samples(): number {
    return this.#rows.size * Math.min(this.#count, SLOTS)
  }

  /** Bytes of the values. */
  get bytes(): number {
    return this.#values.byteLength
  }

  /** Returns whether the next values are due. */
  isDue(atMs: number): boolean {
    return atMs - this.#endMs >= EVERY_MS
  }

  /** Adds the lag of each partition at a moment; `undefined` when it is unknown, as it is for partitions that are left out. */
  add(lags: Iterable<readonly [number, bigint | undefined]>, atMs: number): void {
    const slot = this.#count % SLOTS
    for (const row of this.#rows.values()) this.#values[row * SLOTS + slot] = Number.NaN
    for (const [partition, lag] of lags) {
      const row = this.#rowOf(partition)
      if (row !== undefined && lag !== undefined) this.#values[row * SLOTS + slot] = Number(lag)
    }
    this.#count++
    this.#endMs = atMs
  }

  /** Returns the newest values of a partition, oldest first, NaN for unknown ones; none for a partition without a series. */
  newest(partition: number): Float32Array {
    const row = this.#rows.get(partition)
    if (row === undefined) return new Float32Array(0)
    const length = Math.min(this.#count, SLOTS)
    return Float32Array.from({ length }, (_, at) => {
      return this.#values[row * SLOTS + ((this.#count - length + at) % SLOTS)] as number
    })
  }

  /** Returns the lag of a partition over time; without values for a partition that has no series. */
  series(partition: number): Series {
    return seriesOf(this.newest(partition), 1, EVERY_MS, this.#endMs === -Infinity ? 0 : this.#endMs)
  }

  /** Forgets everything and gives the partitions back. */
  clear(): void {
    this.#allowance.give(this.#rows.size)
    this.#rows.clear()
    this.#values = new Float32Array(0)
    this.#count = 0
  }

  #rowOf(partition: number): number | undefined {
    const known = this.#rows.get(partition)
    if (known !== undefined) return known
    if (!this.#allowance.take()) return undefined
    const row = this.#rows.size
    this.#rows.set(partition, row)
    if (this.#values.length < (row + 1) * SLOTS) {
      const grown = new Float32Array(Math.max(8, Math.ceil(row * 1.25) + 1) * SLOTS).fill(Number.NaN)
      grown.set(this.#values)
      this.#values = grown
    }
    return row
  }
}
