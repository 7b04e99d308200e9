import { defer, type OperatorFunction } from 'rxjs'
import type { Counts, Flush, OffsetRange } from '../src/core/batch.ts'
import type { FlushCredit } from '../src/core/credit/flush-credit.ts'
import type { FlushTrace } from '../src/core/flush-trace.ts'
import { inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import type { Add } from '../src/delta/protocol/actions.ts'
import type { Source } from '../src/kafka/source/source.ts'
import type { CommittedFlush } from './commit-delta.ts'

/** Describes a flush that is committed to the table and whose offsets are committed to Kafka; a pipeline emits it. */
export interface PipelineCommit {
  /** The flush's number within the process. */
  readonly id: number
  readonly version: bigint
  readonly ranges: readonly OffsetRange[]
  readonly counts: Counts
  readonly adds: readonly Add[]
  /** Puts of the commit that were tried. */
  readonly attempts: number
  /** Versions that other writers committed first. */
  readonly conflicts: number
  /** Puts whose outcome had to be determined by reading the log. */
  readonly ambiguous: number
  /** True if the commit changed the columns of the table. */
  readonly schemaChanged: boolean
  /** Trace of the flush, which has ended. */
  readonly trace?: FlushTrace
  /** Newest Kafka timestamp of the records, in milliseconds since the epoch; see `Flush`. */
  readonly newestMs: number | undefined
  /** Newest Kafka timestamp more than a minute ahead of the clock; absent if there is none. */
  readonly futureMs?: number
}

/** Configures the `commitOffsets` operator. */
export interface CommitOffsetsOptions {
  readonly source: Pick<Source, 'commitOffsets' | 'awaitCommits'>
  /** The credit that the flush holds until then. */
  readonly credit?: Pick<FlushCredit, 'flushSettled'>
}

/**
 * Copies the committed offsets to the Kafka consumer group, gives back the credit of the flush and ends its trace. Never fails, since the
 * offsets in the table decide where reading continues. A source that ends (`until: 'latest'`) ends once all that it read is committed.
 */
export function commitOffsets({
  source,
  credit,
}: CommitOffsetsOptions): OperatorFunction<Flush<CommittedFlush>, PipelineCommit> {
  const commit = stage(async (flush: Flush<CommittedFlush>) => {
    await inStage(flush.trace, 'commitOffsets', { 'kafka_delta.partitions': flush.ranges.length }, () =>
      source.commitOffsets(flush.ranges),
    )
    credit?.flushSettled(flush.bytes)
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
      ...(flush.futureMs === undefined ? {} : { futureMs: flush.futureMs }),
      trace: flush.trace,
    }
  })
  return (flushes) =>
    defer(() => {
      source.awaitCommits?.()
      return flushes.pipe(commit)
    })
}
