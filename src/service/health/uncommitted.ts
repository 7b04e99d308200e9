import type { OffsetRange } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'

/** A batch that was read and is not in the table. */
interface Read {
  readonly first: bigint
  last: bigint
  readonly timestampMs: number
}

interface Partition {
  /** In the order of their offsets. */
  reads: Read[]
  /** Timestamp of the last batch that went into the table. */
  settledMs: number | undefined
}

/** Batches of one partition that are told apart; of more, the later ones count for the last of these. */
const READS_MAX = 1_000

/** Knows how old the oldest record is that was read and is not in the table, by partition. */
export class Unsettled {
  readonly #partitions = new Map<number, Partition>()

  /** A batch was read; what was read from its offsets on before is read again. */
  read({ partition, count, offsets, timestampsMs }: Raw): void {
    const [first, last] = [offsets[0], offsets[count - 1]]
    if (first === undefined || last === undefined) return
    const { reads } = this.#of(partition)
    while ((reads.at(-1)?.first ?? -1n) >= first) reads.pop()
    const newest = reads.at(-1)
    if (newest !== undefined && reads.length >= READS_MAX) newest.last = last
    else reads.push({ first, last, timestampMs: timestampsMs[0] ?? 0 })
  }

  /** These offsets are in the table. */
  settled(ranges: readonly OffsetRange[]): void {
    for (const { partition, last } of ranges) {
      const known = this.#of(partition)
      const waiting = known.reads.findIndex((read) => read.last > last)
      const gone = known.reads.splice(0, waiting < 0 ? known.reads.length : waiting)
      known.settledMs = gone.at(-1)?.timestampMs ?? known.settledMs
    }
  }

  /**
   * Kafka timestamp of the oldest record of a partition that lags, in milliseconds since the epoch; where nothing of it was
   * read yet, of the last that went into the table, which is older. `undefined` where neither is known.
   */
  oldestMs(partition: number): number | undefined {
    const known = this.#partitions.get(partition)
    return known?.reads[0]?.timestampMs ?? known?.settledMs
  }

  /** The first offset of a partition that was read and is not in the table; `undefined` where there is none. */
  first(partition: number): bigint | undefined {
    return this.#partitions.get(partition)?.reads[0]?.first
  }

  /** Forgets all partitions but these. */
  keep(partitions: readonly number[]): void {
    for (const partition of this.#partitions.keys())
      if (!partitions.includes(partition)) this.#partitions.delete(partition)
  }

  #of(partition: number): Partition {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const begun = { reads: [], settledMs: undefined }
    this.#partitions.set(partition, begun)
    return begun
  }
}
