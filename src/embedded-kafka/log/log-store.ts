import type { StoredBatch } from './stored-batch.ts'

/** Describes a partition beside its batches. */
export interface LogState {
  readonly start: bigint
  /** End of the log, for when it has no batches. */
  readonly end: bigint
  readonly leaderEpoch: number
  /** Ends of the leader epochs before. */
  readonly epochEnds: readonly (readonly [epoch: number, end: bigint])[]
}

/** Holds a partition as it was found. */
export interface StoredLog extends LogState {
  readonly batches: readonly StoredBatch[]
}

/** Keeps the batches of one partition beyond the end of the process. */
export interface LogStore {
  /** Returns what is there; `undefined` for a new partition. */
  load(): StoredLog | undefined
  /** Appends batches before it returns; appends none of them if it throws. */
  append(batches: readonly StoredBatch[]): void
  /** Replaces everything, or nothing if it throws. */
  rewrite(log: StoredLog): void
}
