/** The values of a table's partition columns, in their order, as JSON-like values. */
export type PartitionValues = readonly unknown[]

/** Table partitions of a batch, looked up in those that are open. */
export interface FoundPartitions {
  readonly partitions: readonly PartitionValues[]
  /** A text for each, the same for the same values. */
  readonly keys: readonly string[]
  /** How many of them are not open yet. */
  readonly fresh: number
}

/** What an entry takes beside its text, which is held twice. Bytes. */
const ENTRY_BYTES = 256

/** The table partitions of what waits for one flush, each held once however many batches have rows of it. */
export class OpenPartitions {
  readonly #byKey = new Map<string, PartitionValues>()

  get size(): number {
    return this.#byKey.size
  }

  find(partitions: readonly PartitionValues[]): FoundPartitions {
    const keys = partitions.map(keyOf)
    const fresh = keys.reduce((count, key) => (this.#byKey.has(key) ? count : count + 1), 0)
    return { partitions, keys, fresh }
  }

  /** Opens those that are not yet; the very same values come back for the same partition. `bytes` is what was added. */
  open({ partitions, keys }: FoundPartitions): {
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

/** Longs beyond the safe integers are `bigint`, which JSON has no number for. */
function keyOf(values: PartitionValues): string {
  return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** The partitions of several batches, numbered in the order in which they are met. */
export class NumberedPartitions {
  readonly #byValues = new Map<PartitionValues, number>()
  readonly #byKey = new Map<string, number>()
  readonly #all: PartitionValues[] = []

  get all(): readonly PartitionValues[] {
    return this.#all
  }

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
