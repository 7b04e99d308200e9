import { type Schema, type Table, tableFromIPC } from 'apache-arrow'
import { readParquet, readSchema } from 'parquet-wasm'
import { messageOf, PipelineError } from '../core/errors.ts'
import { mayHoldInt96, withoutInt96, withTimestamps } from './int96.ts'

/** What to read of a Parquet file. */
export interface ReadOptions {
  /**
   * Top-level columns; those that the file does not hold are left out, and where it holds none of them some other column
   * stands for the rows. All by default.
   */
  readonly columns?: readonly string[]
  /** Rows to give at most; all by default. */
  readonly limit?: number
  /** Rows that are decoded at a time: what bounds memory beside the file itself. */
  readonly rowsMax?: number
}

const ROWS_MAX = 16_384

/**
 * Rows of a Parquet file of any writer and codec as Arrow tables of at most `rowsMax` rows, in the file's order.
 * Columns have the types that the file gives them; INT96 becomes a timestamp of microseconds in UTC.
 * `name` is for messages alone. Throws `KD_PARQUET_FAILED`.
 */
export function* readTables(name: string, bytes: Uint8Array, options: ReadOptions = {}): Generator<Table> {
  const schema = parquetSchema(name, bytes)
  const columns = projection(schema, options.columns)
  const reworded = mayHoldInt96(schema) ? withoutInt96(bytes) : undefined
  const limit = options.limit ?? Infinity
  const rowsMax = options.rowsMax ?? ROWS_MAX
  for (let offset = 0; offset < limit;) {
    const rows = Math.min(rowsMax, limit - offset)
    const decoded = decode(name, reworded?.bytes ?? bytes, { offset, limit: rows, batchSize: rows })
    if (decoded.numRows === 0) return
    const table = reworded === undefined ? decoded : withTimestamps(decoded, reworded.leaves)
    // The synchronous decoder knows no projection: what is not wanted is dropped after each window of rows.
    yield columns === undefined ? table : table.select(columns)
    offset += table.numRows
    if (table.numRows < rows) return
  }
}

/** The columns asked for that the file holds. A projection onto nothing loses the rows, so one column always stays. */
function projection(schema: Schema, asked: readonly string[] | undefined): string[] | undefined {
  if (asked === undefined) return undefined
  const held = schema.fields.map((field) => field.name)
  const columns = held.filter((column) => asked.includes(column))
  return columns.length > 0 ? columns : held.slice(0, 1)
}

/** The schema of a Parquet file as Arrow gives it, INT96 as nanoseconds. Throws `KD_PARQUET_FAILED`. */
export function parquetSchema(name: string, bytes: Uint8Array): Schema {
  try {
    return tableFromIPC(readSchema(bytes).intoIPCStream()).schema
  } catch (cause) {
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(cause), { file: name }, { cause })
  }
}

// The synchronous decoder, because the asynchronous one ends the process where a file is damaged.
function decode(name: string, bytes: Uint8Array, options: Parameters<typeof readParquet>[1]): Table {
  try {
    return tableFromIPC(readParquet(bytes, options).intoIPCStream())
  } catch (cause) {
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(cause), { file: name }, { cause })
  }
}
