import { type Schema, type Table, tableFromIPC } from 'apache-arrow'
import { readParquet, readSchema } from 'parquet-wasm'
import { messageOf, PipelineError } from '../core/errors.ts'
import { mayHoldInt96, rewriteInt96AsBytes, restoreInt96Timestamps } from './int96.ts'

/** Selects what is read of a Parquet file. */
interface ReadArrowTablesOptions {
  /**
   * Top-level columns; columns that the file lacks are left out. If it has none of them, another column is read to keep
   * the number of rows. All by default.
   */
  readonly columns?: readonly string[]
  /** Maximum of rows; all by default. */
  readonly limit?: number
  /** Rows decoded at a time: bounds memory beside the file itself. */
  readonly rowsMax?: number
}

const ROWS_MAX = 16_384

/**
 * Yields the rows of a Parquet file of any writer and codec as Arrow tables of at most `rowsMax` rows, in file order.
 * Columns have the types of the file; INT96 becomes a timestamp of microseconds in UTC. `name` is used in messages.
 * @throws KD_PARQUET_FAILED
 */
export function* readArrowTables(
  name: string,
  bytes: Uint8Array,
  options: ReadArrowTablesOptions = {},
): Generator<Table> {
  const schema = readParquetSchema(name, bytes)
  const columns = projection(schema, options.columns)
  const rewritten = mayHoldInt96(schema) ? rewriteInt96AsBytes(bytes) : undefined
  const limit = options.limit ?? Infinity
  const rowsMax = options.rowsMax ?? ROWS_MAX
  for (let offset = 0; offset < limit;) {
    const rows = Math.min(rowsMax, limit - offset)
    const decoded = decode(name, rewritten?.bytes ?? bytes, { offset, limit: rows, batchSize: rows })
    if (decoded.numRows === 0) return
    const table = rewritten === undefined ? decoded : restoreInt96Timestamps(decoded, rewritten.leaves)
    // The synchronous decoder has no projection: unwanted columns are dropped after each batch of rows.
    yield columns === undefined ? table : table.select(columns)
    offset += table.numRows
    if (table.numRows < rows) return
  }
}

/**
 * Returns the requested columns that the file holds. A projection without columns would lose the rows, so one column
 * always stays.
 */
function projection(schema: Schema, requested: readonly string[] | undefined): string[] | undefined {
  if (requested === undefined) return undefined
  const held = schema.fields.map((field) => field.name)
  const columns = held.filter((column) => requested.includes(column))
  return columns.length > 0 ? columns : held.slice(0, 1)
}

/**
 * Reads the schema of a Parquet file as Arrow; INT96 appears as nanoseconds.
 * @throws KD_PARQUET_FAILED
 */
export function readParquetSchema(name: string, bytes: Uint8Array): Schema {
  try {
    return tableFromIPC(readSchema(bytes).intoIPCStream()).schema
  } catch (cause) {
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(cause), { file: name }, { cause })
  }
}

// The asynchronous decoder ends the process on a damaged file, so the synchronous one is used.
function decode(name: string, bytes: Uint8Array, options: Parameters<typeof readParquet>[1]): Table {
  try {
    return tableFromIPC(readParquet(bytes, options).intoIPCStream())
  } catch (cause) {
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(cause), { file: name }, { cause })
  }
}
