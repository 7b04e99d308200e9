import type { OffsetRange } from '../../core/batch.ts'
import { CLOCK_SKEW_MS_MAX, isKafkaTimestamp, type Raw } from '../../core/raw.ts'

/** A batch that was read and is not in the table. */
interface UncommittedBatch {
  readonly first: bigint
  last: bigint
  /** Timestamp of the first record, if it has one that can be true. */
  readonly timestampMs: number | undefined
}

interface Partition {
  /** Ascending by offset. */
  batches: UncommittedBatch[]
  /** Time that is before all records that were not read yet: that of the last committed batch, or of no lag. */
  unreadFromMs: number | undefined
}

/** Batches tracked per partition; beyond it, later batches are merged into the last one. */
const BATCHES_MAX = 1_000

/** Tracks batches that were read and not committed, by partition, to know the age of the oldest record. */
export class UncommittedBatches {
  readonly #partitions = new Map<number, Partition>()

  /**
   * Adds a batch that was read at `nowMs`. It replaces batches from its first offset on, which are being read again. A
   * timestamp from the future counts as none.
   */
  add({ partition, count, offsets, timestampsMs }: Raw, nowMs: number): void {
    const [firstOffset, last] = [offsets[0], offsets[count - 1]]
    if (firstOffset === undefined || last === undefined) return
    const { batches } = this.#partition(partition)
    while ((batches.at(-1)?.first ?? -1n) >= firstOffset) batches.pop()
    const newest = batches.at(-1)
    if (newest !== undefined && batches.length >= BATCHES_MAX) newest.last = last
    else {
      const ms = timestampsMs[0] as number
      const isTime = isKafkaTimestamp(ms) && ms <= nowMs + CLOCK_SKEW_MS_MAX
      batches.push({ first: firstOffset, last, timestampMs: isTime ? ms : undefined })
    }
  }

  /** Removes batches whose offsets are in the table. */
  markCommitted(ranges: readonly OffsetRange[]): void {
    for (const { partition, last } of ranges) {
      const known = this.#partition(partition)
      const waiting = known.batches.findIndex((batch) => batch.last > last)
      const committed = known.batches.splice(0, waiting < 0 ? known.batches.length : waiting)
      known.unreadFromMs = committed.at(-1)?.timestampMs ?? known.unreadFromMs
    }
  }

  /** Notes that the table held all records of a partition at a time. */
  markCaughtUp(partition: number, atMs: number): void {
    const known = this.#partition(partition)
    known.unreadFromMs = Math.max(known.unreadFromMs ?? atMs, atMs)
  }

  /**
   * Returns the Kafka timestamp of the oldest uncommitted record, in milliseconds since the epoch; before it was read,
   * an earlier time: that of the last committed batch or of the last time without lag. `undefined` when none is known.
   */
  oldestTimestampMs(partition: number): number | undefined {
    const known = this.#partitions.get(partition)
    return known?.batches[0]?.timestampMs ?? known?.unreadFromMs
  }

  /** Returns the first offset of a partition that was read and is not in the table, if any. */
  firstOffset(partition: number): bigint | undefined {
    return this.#partitions.get(partition)?.batches[0]?.first
  }

  /** Removes all partitions except these. */
  retain(kept: readonly { readonly partition: number }[]): void {
    for (const partition of this.#partitions.keys())
      if (!kept.some((each) => each.partition === partition)) this.#partitions.delete(partition)
  }

  #partition(partition: number): Partition {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const added = { batches: [], unreadFromMs: undefined }
    this.#partitions.set(partition, added)
    return added
  }
}
