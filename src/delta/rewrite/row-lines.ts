import type { Data, Table } from 'apache-arrow'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField } from '../../core/schema.ts'
import { decimalOf } from '../../core/schema.ts'
import { parquetSchema, readTables } from '../../parquet/reader.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import { type ColumnMapping, columnMapping, type FileField, hasFieldIds } from '../schema/column-mapping.ts'
import { deletedRows } from '../files/deletion-vector.ts'
import { doubleText } from '../statistics/json-primitives.ts'
import { textAt } from '../statistics/json-text.ts'
import type { PartitionValue } from '../statistics/partition-values.ts'
import { dateText, decimalText, parsePartitionValue, timestampText } from '../statistics/partition-values.ts'
import { type OpenStore, Places } from '../files/file-locations.ts'
import type { RowSet } from '../files/roaring.ts'
import type { Snapshot } from '../log/snapshot.ts'

/** What to read of a snapshot. */
export interface RowOptions {
  /** Rows at most; all by default. */
  readonly limit?: number | undefined
  /** Columns of the table; all by default. They come in the order of the table's schema whatever the order here. */
  readonly columns?: readonly string[] | undefined
  /** Opens stores of files at absolute paths outside of the table; without it a table that has such is refused. */
  readonly open?: OpenStore | undefined
}

/**
 * The rows of a snapshot as NDJSON, one line with its line end at a time, file by file; one file is in memory at once.
 * Forms of values are those of `textAt`; columns that a file lacks are null, partition columns come from the log.
 * Throws `KD_COMMAND_INVALID` for a column that is not there, `KD_TABLE_UNSUPPORTED`, `KD_TABLE_CORRUPT`,
 * `KD_PARQUET_FAILED`. Spec: "Consistency Between Table Metadata and Data Files".
 */
export async function* rowLines(
  store: Store,
  snapshot: Snapshot,
  options: RowOptions = {},
): AsyncGenerator<string> {
  const fields = chosen(snapshot, options.columns)
  const mapping = columnMapping(snapshot.protocol, snapshot.metadata)
  let left = options.limit ?? Infinity
  if (left <= 0) return
  const places = new Places(store, options.open)
  try {
    for await (const add of snapshot.files()) {
      for await (const line of fileLines(store, places, snapshot, add, { fields, mapping, left })) {
        yield line
        left--
        if (left <= 0) return
      }
    }
  } finally {
    await places.close()
  }
}

/** The rows of one file; `left` are wanted at most. */
async function* fileLines(
  store: Store,
  places: Places,
  snapshot: Snapshot,
  add: Add,
  wanted: {
    readonly fields: readonly StructField[]
    readonly mapping: ColumnMapping
    readonly left: number
  },
): AsyncGenerator<string> {
  const { fields, mapping, left } = wanted
  const deleted = await deletedRows(store, add, places)
  const { store: holder, key } = await places.of(add.path)
  const bytes = await dataOf(holder, key, add)
  const columns = columnsOf(add, fields, snapshot, mapping, heldFields(key, bytes, mapping))
  const names = columns.flatMap(({ held }) => held ?? [])
  let row = 0
  for (const table of readTables(key, bytes, { columns: names, ...(deleted ? {} : { limit: left }) })) {
    yield* tableLines(table, columns, mapping, row, deleted)
    row += table.numRows
  }
  checkWithin(add, deleted, row)
}

/** A file that the log names and the store does not hold: no version has fewer rows for it. */
async function dataOf(store: Store, key: string, { path }: Add): Promise<Uint8Array> {
  try {
    return await store.get(key)
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_STORE_NOT_FOUND') throw cause
    throw new PipelineError('KD_TABLE_CORRUPT', 'a data file is missing', { path }, { cause })
  }
}

/** Where the values of a column come from: the log, or a column of the file (none where the file lacks it). */
interface Column {
  readonly field: StructField
  readonly constant?: string
  /** The column's name in the file. */
  readonly held?: string
}

function columnsOf(
  add: Add,
  fields: readonly StructField[],
  { metadata }: Snapshot,
  mapping: ColumnMapping,
  held: readonly FileField[],
): readonly Column[] {
  return fields.map((field) => {
    const { name, type } = field
    if (metadata.partitionColumns.includes(name)) {
      const text = add.partitionValues[mapping.physicalName(field)] ?? null
      return { field, constant: partitionJson(parsePartitionValue(text, type), type) }
    }
    const own = held[mapping.indexIn(held, field)]
    return own === undefined ? { field } : { field, held: own.name }
  })
}

/** The file's columns. Throws `KD_PARQUET_FAILED`. Spec: "Reader Requirements for Column Mapping". */
function heldFields(key: string, bytes: Uint8Array, { mode }: ColumnMapping): readonly FileField[] {
  const { fields } = parquetSchema(key, bytes)
  if (mode !== 'id' || hasFieldIds(fields)) return fields
  throw new PipelineError('KD_PARQUET_FAILED', 'columns are found by id, and the file has no field ids', {
    file: key,
  })
}

/** `first` is the index of the table's first row in its file. */
function* tableLines(
  table: Table,
  columns: readonly Column[],
  mapping: ColumnMapping,
  first: number,
  deleted: RowSet | undefined,
): Generator<string> {
  let index = first
  for (const batch of table.batches) {
    const texts = columns.map(({ field: { name, type }, constant, held }) => {
      const data = held === undefined ? undefined : (batch.getChild(held)?.data[0] as Data | undefined)
      const text = constant === undefined ? textAt(data, type, mapping) : () => constant
      return { key: `${JSON.stringify(name)}:`, text }
    })
    for (let row = 0; row < batch.numRows; row++, index++) {
      if (deleted?.has(index) === true) continue
      yield `{${texts.map(({ key, text }) => key + text(row)).join(',')}}\n`
    }
  }
}

/** A vector that deletes rows which the file does not have belongs to another file. */
function checkWithin({ path }: Add, deleted: RowSet | undefined, rows: number): void {
  if (deleted === undefined || deleted.last < rows) return
  const detail = `the deletion vector deletes row ${deleted.last} of a file of ${rows} rows`
  throw new PipelineError('KD_TABLE_CORRUPT', detail, { path })
}

function chosen({ schema, version }: Snapshot, names: readonly string[] | undefined): readonly StructField[] {
  if (names === undefined) return schema.fields
  const held = new Set(schema.fields.map((field) => field.name))
  const missing = names.filter((name) => !held.has(name))
  if (missing.length > 0) {
    throw new PipelineError('KD_COMMAND_INVALID', 'the table has no such columns', {
      columns: missing,
      version,
    })
  }
  return schema.fields.filter((field) => names.includes(field.name))
}

function partitionJson(value: PartitionValue, type: DataType): string {
  const decimal = decimalOf(type)
  if (typeof value === 'bigint') {
    if (decimal !== undefined) return decimalText(value, decimal.scale)
    if (type === 'timestamp') return `"${timestampText(value, 'T', 'always')}Z"`
    return type === 'timestamp_ntz' ? `"${timestampText(value, 'T', 'always')}"` : value.toString()
  }
  if (typeof value === 'number') return type === 'date' ? `"${dateText(value)}"` : doubleText(value)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  return JSON.stringify(value)
}
