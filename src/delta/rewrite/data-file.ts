import type { Schema, Table } from 'apache-arrow'
import type { Columns } from '../../arrow/column.ts'
import { columnFromArrow, type FindField } from '../../arrow/from-arrow.ts'
import { takeRows } from '../../arrow/rows.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructField, StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import {
  checkNamesReadable,
  columnMappingOf,
  PARQUET_FIELD_ID,
  hasFieldIds,
} from '../schema/column-mapping.ts'
import { readDeletedRows } from '../files/deletion-vector.ts'
import { type Layout, layoutOf } from '../files/layout.ts'
import { FileLocator } from '../files/file-locations.ts'
import type { RowSet } from '../files/roaring.ts'
import { rowTrackingColumnsOf, type RowTrackingColumns } from '../log/row-tracking.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import { readStableCommitVersions, readStableRowIds } from './row-ids.ts'

/** Rows that are decoded at a time. */
const ROWS_MAX = 65_536

/** Fields of `add` that reading the rows of a file needs. */
type ReadableFile = Pick<
  Add,
  'path' | 'deletionVector' | 'baseRowId' | 'defaultRowCommitVersion' | 'partitionValues'
> & {
  /** Rows of the file according to its statistics, deleted ones included; absent if it has none. */
  readonly rows?: number | undefined
}

/** Describes how files of a table are read and rewritten in the current layout of the table. */
export interface RewritePlan {
  readonly layout: Layout
  /** Columns of the files under physical names, followed by those that keep row ids if the table tracks rows. */
  readonly schema: StructType
  readonly tracked: RowTrackingColumns | undefined
  /** True if fields of a file are found by id rather than by name. */
  readonly hasColumnIds: boolean
}

/** Returns the plan for rewriting files of a table. Throws like `layoutOf`. Spec: "Column Mapping", "Row Tracking". */
export function rewritePlanOf(table: TableShape): RewritePlan {
  const layout = layoutOf(table)
  const tracked = rowTrackingColumnsOf(table)
  const mapping = columnMappingOf(table.protocol, table.metadata)
  checkNamesReadable(table.metadata.schema, mapping)
  const names = tracked === undefined ? [] : [tracked.rowId, tracked.commitVersion]
  const hidden = names.map((name): StructField => ({ name, type: 'long', nullable: true, metadata: {} }))
  return {
    layout,
    schema: { type: 'struct', fields: [...layout.fileSchema.fields, ...hidden] },
    tracked,
    hasColumnIds: mapping.mode === 'id',
  }
}

/**
 * Yields the rows of a data file that are not deleted, in batches of some thousands: columns in the order and types of
 * the schema, which may be wider than those of the file; columns that the file lacks are null. The whole file is in
 * memory meanwhile.
 * @throws KD_PARQUET_FAILED, KD_STORE_NOT_FOUND
 * @throws KD_TABLE_CORRUPT if the file lacks rows that its statistics state or its deletion vector deletes
 */
export async function* readFileRows(
  store: Store,
  rewrite: RewritePlan,
  file: ReadableFile,
): AsyncGenerator<Columns> {
  const locator = new FileLocator(store)
  const deleted = await readDeletedRows(store, file, locator)
  const location = await locator.locate(file.path)
  const bytes = await location.store.get(location.key)
  const { readArrowTables, readParquetSchema } = await import('../../parquet/reader.ts')
  const find = fieldFinderOf(rewrite, location.key, readParquetSchema(location.key, bytes))
  let first = 0
  for (const table of readArrowTables(location.key, bytes, { columns: find.names, rowsMax: ROWS_MAX })) {
    yield* tableRows(table, rewrite, file, { find: find.of, first, deleted })
    first += table.numRows
  }
  const { rows: expected, path } = file
  if (expected !== undefined && expected !== first) {
    const detail = `the statistics of a file state ${expected} rows, but it holds ${first}`
    throw new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, path })
  }
  if (deleted === undefined || deleted.last < first) return
  const detail = `the deletion vector deletes row ${deleted.last} of a file of ${first} rows`
  throw new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, path })
}

/** Returns how the fields of one file are found, and the names of its requested columns. */
function fieldFinderOf(
  { schema, hasColumnIds }: RewritePlan,
  key: string,
  { fields }: Schema,
): { readonly of: FindField; readonly names: readonly string[] } {
  if (hasColumnIds && !hasFieldIds(fields)) {
    const detail = 'the table maps columns by id, but the file has no field ids'
    throw new PipelineError('KD_PARQUET_FAILED', detail, { file: key })
  }
  const of: FindField = (held, field) => {
    const id = hasColumnIds ? field.metadata[PARQUET_FIELD_ID] : undefined
    return held.findIndex((one) =>
      id === undefined ? one.name === field.name : one.metadata.get(PARQUET_FIELD_ID) === id,
    )
  }
  return { of, names: schema.fields.flatMap((field) => fields[of(fields, field)]?.name ?? []) }
}

interface Window {
  readonly find: FindField
  /** Index in the file of the first row of the Arrow table. */
  readonly first: number
  readonly deleted: RowSet | undefined
}

function* tableRows(
  table: Table,
  { schema, tracked }: RewritePlan,
  file: ReadableFile,
  { find, first, deleted }: Window,
): Generator<Columns> {
  let from = first
  for (const batch of table.batches) {
    const length = batch.numRows
    const fields = batch.schema.fields
    const columns = schema.fields.map((field) => {
      const data = batch.data.children[find(fields, field)]
      if (field.name === tracked?.rowId) return readStableRowIds(data, file, from, length)
      if (field.name === tracked?.commitVersion) return readStableCommitVersions(data, file, length)
      return columnFromArrow(data, field.type, length, find)
    })
    yield withoutDeleted({ schema, length, columns }, from, deleted)
    from += length
  }
}

function withoutDeleted(all: Columns, first: number, deleted: RowSet | undefined): Columns {
  if (deleted === undefined) return all
  const kept = new Int32Array(all.length)
  let length = 0
  for (let row = 0; row < all.length; row++) if (!deleted.has(first + row)) kept[length++] = row
  return length === all.length ? all : takeRows(all, kept.subarray(0, length))
}
