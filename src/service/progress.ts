import type { Commit } from '../../operators/commit-offsets.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import type { PartitionStatus } from '../kafka/source-options.ts'
import type { TopicObserver } from './observer.ts'

/** The last commit of a topic. */
export interface LastCommit {
  readonly version: bigint
  /** Milliseconds since the epoch, as all times here. */
  readonly atMs: number
  /** From the forming of the flush to its commit. */
  readonly durationMs: number
  readonly attempts: number
  /** Newest Kafka timestamp among its records. */
  readonly newestMs: number
}

/** When a topic last moved; one for each topic of the process. */
export class Progress implements TopicObserver {
  readonly #clock: Clock
  #movedAtMs: number
  #flushedAtMs: number
  #last: LastCommit | undefined

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    this.#movedAtMs = clock.now()
    this.#flushedAtMs = this.#movedAtMs
  }

  /** When it last read or committed something, or began. */
  get movedAtMs(): number {
    return this.#movedAtMs
  }

  get last(): LastCommit | undefined {
    return this.#last
  }

  read(): void {
    this.#movedAtMs = this.#clock.now()
  }

  flush(): () => void {
    const startedAtMs = this.#clock.now()
    return () => {
      this.#flushedAtMs = startedAtMs
    }
  }

  committed({ version, attempts, newestMs }: Commit): void {
    const atMs = this.#clock.now()
    this.#movedAtMs = atMs
    this.#last = { version, atMs, durationMs: atMs - this.#flushedAtMs, attempts, newestMs }
  }

  status(): void {
    // It asks by itself.
  }
}

/** Offsets of a partition that its table does not hold yet. */
export function lagOf({ end, committed, next }: PartitionStatus): bigint {
  const behind = end - (committed === undefined ? next : committed + 1n)
  return behind > 0n ? behind : 0n
}

/** The same of all partitions that a process has of a topic. */
export function totalLag(partitions: readonly PartitionStatus[]): bigint {
  return partitions.reduce((sum, partition) => sum + lagOf(partition), 0n)
}
