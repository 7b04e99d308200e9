import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { formatDate, formatDateTime } from '../../src/arrow/time.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import { longValue } from './values/values.ts'

/**
 * What DuckDB, a reader that is not ours, answers to a query over one Parquet file, which the query calls
 * `FILE`, and its path `PATH`. Values come as DuckDB's own objects.
 */
export async function askDuckdb(parquet: Uint8Array, query: string): Promise<DuckDBValue[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-duckdb-'))
  const file = join(folder, 'file.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await writeFile(file, parquet)
    await connection.run("SET TimeZone = 'UTC'")
    const sql = query.replaceAll('FILE', `read_parquet('${file}')`).replaceAll('PATH', `'${file}'`)
    const reader = await connection.runAndReadAll(sql)
    return reader.getRows()
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
}

/** DuckDB's value as `valueAt` would give it. */
export function plain(value: DuckDBValue): unknown {
  if (typeof value === 'bigint') return longValue(value)
  if (value instanceof DuckDBDecimalValue) return new ExactNumber(value.toString())
  if (value instanceof DuckDBDateValue) return formatDate(value.days)
  if (value instanceof DuckDBTimestampTZValue) return formatDateTime(value.micros, true)
  if (value instanceof DuckDBTimestampValue) return formatDateTime(value.micros, false)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64')
  if (value instanceof DuckDBListValue) return value.items.map(plain)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([name, inner]) => [name, plain(inner)]))
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(value.entries.map(({ key, value: inner }) => [String(key), plain(inner)]))
  return value
}
