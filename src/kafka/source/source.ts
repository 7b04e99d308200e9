import type { Observable } from 'rxjs'
import type { Batch, OffsetRange } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'

/** A Kafka topic as batches, resumed from the table; the only thing of Kafka that the pipeline knows. */
export interface Source {
  /** Subscribe once. Completes after `stop()` or when every partition reached its end (`until: 'latest'`); errors when the consumer cannot go on. */
  readonly batches: Observable<Batch<Raw>>
  /** Copies committed offsets to the Kafka group: `last + 1` of every range. Advisory; failures are logged and counted, never thrown. */
  commitOffsets(ranges: readonly OffsetRange[]): Promise<void>
  /** Abandons what was read of these partitions and reads on from what the table says. */
  reset(partitions: readonly number[]): Promise<void>
  /** Stops reading; `batches` completes, the group membership lives on until `close` so that last offsets can be committed. */
  stop(): void
  /** Leaves the group and disconnects. */
  close(): Promise<void>
}
