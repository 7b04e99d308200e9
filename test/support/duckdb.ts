import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api'

/**
 * What DuckDB, a reader that is not ours, answers to a query over one Parquet file, which the query calls `FILE`: rows of
 * values as DuckDB's text casts them in UTC would be too lossy, so values come as its own objects.
 */
export async function askDuckdb(parquet: Uint8Array, query: string): Promise<DuckDBValue[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-duckdb-'))
  const file = join(folder, 'file.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await writeFile(file, parquet)
    await connection.run("SET TimeZone = 'UTC'")
    const reader = await connection.runAndReadAll(query.replaceAll('FILE', `read_parquet('${file}')`))
    return reader.getRows()
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
}
