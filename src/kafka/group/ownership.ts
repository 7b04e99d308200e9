import { comparePartitions, keyOfPartition, type TopicPartition } from './partitions.ts'

/**
 * Describes a partition that this member owns. `epoch` increases whenever it is taken, so that stale work is detected.
 */
export interface OwnedPartition extends TopicPartition {
  readonly epoch: number
}

/** Tracks the partitions that this member owns, with the epoch in which it took them. */
export class Ownership {
  readonly #owned = new Map<string, OwnedPartition>()
  #epoch = 0

  /** Returns the owned partitions, ordered by topic and partition. */
  all(): readonly OwnedPartition[] {
    return [...this.#owned.values()].sort(comparePartitions)
  }

  get size(): number {
    return this.#owned.size
  }

  /** Takes ownership of partitions under one new epoch. */
  take(partitions: readonly TopicPartition[]): readonly OwnedPartition[] {
    const epoch = ++this.#epoch
    const taken = [...partitions]
      .sort(comparePartitions)
      .map(({ topic, partition }) => ({ topic, partition, epoch }))
    for (const partition of taken) {
      const key = keyOfPartition(partition)
      if (this.#owned.has(key)) throw new Error(`Broken invariant: partition ${key} was taken twice`)
      this.#owned.set(key, partition)
    }
    return taken
  }

  /** Drops partitions; `owns` returns false for them afterwards. */
  drop(partitions: readonly OwnedPartition[]): void {
    for (const partition of partitions)
      if (this.owns(partition)) this.#owned.delete(keyOfPartition(partition))
  }

  /** Returns whether the partition has been owned without interruption since its epoch. */
  owns(partition: OwnedPartition): boolean {
    return this.#owned.get(keyOfPartition(partition))?.epoch === partition.epoch
  }
}
