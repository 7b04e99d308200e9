import { type Clock, systemClock } from '../../core/clock.ts'
import { mapBounded } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { type Action, type Add, logicalFileKey } from '../protocol/actions.ts'
import {
  type TableChangeOptions,
  commitTableChange,
  type TableChange,
  removeActionOf,
} from '../commit/change.ts'
import { readLiveFiles } from '../log/live-files.ts'
import { checkMaintenanceAllowed, type MaintainedTable, openMaintainedTable } from './maintained-table.ts'
import { decodePath } from '../protocol/paths.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { isPropertySet } from '../protocol/table-properties.ts'
import { loadSnapshot, type Snapshot } from '../log/snapshot.ts'
import { parseSchema } from '../schema/schema-json.ts'

/** Counts what a restore did, under the names of RESTORE in other engines. */
interface RestoreResult {
  /** Version of the commit; absent if the table was already in the state of that version. */
  readonly version?: bigint
  readonly restoredVersion: bigint
  readonly numRestoredFiles: number
  readonly restoredFilesSize: number
  readonly numRemovedFiles: number
  readonly removedFilesSize: number
  readonly numOfFilesAfterRestore: number
  readonly tableSizeAfterRestore: number
}

/** Maximum of attempts: the difference is computed again if another writer committed meanwhile. */
const TRIES_MAX = 10
const LOOK_UPS_AT_ONCE = 16
const MAX_COLUMN_ID = 'delta.columnMapping.maxColumnId'
/** Properties that belong to the log rather than to a version. Spec: "In-Commit Timestamps", "Row Tracking". */
const LOG_PROPERTIES =
  /^delta\.(?:enableInCommitTimestamps|inCommitTimestampEnablement|rowTracking\.materialized)/
/** Maximum of file names in a message. */
const SHOWN_MAX = 3

/**
 * Restores the files and metadata of an older version as a new version. `txn`s stay unchanged: if they were rolled
 * back, a streaming writer would write again what it has written since. The protocol stays unchanged too. Memory holds
 * the files of one version. Spec: "Add File and Remove File", "Append-only Tables".
 * @throws KD_COMMAND_INVALID for a version that does not exist or whose data files are missing, and for an append-only
 * table
 * @throws KD_TABLE_UNSUPPORTED, KD_COMMIT_CONTENDED
 */
export async function restoreTable(
  store: Store,
  version: bigint,
  options: TableChangeOptions & { readonly clock?: Clock } = {},
): Promise<RestoreResult> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const table = await openMaintainedTable(store, 'rewrite')
    const target = await loadSnapshot(store, { version })
    checkRestorable(store, table, target)
    const { restored, actions } = await computeDifference(
      store,
      table,
      target,
      (options.clock ?? systemClock).now(),
    )
    if (actions.length === 0) return restored
    const change = restoreChange(restored, actions)
    const outcome = await commitTableChange(store, table.state, change, options)
    if (outcome.kind === 'committed') return { ...restored, version: outcome.state.version }
  }
  const detail = `all ${TRIES_MAX} attempts lost to other writers; stop them during the restore`
  throw new PipelineError('KD_COMMIT_CONTENDED', detail, { table: store.uri })
}

function checkRestorable(store: Store, table: MaintainedTable, target: Snapshot): void {
  const context = { table: store.uri, version: target.version }
  if (isPropertySet(table.metadata.configuration, 'delta.appendOnly')) {
    throw new PipelineError('KD_COMMAND_INVALID', 'the table is append-only (delta.appendOnly)', context)
  }
  checkMaintenanceAllowed(target.protocol, 'rewrite')
  const now = writerFeaturesOf(table.state.protocol)
  const lost = writerFeaturesOf(target.protocol).filter((feature) => !now.includes(feature))
  if (lost.length === 0) return
  const detail = `the version needs features that the table no longer has: ${lost.join(', ')}`
  throw new PipelineError('KD_COMMAND_INVALID', detail, context)
}

async function computeDifference(
  store: Store,
  table: MaintainedTable,
  target: Snapshot,
  nowMs: number,
): Promise<{ restored: RestoreResult; actions: readonly Action[] }> {
  const wanted = new Map<string, Add>()
  let [files, bytes] = [0, 0]
  for await (const add of target.files()) {
    wanted.set(logicalFileKey(add), add)
    files++
    bytes += add.size
  }
  const removes: Action[] = []
  let removedBytes = 0
  for await (const file of readLiveFiles(store, table.segment)) {
    if (file.kind !== 'add' || wanted.delete(logicalFileKey(file.add))) continue
    removedBytes += file.add.size
    removes.push(removeActionOf(file.add, nowMs, true))
  }
  const adds = [...wanted.values()]
  await checkFilesExist(store, target.version, adds)
  const restored = {
    restoredVersion: target.version,
    numRestoredFiles: adds.length,
    restoredFilesSize: adds.reduce((sum, { size }) => sum + size, 0),
    numRemovedFiles: removes.length,
    removedFilesSize: removedBytes,
    numOfFilesAfterRestore: files,
    tableSizeAfterRestore: bytes,
  }
  const actions = [
    ...metadataOf(table, target),
    ...removes,
    ...adds.map((add): Action => ({ kind: 'add', add: { ...add, dataChange: true } })),
  ]
  return { restored, actions }
}

/**
 * Returns a `metaData` action if the metadata of that version differs: an unneeded one would interrupt open writers.
 */
function metadataOf({ state }: MaintainedTable, target: Snapshot): readonly Action[] {
  const { schema, schemaString, format, ...rest } = target.metadata
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

/** Returns the properties that belong to the log rather than to a version, with their current values. */
function keptProperties(
  now: Readonly<Record<string, string>>,
  target: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(now).filter(([name]) => LOG_PROPERTIES.test(name))
  // Ids of columns that were added since are never reused.
  const ids = [now, target].map((one) => Number(one[MAX_COLUMN_ID] ?? 0))
  const most = Math.max(...ids)
  return { ...Object.fromEntries(kept), ...(most > 0 ? { [MAX_COLUMN_ID]: String(most) } : {}) }
}

async function checkFilesExist(store: Store, version: bigint, adds: readonly Add[]): Promise<void> {
  const sizes = await mapBounded(adds, LOOK_UPS_AT_ONCE, ({ path }) => store.size(decodePath(path)))
  const missing = adds.filter((_, index) => sizes[index] === undefined).map(({ path }) => path)
  if (missing.length === 0) return
  const shown = missing.slice(0, SHOWN_MAX).join(', ')
  const detail = `${missing.length} data files of the version are missing, for example ${shown}`
  throw new PipelineError('KD_COMMAND_INVALID', detail, { table: store.uri, version })
}

function restoreChange(restored: RestoreResult, actions: readonly Action[]): TableChange {
  const { restoredVersion, ...metrics } = restored
  return {
    operation: 'RESTORE',
    operationParameters: { version: String(restoredVersion) },
    operationMetrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, String(value)]),
    ),
    isolationLevel: 'Serializable',
    actions,
    // The whole table is replaced: changes of a commit in between would be neither kept nor removed.
    conflict: () => 'came first',
  }
}
