import type { Data } from 'apache-arrow'
import { type Column, isNull } from '../../arrow/column.ts'
import { columnFrom } from '../../arrow/from-arrow.ts'
import { longAt } from '../../arrow/values.ts'
import { PipelineError } from '../../core/errors.ts'
import { parseJson } from '../protocol/action-json.ts'
import type { Action, Add, MetadataAction, Protocol } from '../protocol/actions.ts'
import { writerFeatures } from '../protocol/protocol.ts'
import type { TableState } from './state.ts'
import { isRecord, recordsOf } from '../statistics/stats.ts'

/** The domain that holds the highest row id which was given away. */
const DOMAIN = 'delta.rowTracking'
const MARK = 'rowIdHighWaterMark'

/** Columns of data files, hidden from users, that hold what a row brought along from another file. */
export interface TrackedColumns {
  readonly rowId: string
  readonly commitVersion: string
}

interface Tracked {
  readonly protocol: Protocol
  readonly metadata: Pick<MetadataAction, 'configuration'>
}

/** Whether every new file must be given row ids. Spec: "Writer Requirements for Row Tracking". */
export function assignsRowIds({ protocol, metadata }: Tracked): boolean {
  if (!writerFeatures(protocol).includes('rowTracking')) return false
  return metadata.configuration['delta.rowTrackingSuspended'] !== 'true'
}

/**
 * The columns in which rows keep their ids and commit versions when they are copied, where the table has row tracking
 * enabled. Throws `KD_TABLE_CORRUPT` where their names are missing. Spec: "Row Tracking" (enablement), "Row IDs".
 */
export function trackedColumns(table: Tracked): TrackedColumns | undefined {
  const { configuration } = table.metadata
  if (!assignsRowIds(table) || configuration['delta.enableRowTracking'] !== 'true') return undefined
  const rowId = configuration['delta.rowTracking.materializedRowIdColumnName']
  const commitVersion = configuration['delta.rowTracking.materializedRowCommitVersionColumnName']
  if (rowId !== undefined && commitVersion !== undefined) return { rowId, commitVersion }
  throw new PipelineError('KD_TABLE_CORRUPT', 'the columns that keep row ids have no names')
}

/**
 * File actions of the commit after `state` with row ids above all that were given away, and the action that keeps the new
 * mark. To be done anew for every version that is tried: another writer may have given ids away meanwhile. As they are on
 * a table that tracks no rows. Throws `KD_TABLE_CORRUPT` for a mark that cannot be read, and for a file whose statistics
 * do not tell how many rows it has. Spec: "Writer Requirements for Row Tracking".
 */
export function withRowIds(state: TableState, actions: readonly Action[]): readonly Action[] {
  if (!assignsRowIds(state) || !actions.some(({ kind }) => kind === 'add')) return actions
  const version = state.version + 1n
  let mark = highWaterMark(state)
  const tracked = actions.map((action): Action => {
    // A file that the table holds already keeps what it was given.
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

/** The highest row id that was given away, -1 while there is none. */
function highWaterMark({ domains, version }: TableState): bigint {
  const text = domains.get(DOMAIN)?.configuration
  if (text === undefined) return -1n
  try {
    const parsed = parseJson(text)
    const mark = isRecord(parsed) ? parsed[MARK] : undefined
    if (typeof mark === 'bigint' || Number.isSafeInteger(mark)) return BigInt(mark as number | bigint)
  } catch {
    // Said below.
  }
  throw new PipelineError('KD_TABLE_CORRUPT', `the domain ${DOMAIN} has no ${MARK}`, { version })
}

function rowsOf({ stats, path }: Add): number {
  const rows = recordsOf(stats)
  if (rows !== undefined) return rows
  throw new PipelineError('KD_TABLE_CORRUPT', 'a file without numRecords cannot be given row ids', { path })
}

/** What the log says of the rows of a file. */
type TrackedFile = Pick<Add, 'path' | 'baseRowId' | 'defaultRowCommitVersion'>

/**
 * The ids by which rows of a file are known for good: those that they brought along in the file's hidden column `data`,
 * otherwise those of their places in the file. `first` is the place of the first row.
 * Throws `KD_TABLE_CORRUPT` for a file without ids. Spec: "Reader Requirements for Row Tracking".
 */
export function stableRowIds(
  data: Data | undefined,
  file: TrackedFile,
  first: number,
  length: number,
): Column {
  const base = given(file, 'baseRowId') + BigInt(first)
  return longs(data, length, (row) => base + BigInt(row))
}

/** The versions in which rows of a file were last inserted or updated; see `stableRowIds`. */
export function stableCommitVersions(data: Data | undefined, file: TrackedFile, length: number): Column {
  const version = given(file, 'defaultRowCommitVersion')
  return longs(data, length, () => version)
}

function longs(data: Data | undefined, length: number, otherwise: (row: number) => bigint): Column {
  const held = data === undefined ? undefined : columnFrom(data, 'long', length)
  const values = BigInt64Array.from({ length }, (_, row) =>
    held?.kind !== 'fixed' || isNull(held, row) ? otherwise(row) : longAt(held.values, row),
  )
  const halves = new Int32Array(values.buffer)
  return { kind: 'fixed', type: 'long', length, valid: undefined, words: 2, values: halves }
}

function given(file: TrackedFile, field: 'baseRowId' | 'defaultRowCommitVersion'): bigint {
  const value = file[field]
  if (value !== undefined) return value
  throw new PipelineError('KD_TABLE_CORRUPT', `a file of a table that tracks rows has no ${field}`, {
    path: file.path,
  })
}
