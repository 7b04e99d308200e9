import type { Observable } from 'rxjs'
import type { Batch, OffsetRange } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'

/** Reads a Kafka topic as batches, resumed from the offsets in the table; the pipeline's only view of Kafka. */
export interface Source {
  /**
   * The batches; subscribe once: a second subscription errors. Completes after `stop()` or when every partition reached
   * its end (`until: 'latest'`); errors when the consumer cannot continue.
   */
  readonly batches: Observable<Batch<Raw>>
  /** Copies the committed offsets to the Kafka group: `last + 1` of every range. Failures are logged and counted, never thrown. */
  commitOffsets(ranges: readonly OffsetRange[]): Promise<void>
  /**
   * Makes `batches` complete at its end (`until: 'latest'`) only once everything that was read is committed, so that
   * `reset` can still read again what a flush has lost. Requires that `commitOffsets` is called with everything that is
   * committed; the operator `commitOffsets` calls this method before the first batch.
   */
  awaitCommits?(): void
  /** Discards what was read of these Kafka partitions and continues from the offsets in the table. */
  reset(partitions: readonly number[]): Promise<void>
  /** Stops reading; `batches` completes. The member stays in its group until `close`, so that the last offsets can be committed. */
  stop(): void
  /** Leaves the group and disconnects. */
  close(): Promise<void>
}
