import type { RecordBatch, Table } from 'apache-arrow'
import type { Column, Columns } from '../../arrow/column.ts'
import { columnFrom, type FindField } from '../../arrow/from-arrow.ts'
import { gather } from '../../arrow/gather.ts'
import { arrowSchema, recordBatch } from '../../arrow/record-batch.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructField, StructType } from '../../core/schema.ts'
import { parquetSchema, readTables } from '../../parquet/reader.ts'
import { FileStatistics } from '../../parquet/statistics.ts'
import { parquetBytes } from '../../parquet/writer.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import { columnMapping, FIELD_ID, hasFieldIds } from '../schema/column-mapping.ts'
import { deletedRows } from '../files/deletion-vector.ts'
import { type Layout, layoutOf, newFileKey } from '../files/layout.ts'
import { encodePath } from '../protocol/paths.ts'
import { Places } from '../files/file-locations.ts'
import type { RowSet } from '../files/roaring.ts'
import {
  stableCommitVersions,
  stableRowIds,
  trackedColumns,
  type TrackedColumns,
} from '../log/row-tracking.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** Rows that are decoded at a time. */
const ROWS_MAX = 65_536
const ROW_GROUP_ROWS = 131_072
const ROW_GROUP_BYTES = 32 * 1024 * 1024

/** A file whose rows are read: what the log says of it that matters for that. */
export type ReadableFile = Pick<
  Add,
  'path' | 'deletionVector' | 'baseRowId' | 'defaultRowCommitVersion' | 'partitionValues'
> & {
  /** Rows of the file, deleted ones among them, as its statistics say; absent where it has none. */
  readonly rows?: number | undefined
}

/** How files of a table are read, to be written anew as files that are right for the table now. */
export interface Rewrite {
  readonly layout: Layout
  /** Columns of the files as these name them, and after them those that keep row ids, where the table tracks rows. */
  readonly schema: StructType
  readonly tracked: TrackedColumns | undefined
  /** Fields of a file are found by their ids, not by their names. */
  readonly byId: boolean
}

/** How files of the table are rewritten. Throws what `layoutOf` throws. Spec: "Column Mapping", "Row Tracking". */
export function rewriteOf(table: TableShape): Rewrite {
  const layout = layoutOf(table)
  const tracked = trackedColumns(table)
  const names = tracked === undefined ? [] : [tracked.rowId, tracked.commitVersion]
  const hidden = names.map((name): StructField => ({ name, type: 'long', nullable: true, metadata: {} }))
  return {
    layout,
    schema: { type: 'struct', fields: [...layout.fileSchema.fields, ...hidden] },
    tracked,
    byId: columnMapping(table.protocol, table.metadata).mode === 'id',
  }
}

/**
 * The rows of a data file that are not deleted, some thousand at a time: columns in the schema's order and of its types,
 * which may be wider than those of the file, null where the file lacks one. The file itself is in memory meanwhile.
 * Throws `KD_PARQUET_FAILED`, `KD_STORE_NOT_FOUND`, and `KD_TABLE_CORRUPT` where the file does not hold the rows that its
 * statistics promise or that its deletion vector deletes.
 */
export async function* fileRows(store: Store, rewrite: Rewrite, file: ReadableFile): AsyncGenerator<Columns> {
  const places = new Places(store)
  const deleted = await deletedRows(store, file, places)
  const place = await places.of(file.path)
  const bytes = await place.store.get(place.key)
  const find = finder(rewrite, place.key, bytes)
  let first = 0
  for (const table of readTables(place.key, bytes, { columns: find.names, rowsMax: ROWS_MAX })) {
    yield* tableRows(table, rewrite, file, { find: find.of, first, deleted })
    first += table.numRows
  }
  const { rows: promised, path } = file
  if (promised !== undefined && promised !== first) {
    const detail = `the statistics of a file promise ${promised} rows, it holds ${first}`
    throw new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, path })
  }
  if (deleted === undefined || deleted.last < first) return
  const detail = `the deletion vector deletes row ${deleted.last} of a file of ${first} rows`
  throw new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, path })
}

