import type { OperatorFunction } from 'rxjs'
import type { Counts, Flush, OffsetRange } from '../src/core/batch.ts'
import type { FlushTrace } from '../src/core/flush-trace.ts'
import { inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import type { Add } from '../src/delta/protocol/actions.ts'
import type { Source } from '../src/kafka/source/source.ts'
import type { Committed } from './commit-delta.ts'

/** One flush that is in the table and known to Kafka; what a pipeline emits. */
export interface Commit {
  /** The flush's number within the process. */
  readonly id: number
  readonly version: bigint
  readonly ranges: readonly OffsetRange[]
  readonly counts: Counts
  readonly adds: readonly Add[]
  /** Puts tried and versions lost to other writers. */
  readonly attempts: number
  readonly conflicts: number
  /** Puts whose outcome had to be settled by reading. */
  readonly ambiguous: number
  /** Whether the columns of the table changed with it. */
  readonly schemaChanged: boolean
  /** The trace of the flush, which has ended. */
  readonly trace?: FlushTrace
  /** Newest Kafka timestamp among the records, milliseconds since the epoch. */
  readonly newestMs: number
}

/** What the last step needs. */
export interface OffsetParts {
  readonly source: Pick<Source, 'commitOffsets'>
  /** Told of a flush that holds its credit no longer. */
  readonly settled: (flush: Flush<Committed>) => void
}

/** Mirrors the committed offsets to the Kafka group and ends the flush's trace. Never fails: the table holds the truth. */
export function commitOffsets({ source, settled }: OffsetParts): OperatorFunction<Flush<Committed>, Commit> {
  return stage(async (flush: Flush<Committed>) => {
    await inStage(flush.trace, 'commitOffsets', { 'kafka_delta.partitions': flush.ranges.length }, () =>
      source.commitOffsets(flush.ranges),
    )
    settled(flush)
    flush.trace.end()
    const { version, adds, outcome, schemaChanged } = flush.payload
    return {
      id: flush.id,
      version,
      ranges: flush.ranges,
      counts: flush.counts,
      adds,
      attempts: outcome.attempts,
      conflicts: outcome.conflicts,
      ambiguous: outcome.ambiguous,
      schemaChanged,
      newestMs: flush.newestMs,
      trace: flush.trace,
    }
  })
}
