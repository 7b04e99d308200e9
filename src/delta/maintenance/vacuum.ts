import { type Clock, systemClock } from '../../core/clock.ts'
import { mapBounded } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { type Change, commitChange } from '../commit/change.ts'
import { liveFiles } from '../log/live-files.ts'
import { intervalMs } from '../protocol/interval.ts'
import { readCommit } from '../log/log-segment.ts'
import { cleanUpLog } from './log-cleanup.ts'
import { type Maintained, openMaintained } from './maintainable.ts'
import { KeptFiles, visibleFiles } from '../files/referenced-files.ts'
import { LOG_PREFIX, parseLogKey } from '../protocol/paths.ts'
import type { TableState } from '../log/state.ts'

/** What to vacuum, and how. */
export interface VacuumOptions {
  /** Files that left the table within so many hours stay; the table's property, or 168, where absent. */
  readonly retentionHours?: number | undefined
  /** Lists what would be deleted and deletes nothing. */
  readonly dryRun: boolean
  /** Takes a retention shorter than the table's. */
  readonly force?: boolean | undefined
  readonly clock?: Clock
  /** Aborting it ends the run before the next thousand files are deleted. */
  readonly signal?: AbortSignal | undefined
  /** Is told of every file that goes, or would. */
  readonly onFile?: (key: string, bytes: number) => Promise<void>
}

/** What became of the folder. */
export interface Vacuumed {
  readonly dryRun: boolean
  readonly retentionHours: number
  /** Files that were deleted, or would be. */
  readonly files: number
  readonly bytes: number
  /** Files that stay. */
  readonly filesKept: number
  /** Whether the run was stopped before its end. */
  readonly stopped: boolean
  /** Files of the log that had expired and were deleted. */
  readonly logFiles: number
}

const HOUR_MS = 3_600_000
const RETENTION_MS = 168 * HOUR_MS
const PROPERTY = 'delta.deletedFileRetentionDuration'
const DELETES_AT_ONCE = 8
const BATCH = 1_000

/**
 * Deletes files that no version within the retention names and that are older than it: what left the table long ago, and
 * what a writer left behind that never committed; then what of the log has expired (`cleanUpLog`). Before files go, a
 * commit says so (`VACUUM START`), and another one after (`VACUUM END`), as Spark has them; neither changes the table.
 * Memory holds a few bytes for every file named.
 * Throws `KD_COMMAND_INVALID` for a retention that is too short, `KD_TABLE_UNSUPPORTED` by the name of a feature under
 * which other files than those of `add` and `remove` belong to the table.
 * Spec: "Add File and Remove File" (tombstones), "VACUUM Protocol Check", "Metadata Cleanup".
 */
export async function vacuum(store: Store, options: VacuumOptions): Promise<Vacuumed> {
  const table = await openMaintained(store, 'vacuum')
  const { retentionHours, dryRun, clock = systemClock } = options
  const ofTableMs = intervalMs(table.metadata.configuration[PROPERTY], RETENTION_MS)
  const retentionMs = retentionHours === undefined ? ofTableMs : retentionHours * HOUR_MS
  if (retentionMs < ofTableMs && options.force !== true) throw tooShort(store, retentionMs, ofTableMs)
  const beforeMs = clock.now() - retentionMs
  const kept = await namedSince(store, table, beforeMs, retentionMs > ofTableMs)
  const sweep = new Sweep(store, table, kept, beforeMs)
  const result = { dryRun, retentionHours: retentionMs / HOUR_MS }
  if (dryRun) return { ...result, ...(await sweep.run(options, false)), stopped: false, logFiles: 0 }
  // How much there is must be said before the first file goes.
  const due = await sweep.run({}, false)
  const { files: logFiles } = await cleanUpLog(store, { clock, signal: options.signal })
  const isStopped = (): boolean => options.signal?.aborted === true
  if (due.files === 0 || isStopped())
    return { ...result, ...due, files: 0, bytes: 0, stopped: isStopped(), logFiles }
  const started = await record(store, table.state, vacuumStart(options, ofTableMs, due), options)
  let done: Swept | undefined
  try {
    done = await sweep.run(options, true)
  } finally {
    const status = done === undefined || isStopped() ? 'FAILED' : 'COMPLETED'
    await record(store, started, vacuumEnd(status, done?.files ?? 0), options)
  }
  return { ...result, ...done, stopped: isStopped(), logFiles }
}

