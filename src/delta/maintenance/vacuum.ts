import { type Clock, systemClock } from '../../core/clock.ts'
import { mapBounded, runThenCleanUp } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { type TableChange, commitTableChange } from '../commit/change.ts'
import { readLiveFiles } from '../log/live-files.ts'
import { parseIntervalMs } from '../protocol/interval.ts'
import { readCommit } from '../log/log-segment.ts'
import { cleanUpLog } from './log-cleanup.ts'
import { type MaintainedTable, openMaintainedTable } from './maintained-table.ts'
import { ReferencedFiles, listVisibleFiles } from '../files/referenced-files.ts'
import { LOG_PREFIX, parseLogKey } from '../protocol/paths.ts'
import type { TableState } from '../log/state.ts'

/** Configures a run of VACUUM. */
export interface VacuumOptions {
  /** Hours for which removed files are retained; the table's property, or 168, if absent. */
  readonly retentionHours?: number | undefined
  /** Lists the files that would be deleted without deleting them. */
  readonly dryRun: boolean
  /** Accepts a retention shorter than the table's. */
  readonly force?: boolean | undefined
  readonly clock?: Clock
  /** Ends the run before the next thousand files are deleted. */
  readonly signal?: AbortSignal | undefined
  /** Receives every file that is deleted, or would be. */
  readonly onFile?: (key: string, bytes: number) => Promise<void>
}

/** Counts what a run of VACUUM deleted. */
export interface VacuumResult {
  readonly dryRun: boolean
  readonly retentionHours: number
  /** Files that were deleted, or would be. */
  readonly files: number
  readonly bytes: number
  /** Files that were kept. */
  readonly filesKept: number
  /** True if the run was stopped early. */
  readonly stopped: boolean
  /** Expired files of the log that were deleted. */
  readonly logFiles: number
}

const HOUR_MS = 3_600_000
const RETENTION_MS = 168 * HOUR_MS
const PROPERTY = 'delta.deletedFileRetentionDuration'
const DELETES_AT_ONCE = 8
const BATCH = 1_000

/**
 * Deletes files that no version within the retention references and that are older than it: files that were removed
 * from the table long ago, and files of writers that never committed; then expired files of the log (`cleanUpLog`).
 * Commits before and after the deletion record it (`VACUUM START`, `VACUUM END`), as in Spark; they do not change the
 * table. Memory holds a few bytes per referenced file. Spec: "Add File and Remove File" (tombstones), "VACUUM Protocol
 * Check", "Metadata Cleanup".
 * @throws KD_COMMAND_INVALID for a retention that is too short
 * @throws KD_TABLE_UNSUPPORTED with the name of a feature under which other files than those of `add` and `remove`
 * belong to the table
 */
export async function vacuumTable(store: Store, options: VacuumOptions): Promise<VacuumResult> {
  const table = await openMaintainedTable(store, 'vacuum')
  const { retentionHours, dryRun, clock = systemClock } = options
  const tableRetentionMs = parseIntervalMs(table.metadata.configuration[PROPERTY], RETENTION_MS)
  const retentionMs = retentionHours === undefined ? tableRetentionMs : retentionHours * HOUR_MS
  if (retentionMs < tableRetentionMs && options.force !== true)
    throw tooShort(store, retentionMs, tableRetentionMs)
  const beforeMs = clock.now() - retentionMs
  const kept = await collectReferencedSince(store, table, beforeMs, retentionMs > tableRetentionMs)
  const sweep = new DirectorySweep(store, table, kept, beforeMs)
  const result = { dryRun, retentionHours: retentionMs / HOUR_MS }
  if (dryRun) return { ...result, ...(await sweep.run(options, false)), stopped: false, logFiles: 0 }
  // The first commit states the amount, so it is counted before anything is deleted.
  const due = await sweep.run({}, false)
  const { files: logFiles } = await cleanUpLog(store, { clock, signal: options.signal })
  const isStopped = (): boolean => options.signal?.aborted === true
  if (due.files === 0 || isStopped())
    return { ...result, ...due, files: 0, bytes: 0, stopped: isStopped(), logFiles }
  const started = await record(store, table.state, vacuumStart(options, tableRetentionMs, due), options)
  let done: SweepCounts | undefined
  const counts = await runThenCleanUp(
    async () => (done = await sweep.run(options, true)),
    () => {
      const status = done === undefined || isStopped() ? 'FAILED' : 'COMPLETED'
      return record(store, started, vacuumEnd(status, done?.files ?? 0), options)
    },
  )
  return { ...result, ...counts, stopped: isStopped(), logFiles }
}

