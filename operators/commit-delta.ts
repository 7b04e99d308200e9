import { context } from '@opentelemetry/api'
import type { OperatorFunction } from 'rxjs'
import type { DeadLetter, Flush, OffsetRange } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { PipelineError } from '../src/core/errors.ts'
import { inSpan, inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import type { Add } from '../src/delta/protocol/actions.ts'
import type { Append, CommitOutcome, TableWriter } from '../src/delta/commit/table-writer.ts'
import type { DataFiles } from './write-parquet.ts'

/** Where dead letters go: all of them are there when `write` resolves, however often a flush is tried again. */
export interface DeadLetterSink {
  /** Writes those of a flush over `ranges`; letters that are there already are not written again. */
  write(deadLetters: readonly DeadLetter[], ranges: readonly OffsetRange[]): Promise<unknown>
}

/** What a commit needs. */
export interface CommitParts {
  readonly table: TableWriter
  /** The `txn` of partition 3 has the appId `<appId>-3`. */
  readonly appId: string
  readonly deadLetters: DeadLetterSink
  /**
   * Called when another writer carried offsets of the flush already, or, with `unfit`, when its rows do not fit the table
   * any more: nothing of it was committed; what was read of its partitions must be abandoned and taken up again from the
   * table.
   */
  readonly fenced: (flush: Flush<DataFiles>, appIds: readonly string[], unfit?: string) => Promise<void>
  readonly clock?: Clock
}

/** A flush that is in the table. */
export interface Committed {
  readonly version: bigint
  readonly adds: readonly Add[]
  readonly outcome: Extract<CommitOutcome, { kind: 'committed' }>
  /** Whether the columns of the table changed with it. */
  readonly schemaChanged: boolean
}

/** The `txn` appId of a Kafka partition; the convention of kafka-delta-ingest. */
export function appIdOf(appId: string, partition: number): string {
  return `${appId}-${partition}`
}

/** Times that a flush is laid out anew because the table changed before its commit. */
const LAYOUTS_MAX = 10

/** Flushes on end that are given up because their rows do not fit the table any more. */
const UNFIT_MAX = 50

type End =
  | Extract<CommitOutcome, { kind: 'committed' | 'fenced' }>
  | { readonly kind: 'unfit'; readonly reason: string; readonly attempts: number; readonly conflicts: number }

/**
 * Files, offsets and dead letters of a flush become visible as one: dead letters are written first, then one commit
 * carries all files and one `txn` for each Kafka partition. One flush at a time, in order. A flush whose offsets are in
 * the table already leaves nothing downstream; `fenced` is called instead. Where another writer changed the table since
 * the files were made, they are made again for the table as it is, from the rows that the flush still holds; where these
 * do not fit it, the flush is given up and read again.
 * @throws KD_COMMIT_CONFLICT, KD_COMMIT_CONTENDED, KD_DEAD_LETTERS_FAILED, KD_STORE_UNAVAILABLE, KD_TABLE_UNSUPPORTED
 */
export function commitDelta(parts: CommitParts): OperatorFunction<Flush<DataFiles>, Flush<Committed>> {
  let unfit = 0
  return stage(async (flush: Flush<DataFiles>) => {
    const { outcome, files } = await inStage(flush.trace, 'commitDelta', {}, async (span) => {
      const result = await commit(flush, parts)
      span.setAttributes({
        'kafka_delta.outcome': result.outcome.kind,
        'kafka_delta.attempts': result.outcome.attempts,
        'kafka_delta.conflicts': result.outcome.conflicts,
        ...(result.outcome.kind === 'committed'
          ? { 'kafka_delta.version': Number(result.outcome.version) }
          : {}),
      })
      return result
    })
    if (outcome.kind === 'committed') {
      unfit = 0
      const schemaChanged = files.layout.change?.metadata !== undefined
      return { ...flush, payload: { version: outcome.version, adds: files.adds, outcome, schemaChanged } }
    }
    if (outcome.kind === 'unfit') {
      if (++unfit > UNFIT_MAX) throw new PipelineError('KD_COMMIT_CONFLICT', outcome.reason, at(parts))
      const appIds = flush.ranges.map(({ partition }) => appIdOf(parts.appId, partition))
      await parts.fenced({ ...flush, payload: files }, appIds, outcome.reason)
    } else await parts.fenced({ ...flush, payload: files }, outcome.appIds)
    return undefined
  })
}

async function commit(
  flush: Flush<DataFiles>,
  parts: CommitParts,
): Promise<{ readonly outcome: End; readonly files: DataFiles }> {
  const { table, deadLetters } = parts
  let files = flush.payload
  const counts = { attempts: 0, conflicts: 0 }
  if (files.layout.unfit !== undefined)
    return { files, outcome: { kind: 'unfit', reason: files.layout.unfit, ...counts } }
  if (flush.deadLetters.length > 0) {
    // Asked before the dead letters go out: a flush that comes too late should not write them once more.
    const stale = await table.stale(appendOf(flush, files, parts).txns)
    if (stale.length > 0) return { files, outcome: { kind: 'fenced', appIds: stale, ...counts } }
    await inStage(
      flush.trace,
      'deadLetters',
      { 'kafka_delta.dead_letters': flush.deadLetters.length },
      () => deadLetters.write(flush.deadLetters, flush.ranges),
      context.active(),
    )
  }
  for (let layouts = 1; layouts <= LAYOUTS_MAX; layouts++) {
    const outcome = await table.append(appendOf(flush, files, parts))
    if (outcome.kind !== 'changed') return { outcome, files }
    files = await inSpan(context.active(), 'new layout', {}, () => files.again())
    const { unfit } = files.layout
    if (unfit !== undefined) return { files, outcome: { ...outcome, kind: 'unfit', reason: unfit } }
  }
  const detail = `its schema, properties or protocol changed ${LAYOUTS_MAX} times before one commit`
  throw new PipelineError('KD_COMMIT_CONFLICT', detail, at(parts))
}

function at({ table }: CommitParts): { readonly table: string; readonly version: bigint } {
  return { table: table.uri, version: table.version }
}

function appendOf(flush: Flush<DataFiles>, files: DataFiles, { appId, clock }: CommitParts): Append {
  const lastUpdated = (clock ?? systemClock).now()
  const { counts } = flush
  const { adds, layout } = files
  return {
    basis: layout.basis,
    ...(layout.change === undefined ? {} : { change: layout.change }),
    adds,
    txns: flush.ranges.map(({ partition, follows, last }) => ({
      appId: appIdOf(appId, partition),
      version: last,
      lastUpdated,
      follows,
    })),
    operationParameters: { outputMode: 'Append', queryId: appId, epochId: String(flush.id) },
    operationMetrics: {
      numAddedFiles: String(adds.length),
      numRemovedFiles: '0',
      numOutputRows: String(counts.rows),
      numOutputBytes: String(adds.reduce((sum, add) => sum + add.size, 0)),
      numRecords: String(counts.records),
      ...(counts.expanded === undefined ? {} : { numExpandedRecords: String(counts.expanded) }),
      numDeadLetters: String(counts.deadLetters),
      numTombstones: String(counts.tombstones),
      numFiltered: String(counts.filtered),
      ...(counts.droppedFields === undefined ? {} : { numDroppedFields: String(counts.droppedFields) }),
    },
  }
}
