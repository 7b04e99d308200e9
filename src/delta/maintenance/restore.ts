import { type Clock, systemClock } from '../../core/clock.ts'
import { mapBounded } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { type Action, type Add, fileKey } from '../protocol/actions.ts'
import { type ChangeOptions, commitChange, type Change, removalOf } from '../commit/change.ts'
import { liveFiles } from '../log/live-files.ts'
import { checkMaintainable, type Maintained, openMaintained } from './maintainable.ts'
import { decodePath } from '../protocol/paths.ts'
import { writerFeatures } from '../protocol/protocol.ts'
import { loadSnapshot, type Snapshot } from '../log/snapshot.ts'
import { parseSchema } from '../schema/schema-json.ts'

/** What became of the table. */
export interface Restored {
  /** Of the commit; absent where the table already was what it was then. */
  readonly version?: bigint
  readonly restoredVersion: bigint
  readonly numRestoredFiles: number
  readonly restoredFilesSize: number
  readonly numRemovedFiles: number
  readonly removedFilesSize: number
  readonly numOfFilesAfterRestore: number
  readonly tableSizeAfterRestore: number
}

/** Times that the difference is computed anew because another writer committed meanwhile. */
const TRIES_MAX = 10
const LOOK_UPS_AT_ONCE = 16
const MAX_COLUMN_ID = 'delta.columnMapping.maxColumnId'
/** Spec: "In-Commit Timestamps", "Row Tracking". */
const LOG_PROPERTIES =
  /^delta\.(?:enableInCommitTimestamps|inCommitTimestampEnablement|rowTracking\.materialized)/
/** File names that a message shows. */
const SHOWN_MAX = 3

/**
 * Makes the table's files and metadata those of an older version again, as a new version on top. `txn`s stay as they are:
 * were they rolled back, a streaming writer would write again what it has written since. The protocol stays too.
 * The files of one version are in memory. Throws `KD_COMMAND_INVALID` for a version that is not there, whose data files
 * are gone, or a table that is append-only; `KD_TABLE_UNSUPPORTED`, `KD_COMMIT_CONTENDED`.
 * Spec: "Add File and Remove File", "Append-only Tables".
 */
export async function restore(
  store: Store,
  version: bigint,
  options: ChangeOptions & { readonly clock?: Clock } = {},
): Promise<Restored> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const table = await openMaintained(store, 'rewrite')
    const then = await loadSnapshot(store, { version })
    checkRestorable(store, table, then)
    const { restored, actions } = await difference(store, table, then, (options.clock ?? systemClock).now())
    if (actions.length === 0) return restored
    const change = restoreChange(restored, actions)
    const outcome = await commitChange(store, table.state, change, options)
    if (outcome.kind === 'committed') return { ...restored, version: outcome.state.version }
  }
  const detail = `${TRIES_MAX} attempts lost to other writers; stop them meanwhile`
  throw new PipelineError('KD_COMMIT_CONTENDED', detail, { table: store.uri })
}

function checkRestorable(store: Store, table: Maintained, then: Snapshot): void {
  const context = { table: store.uri, version: then.version }
  if (table.metadata.configuration['delta.appendOnly'] === 'true') {
    throw new PipelineError('KD_COMMAND_INVALID', 'the table is append-only (delta.appendOnly)', context)
  }
  checkMaintainable(then.protocol, 'rewrite')
  const now = writerFeatures(table.state.protocol)
  const lost = writerFeatures(then.protocol).filter((feature) => !now.includes(feature))
  if (lost.length === 0) return
  const detail = `the version needs features that the table has no more: ${lost.join(', ')}`
  throw new PipelineError('KD_COMMAND_INVALID', detail, context)
}

async function difference(
  store: Store,
  table: Maintained,
  then: Snapshot,
  nowMs: number,
): Promise<{ restored: Restored; actions: readonly Action[] }> {
  const wanted = new Map<string, Add>()
  let [files, bytes] = [0, 0]
  for await (const add of then.files()) {
    wanted.set(fileKey(add), add)
    files++
    bytes += add.size
  }
  const removes: Action[] = []
  let removedBytes = 0
  for await (const file of liveFiles(store, table.segment)) {
    if (file.kind !== 'add' || wanted.delete(fileKey(file.add))) continue
    removedBytes += file.add.size
    removes.push(removalOf(file.add, nowMs, true))
  }
  const adds = [...wanted.values()]
  await checkThere(store, then.version, adds)
  const restored = {
    restoredVersion: then.version,
    numRestoredFiles: adds.length,
    restoredFilesSize: adds.reduce((sum, { size }) => sum + size, 0),
    numRemovedFiles: removes.length,
    removedFilesSize: removedBytes,
    numOfFilesAfterRestore: files,
    tableSizeAfterRestore: bytes,
  }
  const actions = [
    ...metadataOf(table, then),
    ...removes,
    ...adds.map((add): Action => ({ kind: 'add', add: { ...add, dataChange: true } })),
  ]
  return { restored, actions }
}

/** The metadata of then, where it is another: a writer that has the table open must not be stopped for nothing. */
function metadataOf({ state }: Maintained, then: Snapshot): readonly Action[] {
  const { schema, schemaString, format, ...rest } = then.metadata
  const text = schemaString ?? JSON.stringify(schema)
  const now = state.metadata
  const configuration = { ...rest.configuration, ...keptProperties(now.configuration, rest.configuration) }
  const metaData = {
    ...rest,
    configuration,
    schemaString: text,
    format: format ?? { provider: 'parquet', options: {} },
  }
  const essence = (one: typeof now): string =>
    JSON.stringify([
      parseSchema(one.schemaString),
      one.partitionColumns,
      Object.entries(one.configuration).sort(([a], [b]) => (a < b ? -1 : 1)),
      one.name,
      one.description,
    ])
  return essence(metaData) === essence(now)
    ? []
    : [{ kind: 'metaData', metaData: { ...metaData, id: now.id } }]
}

/** Properties that belong to the log and not to a version of it, as they must be after a restore. */
function keptProperties(
  now: Readonly<Record<string, string>>,
  then: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(now).filter(([name]) => LOG_PROPERTIES.test(name))
  // Ids of columns that came since are never given again.
  const ids = [now, then].map((one) => Number(one[MAX_COLUMN_ID] ?? 0))
  const most = Math.max(...ids)
  return { ...Object.fromEntries(kept), ...(most > 0 ? { [MAX_COLUMN_ID]: String(most) } : {}) }
}

async function checkThere(store: Store, version: bigint, adds: readonly Add[]): Promise<void> {
  const sizes = await mapBounded(adds, LOOK_UPS_AT_ONCE, ({ path }) => store.size(decodePath(path)))
  const gone = adds.filter((_, index) => sizes[index] === undefined).map(({ path }) => path)
  if (gone.length === 0) return
  const shown = gone.slice(0, SHOWN_MAX).join(', ')
  const detail = `${gone.length} data files of the version are gone, such as ${shown}`
  throw new PipelineError('KD_COMMAND_INVALID', detail, { table: store.uri, version })
}

function restoreChange(restored: Restored, actions: readonly Action[]): Change {
  const { restoredVersion, ...metrics } = restored
  return {
    operation: 'RESTORE',
    operationParameters: { version: String(restoredVersion) },
    operationMetrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, String(value)]),
    ),
    isolationLevel: 'Serializable',
    actions,
    // The whole table is replaced: whatever came in between would neither be kept nor be removed.
    conflict: () => 'it came first',
  }
}