/** Counts of one scan of the table directory. */
interface SweepCounts {
  readonly files: number
  readonly bytes: number
  readonly filesKept: number
}

/** Scans the table directory for files to delete. */
class DirectorySweep {
  readonly #store: Store
  readonly #table: MaintainedTable
  readonly #kept: ReferencedFiles
  readonly #beforeMs: number

  constructor(store: Store, table: MaintainedTable, kept: ReferencedFiles, beforeMs: number) {
    this.#store = store
    this.#table = table
    this.#kept = kept
    this.#beforeMs = beforeMs
  }

  async run({ onFile, signal }: Partial<VacuumOptions>, deletes: boolean): Promise<SweepCounts> {
    let [files, bytes, filesKept] = [0, 0, 0]
    let due: string[] = []
    const flush = async (): Promise<void> => {
      if (deletes) await mapBounded(due, DELETES_AT_ONCE, (key) => this.#store.delete(key))
      due = []
    }
    for await (const object of listVisibleFiles(this.#store, this.#table.metadata.partitionColumns)) {
      // A young file may belong to a transaction that has not committed yet.
      if (this.#kept.has(object.key) || object.modifiedMs >= this.#beforeMs) {
        filesKept++
        continue
      }
      files++
      bytes += object.bytes
      due.push(object.key)
      await onFile?.(object.key, object.bytes)
      if (due.length >= BATCH) await flush()
      if (signal?.aborted === true) break
    }
    await flush()
    return { files, bytes, filesKept }
  }
}

/** Commits a record that does not change the table and conflicts with nothing; returns the state after it. */
async function record(
  store: Store,
  state: TableState,
  change: VacuumRecord,
  { clock }: VacuumOptions,
): Promise<TableState> {
  const whole: TableChange = {
    ...change,
    isolationLevel: 'SnapshotIsolation',
    actions: [],
    conflict: () => undefined,
  }
  return (await commitTableChange(store, state, whole, { clock })).state
}

type VacuumRecord = Pick<TableChange, 'operation' | 'operationParameters' | 'operationMetrics'>

function vacuumStart(
  { retentionHours, force }: VacuumOptions,
  tableRetentionMs: number,
  due: SweepCounts,
): VacuumRecord {
  const specified =
    retentionHours === undefined ? {} : { specifiedRetentionMillis: String(retentionHours * HOUR_MS) }
  return {
    operation: 'VACUUM START',
    operationParameters: {
      retentionCheckEnabled: String(force !== true),
      defaultRetentionMillis: String(tableRetentionMs),
      ...specified,
    },
    operationMetrics: { numFilesToDelete: String(due.files), sizeOfDataToDelete: String(due.bytes) },
  }
}

function vacuumEnd(status: 'COMPLETED' | 'FAILED', files: number): VacuumRecord {
  return {
    operation: 'VACUUM END',
    operationParameters: { status },
    operationMetrics: { numDeletedFiles: String(files), numVacuumedDirectories: '0' },
  }
}

/**
 * Collects the files of the newest version and those removed after `beforeMs`: all files that any version since then
 * references.
 */
async function collectReferencedSince(
  store: Store,
  { segment }: MaintainedTable,
  beforeMs: number,
  beyondTombstones: boolean,
): Promise<ReferencedFiles> {
  const kept = new ReferencedFiles()
  for await (const file of readLiveFiles(store, segment, ['add.stats', 'add.tags'])) {
    if (file.kind === 'add') kept.add(file.add)
    // A tombstone without a time has expired by the specification.
    else if ((file.remove.deletionTimestamp ?? 0) >= beforeMs) kept.add(file.remove)
  }
  // Checkpoints drop tombstones after the table's own retention; for a longer retention the commits are read.
  if (!beyondTombstones) return kept
  for await (const { key, modifiedMs } of store.list(LOG_PREFIX)) {
    const file = parseLogKey(key)
    if (file?.kind !== 'commit' || modifiedMs < beforeMs) continue
    for (const action of (await readCommit(store, file.version))?.actions ?? [])
      if (action.kind === 'remove') kept.add(action.remove)
  }
  return kept
}

function tooShort(store: Store, retentionMs: number, tableRetentionMs: number): PipelineError {
  const detail =
    `a retention of ${retentionMs / HOUR_MS} hours is shorter than the table's ${tableRetentionMs / HOUR_MS} (${PROPERTY}, ` +
    '168 by default): readers of older versions and writers that have not committed yet would lose files. ' +
    'Use --force where there are none'
  return new PipelineError('KD_COMMAND_INVALID', detail, { table: store.uri })
}
