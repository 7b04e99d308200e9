/** Holds the values of a table's partition columns, in column order, as JSON-like values. */
export type PartitionValues = readonly unknown[]

/** Holds the table partitions of a batch and the number of them that are not open yet. */
export interface PartitionLookup {
  readonly partitions: readonly PartitionValues[]
  /** One text per partition, equal for equal values. */
  readonly keys: readonly string[]
  /** Number of partitions that are not open yet. */
  readonly newCount: number
}

/** Bytes of an entry beside its text, which is held twice. */
const ENTRY_BYTES = 256

/** Holds the table partitions of the buffered batches, each partition once, however many batches have rows of it. */
export class OpenPartitions {
  readonly #byKey = new Map<string, PartitionValues>()

  /** Number of open partitions. */
  get size(): number {
    return this.#byKey.size
  }

  /** Looks up the table partitions of a batch. */
  find(partitions: readonly PartitionValues[]): PartitionLookup {
    const keys = partitions.map(keyOf)
    const newCount = keys.reduce((count, key) => (this.#byKey.has(key) ? count : count + 1), 0)
    return { partitions, keys, newCount }
  }

  /**
   * Opens the partitions that are not open yet. Returns one shared `PartitionValues` object per partition and the bytes
   * that were added.
   */
  open({ partitions, keys }: PartitionLookup): {
    readonly shared: readonly PartitionValues[]
    readonly bytes: number
  } {
    let bytes = keys.length * 8
    const shared = keys.map((key, index) => {
      const known = this.#byKey.get(key)
      if (known !== undefined) return known
      const values = partitions[index] as PartitionValues
      this.#byKey.set(key, values)
      bytes += ENTRY_BYTES + key.length * 4
      return values
    })
    return { shared, bytes }
  }
}

/** Returns equal text for equal values. Longs beyond the safe integers are `bigint`, which JSON cannot represent. */
function keyOf(values: PartitionValues): string {
  return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** Numbers the table partitions of several batches from 0, in the order in which they first occur. */
export class NumberedPartitions {
  readonly #byValues = new Map<PartitionValues, number>()
  readonly #byKey = new Map<string, number>()
  readonly #all: PartitionValues[] = []

  /** All partitions, by number. */
  get all(): readonly PartitionValues[] {
    return this.#all
  }

  /** Returns the number of a partition, and numbers it if it is new. */
  numberOf(values: PartitionValues): number {
    const known = this.#byValues.get(values)
    if (known !== undefined) return known
    const key = keyOf(values)
    let number = this.#byKey.get(key)
    if (number === undefined) {
      number = this.#all.length
      this.#all.push(values)
      this.#byKey.set(key, number)
    }
    this.#byValues.set(values, number)
    return number
  }
}
