import type { Data, RecordBatch } from 'apache-arrow'
import { columnFrom } from '../arrow/from-arrow.ts'
import type { Columns } from '../arrow/column.ts'
import { arrowSchema, recordBatch } from '../arrow/record-batch.ts'
import { invariant } from '../core/batch.ts'
import { PipelineError } from '../core/errors.ts'
import type { StructType } from '../core/schema.ts'
import { readTables } from '../parquet/reader.ts'
import { FileStatistics } from '../parquet/statistics.ts'
import { parquetBytes } from '../parquet/writer.ts'
import type { Store } from '../storage/store.ts'
import type { Add, Metadata } from './actions.ts'
import type { Bin, Candidate } from './bins.ts'
import { decodePath, encodePath, newDataFileKey } from './paths.ts'
import { codecOf, indexedColumns } from './table-properties.ts'

/** Rows that are decoded at a time. */
const ROWS_MAX = 65_536
const ROW_GROUP_ROWS = 131_072
const ROW_GROUP_BYTES = 32 * 1024 * 1024

/** The schema of data files: partition columns live in the log alone. */
export function fileSchema(metadata: Pick<Metadata, 'schema' | 'partitionColumns'>): StructType {
  const fields = metadata.schema.fields.filter(({ name }) => !metadata.partitionColumns.includes(name))
  return { type: 'struct', fields }
}

/**
 * The columns of a data file, some thousand rows at a time: in the schema's order, null where the file lacks one.
 * The file itself is in memory meanwhile. Throws `KD_PARQUET_FAILED`, `KD_STORE_NOT_FOUND`.
 */
export async function* fileColumns(store: Store, path: string, schema: StructType): AsyncGenerator<Columns> {
  const key = decodePath(path)
  const bytes = await store.get(key)
  const columns = schema.fields.map(({ name }) => name)
  for (const table of readTables(key, bytes, { columns, rowsMax: ROWS_MAX })) {
    for (const batch of table.batches) {
      const length = batch.numRows
      const held = schema.fields.map(({ name, type }) =>
        columnFrom(batch.getChild(name)?.data[0] as Data | undefined, type, length),
      )
      yield { schema, length, columns: held }
    }
  }
}

/**
 * Writes the rows of all files of a bin, in their order, into one new file with statistics of its own. One file of the bin
 * is in memory at a time. No version names the new file yet. Files without rows become no file: `undefined`. Throws
 * `KD_TABLE_CORRUPT` where a file does not hold the rows that its statistics promise: such a table must be looked at
 * before anything in it is replaced; and whatever reason `signal` was aborted for, before the next file is read.
 */
export async function writeBin(
  store: Store,
  metadata: Metadata,
  bin: Bin,
  nowMs: number,
  signal?: AbortSignal,
): Promise<Add | undefined> {
  const schema = fileSchema(metadata)
  const statistics = new FileStatistics(schema, indexedColumns(metadata.configuration))
  const codec = codecOf(metadata.configuration)
  const partitionValues = bin.files[0]?.partitionValues ?? {}
  const suffix = codec === 'none' ? 'uncompressed' : codec
  const key = newDataFileKey(metadata.partitionColumns, partitionValues, suffix)
  const read = { rows: 0 }
  const batches = batchesOf(store, schema, bin.files, statistics, read, signal)
  const first = await batches.next()
  if (first.done === true) return undefined
  const body = parquetBytes(startingWith(first.value, batches), {
    compression: codec,
    rowGroupRows: ROW_GROUP_ROWS,
    rowGroupBytes: ROW_GROUP_BYTES,
  })
  const { bytes } = await store.put(key, body)
  invariant(statistics.rows === read.rows, `${statistics.rows} of ${read.rows} rows are in ${key}`)
  return {
    path: encodePath(key),
    partitionValues,
    size: bytes,
    modificationTime: nowMs,
    dataChange: false,
    stats: statistics.json(),
  }
}

async function* batchesOf(
  store: Store,
  schema: StructType,
  files: readonly Candidate[],
  statistics: FileStatistics,
  read: { rows: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch> {
  const arrow = arrowSchema(schema)
  for (const { path, rows: promised } of files) {
    signal?.throwIfAborted()
    let rows = 0
    for await (const { columns, length } of fileColumns(store, path, schema)) {
      rows += length
      statistics.update(columns, length)
      yield recordBatch(arrow, columns, length)
    }
    if (promised !== undefined && promised !== rows) {
      const detail = `the statistics of a file promise ${promised} rows, it holds ${rows}`
      throw new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, path })
    }
    read.rows += rows
  }
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first
  yield* rest
}
