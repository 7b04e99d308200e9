import { context } from '@opentelemetry/api'
import { defer, type OperatorFunction } from 'rxjs'
import type { DeadLetter, Flush, OffsetRange } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { PipelineError } from '../src/core/errors.ts'
import { inSpan, inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import type { Add } from '../src/delta/protocol/actions.ts'
import type { Append, CommitOutcome, TableWriter } from '../src/delta/commit/table-writer.ts'
import type { DataFiles } from './write-parquet.ts'

/** Writes dead letters; each is stored exactly once, however often its flush is retried. */
export interface DeadLetterSink {
  /** Writes the dead letters of a flush that covers `ranges` and resolves when all are stored. Stored ones are not repeated. */
  write(deadLetters: readonly DeadLetter[], ranges: readonly OffsetRange[]): Promise<unknown>
}

/** Configures the `commitDelta` operator. */
export interface CommitDeltaOptions {
  readonly table: Pick<TableWriter, 'append' | 'findFenced' | 'uri' | 'version'>
  /** Prefix of the `txn` appIds: Kafka partition 3 has the appId `<appId>-3`. */
  readonly appId: string
  readonly deadLetters: DeadLetterSink
  /**
   * Lays out the rows of a flush for the current snapshot of the table, after another writer changed it before the commit.
   * Returns other files, or the same ones if they still match; see the function of this name.
   */
  readonly layOutForSnapshot: (files: DataFiles) => Promise<DataFiles>
  /**
   * Called when another writer has already committed offsets of the flush or, with `incompatibleReason`, when its rows no
   * longer fit the table. Nothing of the flush was committed: its Kafka partitions must be read again from the offsets in
   * the table.
   */
  readonly handleFenced: (
    flush: Flush<DataFiles>,
    appIds: readonly string[],
    incompatibleReason?: string,
  ) => Promise<void>
  readonly clock?: Clock
}

/** Describes the commit of a flush to the table. */
export interface CommittedFlush {
  readonly version: bigint
  readonly adds: readonly Add[]
  readonly outcome: Extract<CommitOutcome, { kind: 'committed' }>
  /** True if the commit changed the columns of the table. */
  readonly schemaChanged: boolean
}

/** Returns the `txn` appId of a Kafka partition, as kafka-delta-ingest names it. */
export function appIdOf(appId: string, partition: number): string {
  return `${appId}-${partition}`
}

/** Returns the `txn` appId under which a table holds the id of the topic, the first 63 bits of it as version. */
export function topicIdAppIdOf(appId: string): string {
  return `${appId}-topic-id`
}

/** Maximum number of times that the rows of a flush are laid out for a table that changed before the commit. */
const LAYOUTS_MAX = 10

/** Maximum number of consecutive flushes that are dropped because their rows no longer fit the table. */
const UNFIT_MAX = 50

type CommitEnd =
  | Extract<CommitOutcome, { kind: 'committed' | 'fenced' }>
  | { readonly kind: 'unfit'; readonly reason: string; readonly attempts: number; readonly conflicts: number }

/**
 * Commits flushes to the Delta table, one at a time and in order: dead letters are written first, then one commit adds all
 * files, one `txn` for each Kafka partition and one for the id of the topic. A flush whose offsets are already in the table is fenced: it is not emitted
 * and `handleFenced` is called. If another writer changed the table after the files were made, the rows are laid out for the
 * new snapshot; if they do not fit it, the flush is dropped, `handleFenced` is called, and its records are read again.
 * @throws KD_COMMIT_CONFLICT, KD_COMMIT_CONTENDED, KD_DEAD_LETTERS_FAILED, KD_STORE_UNAVAILABLE, KD_TABLE_UNSUPPORTED
 * @throws KD_TABLE_REPLACED if the table was deleted or replaced; the files of the flush are deleted then
 */
export function commitDelta(
  options: CommitDeltaOptions,
): OperatorFunction<Flush<DataFiles>, Flush<CommittedFlush>> {
  return (flushes) =>
    defer(() => {
      const drops = new ConsecutiveDrops(options)
      return flushes.pipe(stage((flush) => commitFlush(flush, options, drops)))
    })
}

/** Counts the consecutive flushes of one subscription that were dropped because their rows no longer fit the table. */
class ConsecutiveDrops {
  readonly #options: CommitDeltaOptions
  #count = 0

  constructor(options: CommitDeltaOptions) {
    this.#options = options
  }

  /** @throws KD_COMMIT_CONFLICT when there are too many: reading the records again does not help. */
  add(reason: string): void {
    if (++this.#count > UNFIT_MAX)
      throw new PipelineError('KD_COMMIT_CONFLICT', reason, tableContext(this.#options))
  }

  reset(): void {
    this.#count = 0
  }
}

async function commitFlush(
  flush: Flush<DataFiles>,
  options: CommitDeltaOptions,
  drops: ConsecutiveDrops,
): Promise<Flush<CommittedFlush> | undefined> {
  const { outcome, files } = await inStage(flush.trace, 'commitDelta', {}, async (span) => {
    const result = await commit(flush, options)
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
    drops.reset()
    const schemaChanged = files.layout.change?.metadata !== undefined
    return { ...flush, payload: { version: outcome.version, adds: files.adds, outcome, schemaChanged } }
  }
  const dropped = { ...flush, payload: files }
  if (outcome.kind === 'unfit') {
    drops.add(outcome.reason)
    const appIds = flush.ranges.map(({ partition }) => appIdOf(options.appId, partition))
    await options.handleFenced(dropped, appIds, outcome.reason)
  } else await options.handleFenced(dropped, outcome.appIds)
  return undefined
}

interface CommitResult {
  readonly outcome: CommitEnd
  readonly files: DataFiles
}

async function commit(flush: Flush<DataFiles>, options: CommitDeltaOptions): Promise<CommitResult> {
  let files = flush.payload
  try {
    return await commitFiles(flush, options, (made) => (files = made))
  } catch (error) {
    // After other errors the commit may be in the log, or the store does not answer.
    if (error instanceof PipelineError && error.code === 'KD_TABLE_REPLACED') await files.discard()
    throw error
  }
}

/** Commits the flush; `use` receives the files that are made for another snapshot in place of the former ones. */
async function commitFiles(
  flush: Flush<DataFiles>,
  options: CommitDeltaOptions,
  use: (files: DataFiles) => void,
): Promise<CommitResult> {
  const { table, deadLetters } = options
  let files = flush.payload
  const counts = { attempts: 0, conflicts: 0 }
  if (files.layout.incompatibleReason !== undefined)
    return { files, outcome: { kind: 'unfit', reason: files.layout.incompatibleReason, ...counts } }
  if (flush.deadLetters.length > 0) {
    // Checked before the dead letters are written: a fenced flush must not write them again.
    const fenced = await table.findFenced(appendOf(flush, files, options).txns)
    if (fenced.length > 0) return { files, outcome: { kind: 'fenced', appIds: fenced, ...counts } }
    await inStage(
      flush.trace,
      'deadLetters',
      { 'kafka_delta.dead_letters': flush.deadLetters.length },
      () => deadLetters.write(flush.deadLetters, flush.ranges),
      context.active(),
    )
  }
  for (let layouts = 1; layouts <= LAYOUTS_MAX; layouts++) {
    const outcome = await table.append(appendOf(flush, files, options))
    if (outcome.kind !== 'changed') return { outcome, files }
    files = await inSpan(context.active(), 'new layout', {}, () => options.layOutForSnapshot(files))
    use(files)
    const { incompatibleReason } = files.layout
    if (incompatibleReason !== undefined)
      return { files, outcome: { ...outcome, kind: 'unfit', reason: incompatibleReason } }
  }
  const detail = `the table's schema, properties or protocol changed ${LAYOUTS_MAX} times before one commit`
  throw new PipelineError('KD_COMMIT_CONFLICT', detail, tableContext(options))
}

function tableContext({ table }: CommitDeltaOptions): { readonly table: string; readonly version: bigint } {
  return { table: table.uri, version: table.version }
}

function appendOf(flush: Flush<DataFiles>, files: DataFiles, { appId, clock }: CommitDeltaOptions): Append {
  const lastUpdated = (clock ?? systemClock).now()
  const { counts } = flush
  const { adds, layout } = files
  return {
    baseSnapshot: layout.baseSnapshot,
    ...(layout.change === undefined ? {} : { change: layout.change }),
    adds,
    txns: [
      ...flush.ranges.map(({ partition, follows, last }) => ({
        appId: appIdOf(appId, partition),
        version: last,
        lastUpdated,
        follows,
      })),
      // In each commit, so that it expires no earlier than the offsets.
      ...topicIdsOf(flush.ranges).map((version) => ({
        appId: topicIdAppIdOf(appId),
        version,
        lastUpdated,
        follows: undefined,
        isConstant: true as const,
      })),
    ],
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

/** Returns the ids of the topics of ranges; one, unless they are unknown. */
function topicIdsOf(ranges: readonly OffsetRange[]): readonly bigint[] {
  return [...new Set(ranges.flatMap(({ topicId }) => topicId ?? []))]
}
