import type { OperatorFunction } from 'rxjs'
import type { DeadLetter, Flush, OffsetRange } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { inSpan } from '../src/core/span.ts'
import { stage } from '../src/core/stage.ts'
import type { Add } from '../src/delta/actions.ts'
import type { Append, CommitOutcome, TableWriter } from '../src/delta/table.ts'

/** Where dead letters go: all of them are there when `write` resolves, however often a flush is tried again. */
export interface DeadLetterSink {
  write(deadLetters: readonly DeadLetter[], ranges: readonly OffsetRange[]): Promise<unknown>
}

/** What a commit needs. */
export interface CommitParts {
  readonly table: TableWriter
  /** The `txn` of partition 3 has the appId `<appId>-3`. */
  readonly appId: string
  readonly deadLetters: DeadLetterSink
  /**
   * Called when another writer carried offsets of the flush already: nothing of it was committed; what was read of
   * its partitions must be abandoned and taken up again from the table.
   */
  readonly fenced: (flush: Flush<readonly Add[]>, appIds: readonly string[]) => Promise<void>
  readonly clock?: Clock
}

/** A flush that is in the table. */
export interface Committed {
  readonly version: bigint
  readonly adds: readonly Add[]
  readonly outcome: Extract<CommitOutcome, { kind: 'committed' }>
}

/** The `txn` appId of a Kafka partition; the convention of kafka-delta-ingest. */
export function appIdOf(appId: string, partition: number): string {
  return `${appId}-${partition}`
}

/**
 * Files, offsets and dead letters of a flush become visible as one: dead letters are written first, then one commit
 * carries all files and one `txn` for each Kafka partition. One flush at a time, in order. A flush whose offsets are in
 * the table already leaves nothing downstream; `fenced` is called instead.
 * @throws KD_COMMIT_CONFLICT, KD_COMMIT_CONTENDED, KD_DEAD_LETTERS_FAILED, KD_STORE_UNAVAILABLE
 */
export function commitDelta(parts: CommitParts): OperatorFunction<Flush<readonly Add[]>, Flush<Committed>> {
  return stage(async (flush: Flush<readonly Add[]>) => {
    const outcome = await inSpan(flush.trace.context, 'delta commit', {}, async (span) => {
      const result = await commit(flush, parts)
      span.setAttributes({
        'kafka_delta.outcome': result.kind,
        'kafka_delta.attempts': result.attempts,
        'kafka_delta.conflicts': result.conflicts,
        ...(result.kind === 'committed' ? { 'kafka_delta.version': Number(result.version) } : {}),
      })
      return result
    })
    if (outcome.kind === 'committed') {
      return { ...flush, payload: { version: outcome.version, adds: flush.payload, outcome } }
    }
    await parts.fenced(flush, outcome.appIds)
    return undefined
  })
}

async function commit(flush: Flush<readonly Add[]>, parts: CommitParts): Promise<CommitOutcome> {
  const { table, deadLetters } = parts
  const append = appendOf(flush, parts)
  if (flush.deadLetters.length > 0) {
    // Asked before the dead letters go out: a flush that comes too late should not write them once more.
    const stale = await table.stale(append.txns)
    if (stale.length > 0) return { kind: 'fenced', appIds: stale, attempts: 0, conflicts: 0 }
    await inSpan(
      flush.trace.context,
      'dead letters',
      { 'kafka_delta.dead_letters': flush.deadLetters.length },
      () => deadLetters.write(flush.deadLetters, flush.ranges),
    )
  }
  return table.append(append)
}

function appendOf(flush: Flush<readonly Add[]>, { appId, clock }: CommitParts): Append {
  const lastUpdated = (clock ?? systemClock).now()
  const { counts, payload } = flush
  return {
    adds: payload,
    txns: flush.ranges.map(({ partition, follows, last }) => ({
      appId: appIdOf(appId, partition),
      version: last,
      lastUpdated,
      follows,
    })),
    operationParameters: { outputMode: 'Append', queryId: appId, epochId: String(flush.id) },
    operationMetrics: {
      numAddedFiles: String(payload.length),
      numRemovedFiles: '0',
      numOutputRows: String(counts.rows),
      numOutputBytes: String(payload.reduce((sum, add) => sum + add.size, 0)),
      numRecords: String(counts.records),
      numDeadLetters: String(counts.deadLetters),
      numTombstones: String(counts.tombstones),
    },
  }
}