/** How the fields of one file are found, and the names of its columns that are wanted. */
function finder(
  { schema, byId }: Rewrite,
  key: string,
  bytes: Uint8Array,
): { readonly of: FindField; readonly names: readonly string[] } {
  const { fields } = parquetSchema(key, bytes)
  if (byId && !hasFieldIds(fields)) {
    const detail = 'columns are found by id, and the file has no field ids'
    throw new PipelineError('KD_PARQUET_FAILED', detail, { file: key })
  }
  const of: FindField = (held, field) => {
    const id = byId ? field.metadata[FIELD_ID] : undefined
    return held.findIndex((one) =>
      id === undefined ? one.name === field.name : one.metadata.get(FIELD_ID) === id,
    )
  }
  return { of, names: schema.fields.flatMap((field) => fields[of(fields, field)]?.name ?? []) }
}

interface Window {
  readonly find: FindField
  /** Index of the table's first row in its file. */
  readonly first: number
  readonly deleted: RowSet | undefined
}

function* tableRows(
  table: Table,
  { schema, tracked }: Rewrite,
  file: ReadableFile,
  { find, first, deleted }: Window,
): Generator<Columns> {
  let from = first
  for (const batch of table.batches) {
    const length = batch.numRows
    const fields = batch.schema.fields
    const columns = schema.fields.map((field) => {
      const data = batch.data.children[find(fields, field)]
      if (field.name === tracked?.rowId) return stableRowIds(data, file, from, length)
      if (field.name === tracked?.commitVersion) return stableCommitVersions(data, file, length)
      return columnFrom(data, field.type, length, find)
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
  return length === all.length ? all : picked(all, kept.subarray(0, length))
}

/** Some rows of all columns, in the order of `rows`. */
export function picked({ schema, columns }: Columns, rows: Int32Array): Columns {
  const { length } = rows
  const pick = (column: Column): Column => gather(column.type, [{ column, rows, start: 0, end: length }])
  return { schema, length, columns: columns.map(pick) }
}

/** What a new file is beside its rows. */
export interface NewFile {
  readonly partitionValues: Add['partitionValues']
  readonly nowMs: number
  /** What the `add` says besides: tags, a clustering provider. */
  readonly marks?: Pick<Add, 'tags' | 'clusteringProvider'>
}

/**
 * Writes rows into one new file with statistics of its own; no version names it yet. `undefined` where there is no row.
 * Throws what the rows throw, `KD_PARQUET_FAILED` and what a store throws.
 */
export async function writeRows(
  store: Store,
  { layout, schema }: Rewrite,
  rows: AsyncIterable<Columns>,
  { partitionValues, nowMs, marks }: NewFile,
): Promise<Add | undefined> {
  const codec = layout.compression ?? 'zstd'
  const key = newFileKey(layout, partitionValues, codec)
  const statistics = new FileStatistics(layout.fileSchema, layout.indexedColumns)
  const visible = layout.fileSchema.fields.length
  const arrow = arrowSchema(schema)
  const batches = (async function* (): AsyncGenerator<RecordBatch> {
    for await (const { columns, length } of rows) {
      if (length === 0) continue
      statistics.update(columns.slice(0, visible), length)
      yield recordBatch(arrow, columns, length)
    }
  })()
  const first = await batches.next()
  if (first.done === true) return undefined
  const { bytes } = await store.put(
    key,
    parquetBytes(startingWith(first.value, batches), {
      compression: codec,
      rowGroupRows: ROW_GROUP_ROWS,
      rowGroupBytes: ROW_GROUP_BYTES,
    }),
  )
  return {
    path: encodePath(key),
    partitionValues,
    size: bytes,
    modificationTime: nowMs,
    dataChange: false,
    stats: statistics.json(),
    ...marks,
  }
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first
  yield* rest
}
