import type { Provenance } from '../../src/core/batch.ts'
import { PipelineError } from '../../src/core/errors.ts'
import { isAfter, stateKeyOf } from './state-history.ts'

/** A `DistinctKey` is what rows are compared by. */
export type DistinctKey = string | number | bigint

/** Sets the bounds of `distinctRows`. */
export interface DistinctRowsOptions {
  /** Milliseconds, by the Kafka timestamps, within which a row with the same key is left out. */
  readonly withinMs: number
  /** Keys that are kept in memory, over all Kafka partitions; the least recently seen go first. */
  readonly keysMax: number
}

/** Records that the time of a key changed at an offset; `before` is `undefined` for a key that was not kept. */
interface KeyChange {
  readonly offset: bigint
  readonly key: DistinctKey
  readonly before: number | undefined
}

interface PartitionKeys {
  /** The timestamp of the latest row that was kept, by key; the least recently seen key comes first. */
  readonly keptMs: Map<DistinctKey, number>
  /** In order of the offsets. */
  changes: KeyChange[]
  /** Index of the first change that is still kept. */
  firstChange: number
  /** Offset of the latest change that is no longer kept: nothing before it can be restored. */
  forgotten: bigint | undefined
  /** Offset of the last record that was seen. */
  position: bigint | undefined
}

/** Keeps the keys of each Kafka partition with the changes of each offset, so that they can be undone. */
export class DistinctKeys {
  readonly #options: DistinctRowsOptions
  readonly #partitions = new Map<string, PartitionKeys>()
  #keys = 0
  #changes = 0

  constructor(options: DistinctRowsOptions) {
    this.#options = options
  }

  /** Number of keys over all partitions. */
  get size(): number {
    return this.#keys
  }

  /**
   * Goes back to the keys as they were at the offset that a batch follows, and returns those of its partition.
   * @throws KD_OPERATOR_FAILED, retryable, if the changes since then are no longer kept
   */
  startBatch(provenance: Provenance): PartitionKeys {
    const { topic, partition, follows, last } = provenance
    const name = stateKeyOf(provenance)
    let keys = this.#partitions.get(name)
    if (keys === undefined) {
      keys = { keptMs: new Map(), changes: [], firstChange: 0, forgotten: undefined, position: follows }
      this.#partitions.set(name, keys)
    }
    if (isAfter(keys.forgotten, follows))
      throw new PipelineError(
        'KD_OPERATOR_FAILED',
        'distinctRows: the partition is read again from an offset whose keys are no longer kept',
        { topic, partition, offset: follows === undefined ? 0n : follows + 1n },
        { retryable: true },
      )
    if (isAfter(keys.position, follows)) this.#undo(keys, follows)
    keys.position = last
    return keys
  }

  /** Notes a row and returns true if it is the first of its key within the time. */
  isFirst(keys: PartitionKeys, key: DistinctKey, offset: bigint, timestampMs: number): boolean {
    const before = keys.keptMs.get(key)
    if (before !== undefined) {
      keys.keptMs.delete(key)
      // Producers may set timestamps that go back.
      if (Math.abs(timestampMs - before) < this.#options.withinMs) {
        keys.keptMs.set(key, before)
        return false
      }
    } else this.#keys++
    keys.keptMs.set(key, timestampMs)
    this.#note(keys, { offset, key, before })
    if (this.#keys > this.#options.keysMax) this.#evict(keys, offset)
    return true
  }

  #evict(own: PartitionKeys, offset: bigint): void {
    const keys = this.#fullestFor(own, ({ keptMs }) => keptMs.size)
    const [oldest] = keys.keptMs
    if (oldest === undefined) return
    const [key, before] = oldest
    keys.keptMs.delete(key)
    this.#keys--
    // In another partition the key goes at the offset that comes next there.
    this.#note(keys, { offset: keys === own ? offset : (keys.position ?? offset), key, before })
  }

  #note(keys: PartitionKeys, change: KeyChange): void {
    keys.changes.push(change)
    this.#changes++
    if (this.#changes <= this.#options.keysMax) return
    const fullest = this.#fullestFor(keys, ({ changes, firstChange }) => changes.length - firstChange)
    fullest.forgotten = fullest.changes[fullest.firstChange]?.offset
    fullest.firstChange++
    this.#changes--
    if (fullest.firstChange * 2 > fullest.changes.length) {
      fullest.changes = fullest.changes.slice(fullest.firstChange)
      fullest.firstChange = 0
    }
  }

  /** Undoes the changes after the offset `until`; `undefined` stands for all. */
  #undo(keys: PartitionKeys, until: bigint | undefined): void {
    while (keys.changes.length > keys.firstChange) {
      const change = keys.changes.at(-1) as KeyChange
      if (!isAfter(change.offset, until)) break
      keys.changes.pop()
      this.#changes--
      const { key, before } = change
      const isKept = keys.keptMs.has(key)
      if (before === undefined) {
        if (keys.keptMs.delete(key)) this.#keys--
      } else {
        if (!isKept) this.#keys++
        keys.keptMs.set(key, before)
      }
    }
  }

  /** Returns the partition that has to give way: `own` unless it has less than its share. */
  #fullestFor(own: PartitionKeys, sizeOf: (keys: PartitionKeys) => number): PartitionKeys {
    if (sizeOf(own) * this.#partitions.size >= this.#options.keysMax) return own
    let fullest = own
    for (const keys of this.#partitions.values()) if (sizeOf(keys) > sizeOf(fullest)) fullest = keys
    return fullest
  }
}
