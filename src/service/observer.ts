import type { FlushFacts } from '../../operators/buffer-time-or-count.ts'
import type { Commit } from '../../operators/commit-offsets.ts'
import type { Raw } from '../core/raw.ts'
import type { PartitionStatus } from '../kafka/source-options.ts'

/** Told what a topic does while it runs: at once, so that nothing here may wait or fail. */
export interface TopicObserver {
  /** A batch was read. */
  read(raw: Raw): void
  /** A flush was formed. What is returned is told its end, with the error where the topic fails before it. */
  flush(facts: FlushFacts): (error?: unknown) => void
  /** A flush is in the table; `status` is that of the assigned partitions. */
  committed(commit: Commit, status: readonly PartitionStatus[]): void
  /** Now and then. */
  status(status: readonly PartitionStatus[]): void
}
