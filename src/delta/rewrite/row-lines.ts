import type { Data, Table } from 'apache-arrow'
import { decimalText } from '../../arrow/decimal.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField } from '../../core/schema.ts'
import { decimalOf } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import {
  checkNamesReadable,
  type ColumnMapping,
  columnMappingOf,
  type FileField,
  hasFieldIds,
} from '../schema/column-mapping.ts'
import { readDeletedRows } from '../files/deletion-vector.ts'
import { formatDouble } from '../statistics/format-double.ts'
import type { JsonTextReader } from '../statistics/json-primitives.ts'
import type { PartitionValue } from '../statistics/partition-values.ts'
import { isoDateOf, isoTimestampOf, parsePartitionValue } from '../statistics/partition-values.ts'
import { type StoreOpener, FileLocator } from '../files/file-locations.ts'
import type { RowSet } from '../files/roaring.ts'
import type { Snapshot } from '../log/snapshot.ts'

/** Selects what is read of a snapshot. */
export interface RowLinesOptions {
  /** Maximum of rows; all by default. */
  readonly limit?: number | undefined
  /** Columns of the table; all by default. The output follows the order of the table schema. */
  readonly columns?: readonly string[] | undefined
  /** Opens stores of files at absolute paths outside the table; without it a table with such files is refused. */
  readonly open?: StoreOpener | undefined
}

/**
 * Yields the rows of a snapshot as NDJSON, one line with its line end at a time, file by file; one file is in memory at
 * a time. Values have the form of `jsonTextReaderOf`; columns that a file lacks are null, partition columns come from
 * the log. Spec: "Consistency Between Table Metadata and Data Files".
 * @throws KD_COMMAND_INVALID for a column that does not exist
 * @throws KD_TABLE_UNSUPPORTED, KD_TABLE_CORRUPT, KD_PARQUET_FAILED
 */
export async function* readRowLines(
  store: Store,
  snapshot: Snapshot,
  options: RowLinesOptions = {},
): AsyncGenerator<string> {
  const fields = selectFields(snapshot, options.columns)
  const mapping = columnMappingOf(snapshot.protocol, snapshot.metadata)
  checkNamesReadable({ type: 'struct', fields }, mapping)
  let left = options.limit ?? Infinity
  if (left <= 0) return
  const locator = new FileLocator(store, options.open)
  try {
    for await (const add of snapshot.files()) {
      for await (const line of fileLines(store, locator, snapshot, add, { fields, mapping, left })) {
        yield line
        left--
        if (left <= 0) return
      }
    }
  } finally {
    await locator.close()
  }
}

/** Yields the rows of one file, at most about `left`. */
async function* fileLines(
  store: Store,
  locator: FileLocator,
  snapshot: Snapshot,
  add: Add,
  wanted: {
    readonly fields: readonly StructField[]
    readonly mapping: ColumnMapping
    readonly left: number
  },
): AsyncGenerator<string> {
  const { fields, mapping, left } = wanted
  const deleted = await readDeletedRows(store, add, locator)
  const { store: holder, key } = await locator.locate(add.path)
  const bytes = await readDataFile(holder, key, add)
  // Arrow and WebAssembly take a while to load, which programs that only write do without.
  const { readArrowTables, readParquetSchema } = await import('../../parquet/reader.ts')
  const { jsonTextReaderOf } = await import('../statistics/json-text.ts')
  const textOf: TextReaderOf = (data, type) => jsonTextReaderOf(data, type, mapping)
  const columns = columnsOf(
    add,
    fields,
    snapshot,
    mapping,
    heldFields(key, readParquetSchema(key, bytes), mapping),
  )
  const names = columns.flatMap(({ held }) => held ?? [])
  let row = 0
  for (const table of readArrowTables(key, bytes, { columns: names, ...(deleted ? {} : { limit: left }) })) {
    yield* tableLines(table, columns, textOf, row, deleted)
    row += table.numRows
  }
  checkWithin(add, deleted, row)
}

/** Reads a data file. A missing file is an error, because no version has fewer rows for it. */
async function readDataFile(store: Store, key: string, { path }: Add): Promise<Uint8Array> {
  try {
    return await store.get(key)
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_STORE_NOT_FOUND') throw cause
    throw new PipelineError('KD_TABLE_CORRUPT', 'a data file is missing', { path }, { cause })
  }
}

/** Source of the values of a column: the log, or a column of the file (neither if the file lacks it). */
interface ColumnSource {
  readonly field: StructField
  readonly constant?: string
  /** Name of the column in the file. */
  readonly held?: string
}

function columnsOf(
  add: Add,
  fields: readonly StructField[],
  { metadata }: Snapshot,
  mapping: ColumnMapping,
  held: readonly FileField[],
): readonly ColumnSource[] {
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

/**
 * Returns the columns of a file. Spec: "Reader Requirements for Column Mapping".
 * @throws KD_PARQUET_FAILED
 */
function heldFields(
  key: string,
  { fields }: { readonly fields: readonly FileField[] },
  { mode }: ColumnMapping,
): readonly FileField[] {
  if (mode !== 'id' || hasFieldIds(fields)) return fields
  throw new PipelineError(
    'KD_PARQUET_FAILED',
    'the table maps columns by id, but the file has no field ids',
    {
      file: key,
    },
  )
}

type TextReaderOf = (data: Data | undefined, type: DataType) => JsonTextReader

/** Yields the lines of an Arrow table; `first` is the index of its first row in the file. */
function* tableLines(
  table: Table,
  columns: readonly ColumnSource[],
  textOf: TextReaderOf,
  first: number,
  deleted: RowSet | undefined,
): Generator<string> {
  let index = first
  for (const batch of table.batches) {
    const texts = columns.map(({ field: { name, type }, constant, held }) => {
      const data = held === undefined ? undefined : (batch.getChild(held)?.data[0] as Data | undefined)
      const text = constant === undefined ? textOf(data, type) : () => constant
      return { key: `${JSON.stringify(name)}:`, text }
    })
    for (let row = 0; row < batch.numRows; row++, index++) {
      if (deleted?.has(index) === true) continue
      yield `{${texts.map(({ key, text }) => key + text(row)).join(',')}}\n`
    }
  }
}

/** Refuses a deletion vector that deletes rows beyond the file: it belongs to another file. */
function checkWithin({ path }: Add, deleted: RowSet | undefined, rows: number): void {
  if (deleted === undefined || deleted.last < rows) return
  const detail = `the deletion vector deletes row ${deleted.last} of a file of ${rows} rows`
  throw new PipelineError('KD_TABLE_CORRUPT', detail, { path })
}

function selectFields(
  { schema, version }: Snapshot,
  names: readonly string[] | undefined,
): readonly StructField[] {
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
    if (type === 'timestamp') return `"${isoTimestampOf(value, 'T', 'always')}Z"`
    return type === 'timestamp_ntz' ? `"${isoTimestampOf(value, 'T', 'always')}"` : value.toString()
  }
  if (typeof value === 'number') return type === 'date' ? `"${isoDateOf(value)}"` : formatDouble(value)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  return JSON.stringify(value)
}
