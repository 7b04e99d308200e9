import { toArrowSchema, toRecordBatch } from '../../src/arrow/record-batch.ts'
import type { StructType } from '../../src/core/schema.ts'
import type { Add } from '../../src/delta/protocol/actions.ts'
import { encodePath, newDataFileKey } from '../../src/delta/protocol/paths.ts'
import { readRowLines } from '../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { FileStatistics } from '../../src/parquet/statistics.ts'
import { encodeParquet } from '../../src/parquet/writer.ts'
import type { Store } from '../../src/storage/store.ts'
import { columnsOf } from '../support/flow/batches.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * Writes a data file of these rows with statistics, which no version references yet. `schema` is the schema of the
 * file.
 */
export async function dataFile(
  store: Store,
  schema: StructType,
  rows: readonly Row[],
  partitionValues: Readonly<Record<string, string | null>> = {},
): Promise<Add> {
  const { columns } = columnsOf(schema, rows)
  const statistics = new FileStatistics(schema)
  statistics.update(columns, rows.length)
  const key = newDataFileKey(Object.keys(partitionValues), partitionValues, 'zstd')
  const batch = toRecordBatch(toArrowSchema(schema), columns, rows.length)
  const { bytes } = await store.put(
    key,
    encodeParquet([batch], { compression: 'zstd', rowGroupRows: 50_000 }),
  )
  return {
    path: encodePath(key),
    partitionValues,
    size: bytes,
    modificationTime: Date.now(),
    dataChange: true,
    stats: statistics.json(),
  }
}

/** Returns all rows of a version, by default the newest, as sorted JSON lines. */
export async function sortedRows(store: Store, version?: bigint): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readRowLines(store, await loadSnapshot(store, { version }))) lines.push(line)
  return lines.sort()
}