/** What a look through the table's folder found. */
interface Swept {
  readonly files: number
  readonly bytes: number
  readonly filesKept: number
}

class Sweep {
  readonly #store: Store
  readonly #table: Maintained
  readonly #kept: KeptFiles
  readonly #beforeMs: number

  constructor(store: Store, table: Maintained, kept: KeptFiles, beforeMs: number) {
    this.#store = store
    this.#table = table
    this.#kept = kept
    this.#beforeMs = beforeMs
  }

  async run({ onFile, signal }: Partial<VacuumOptions>, deletes: boolean): Promise<Swept> {
    let [files, bytes, filesKept] = [0, 0, 0]
    let due: string[] = []
    const flush = async (): Promise<void> => {
      if (deletes) await mapBounded(due, DELETES_AT_ONCE, (key) => this.#store.delete(key))
      due = []
    }
    for await (const object of visibleFiles(this.#store, this.#table.metadata.partitionColumns)) {
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

/** Commits what changes nothing of the table; the table after it. Nothing that others commit is in its way. */
async function record(
  store: Store,
  state: TableState,
  change: Recorded,
  { clock }: VacuumOptions,
): Promise<TableState> {
  const whole: Change = {
    ...change,
    isolationLevel: 'SnapshotIsolation',
    actions: [],
    conflict: () => undefined,
  }
  return (await commitChange(store, state, whole, { clock })).state
}

type Recorded = Pick<Change, 'operation' | 'operationParameters' | 'operationMetrics'>

function vacuumStart({ retentionHours, force }: VacuumOptions, ofTableMs: number, due: Swept): Recorded {
  const specified =
    retentionHours === undefined ? {} : { specifiedRetentionMillis: String(retentionHours * HOUR_MS) }
  return {
    operation: 'VACUUM START',
    operationParameters: {
      retentionCheckEnabled: String(force !== true),
      defaultRetentionMillis: String(ofTableMs),
      ...specified,
    },
    operationMetrics: { numFilesToDelete: String(due.files), sizeOfDataToDelete: String(due.bytes) },
  }
}

function vacuumEnd(status: 'COMPLETED' | 'FAILED', files: number): Recorded {
  return {
    operation: 'VACUUM END',
    operationParameters: { status },
    operationMetrics: { numDeletedFiles: String(files), numVacuumedDirectories: '0' },
  }
}

/** Files of the newest version, and those that left the table after `beforeMs`: all that any version since then names. */
async function namedSince(
  store: Store,
  { segment }: Maintained,
  beforeMs: number,
  beyondTombstones: boolean,
): Promise<KeptFiles> {
  const kept = new KeptFiles()
  for await (const file of liveFiles(store, segment, ['add.stats', 'add.tags'])) {
    if (file.kind === 'add') kept.keep(file.add)
    // A tombstone without a time has expired by the specification; that it stays in the log longer is no harm.
    else if ((file.remove.deletionTimestamp ?? 0) >= beforeMs) kept.keep(file.remove)
  }
  // Checkpoints let go of tombstones after the table's own retention; for a longer one the commits must tell.
  if (!beyondTombstones) return kept
  for await (const { key, modifiedMs } of store.list(LOG_PREFIX)) {
    const file = parseLogKey(key)
    if (file?.kind !== 'commit' || modifiedMs < beforeMs) continue
    for (const action of (await readCommit(store, file.version))?.actions ?? [])
      if (action.kind === 'remove') kept.keep(action.remove)
  }
  return kept
}

function tooShort(store: Store, retentionMs: number, ofTableMs: number): PipelineError {
  const detail =
    `a retention of ${retentionMs / HOUR_MS} hours is shorter than the table's ${ofTableMs / HOUR_MS} (${PROPERTY}, ` +
    '168 by default): readers of older versions and writers that have not committed yet would lose files. ' +
    'Use --force where there are none'
  return new PipelineError('KD_COMMAND_INVALID', detail, { table: store.uri })
}
