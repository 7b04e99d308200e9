import { PipelineError } from '../../core/errors.ts'
import { parseJson } from '../protocol/action-json.ts'
import type { Action, Add, MetadataAction, Protocol } from '../protocol/actions.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { isPropertySet } from '../protocol/table-properties.ts'
import type { TableState } from './state.ts'
import { isPlainObject, recordCountOf } from '../statistics/stats.ts'

/** Domain that stores the highest assigned row id. */
const DOMAIN = 'delta.rowTracking'
const MARK = 'rowIdHighWaterMark'

/** Names the hidden columns of data files that keep the row id and commit version of rows moved from other files. */
export interface RowTrackingColumns {
  readonly rowId: string
  readonly commitVersion: string
}

interface TrackedTable {
  readonly protocol: Protocol
  readonly metadata: Pick<MetadataAction, 'configuration'>
}

/** Tells whether row ids must be assigned to every new file. Spec: "Writer Requirements for Row Tracking". */
function mustAssignRowIds({ protocol, metadata }: TrackedTable): boolean {
  if (!writerFeaturesOf(protocol).includes('rowTracking')) return false
  return !isPropertySet(metadata.configuration, 'delta.rowTrackingSuspended')
}

/**
 * Returns the columns in which moved rows keep their ids and commit versions; `undefined` unless the table has row
 * tracking enabled. Spec: "Row Tracking" (enablement), "Row IDs".
 * @throws KD_TABLE_CORRUPT if the column names are missing
 */
export function rowTrackingColumnsOf(table: TrackedTable): RowTrackingColumns | undefined {
  const { configuration } = table.metadata
  if (!mustAssignRowIds(table) || !isPropertySet(configuration, 'delta.enableRowTracking')) return undefined
  const rowId = configuration['delta.rowTracking.materializedRowIdColumnName']
  const commitVersion = configuration['delta.rowTracking.materializedRowCommitVersionColumnName']
  if (rowId !== undefined && commitVersion !== undefined) return { rowId, commitVersion }
  throw new PipelineError(
    'KD_TABLE_CORRUPT',
    'the table properties do not name the columns that keep row ids',
  )
}

/**
 * Assigns row ids to the files of the commit after `state`, above all assigned ids, and adds the action that stores the
 * new high water mark. Must be repeated for every version that is attempted, because another writer may have assigned
 * ids in between. Returns the actions unchanged if the table does not track rows. Spec: "Writer Requirements for Row
 * Tracking".
 * @throws KD_TABLE_CORRUPT if the stored mark cannot be parsed, or if the statistics of a file lack its number of rows
 */
export function assignRowIds(state: TableState, actions: readonly Action[]): readonly Action[] {
  if (!mustAssignRowIds(state) || !actions.some(({ kind }) => kind === 'add')) return actions
  const version = state.version + 1n
  let mark = highWaterMark(state)
  const tracked = actions.map((action): Action => {
    // A file that is already in the table keeps its ids.
    if (action.kind !== 'add' || action.add.baseRowId !== undefined) return action
    const baseRowId = mark + 1n
    mark += BigInt(rowsOf(action.add))
    return { kind: 'add', add: { ...action.add, baseRowId, defaultRowCommitVersion: version } }
  })
  if (mark === highWaterMark(state)) return tracked
  const configuration = `{"${MARK}":${mark}}`
  return [
    ...tracked,
    { kind: 'domainMetadata', domainMetadata: { domain: DOMAIN, configuration, removed: false } },
  ]
}

/** Returns the highest assigned row id, -1 if there is none. */
function highWaterMark({ domains, version }: TableState): bigint {
  const text = domains.get(DOMAIN)?.configuration
  if (text === undefined) return -1n
  try {
    const parsed = parseJson(text)
    const mark = isPlainObject(parsed) ? parsed[MARK] : undefined
    if (typeof mark === 'bigint' || Number.isSafeInteger(mark)) return BigInt(mark as number | bigint)
  } catch {
    // The error follows below.
  }
  throw new PipelineError('KD_TABLE_CORRUPT', `the domain ${DOMAIN} has no ${MARK}`, { version })
}

function rowsOf({ stats, path }: Add): number {
  const rows = recordCountOf(stats)
  if (rows !== undefined) return rows
  throw new PipelineError('KD_TABLE_CORRUPT', 'a file without numRecords cannot be given row ids', { path })
}
