import type { RecordBatch } from 'apache-arrow'
import type { Columns } from '../../arrow/column.ts'
import { toArrowSchema, toRecordBatch } from '../../arrow/record-batch.ts'
import type { Clock } from '../../core/clock.ts'
import type { StructType } from '../../core/schema.ts'
import { FileStatistics } from '../../parquet/statistics.ts'
import { encodeParquet, type ParquetOptions } from '../../parquet/writer.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import { encodePath } from '../protocol/paths.ts'
import { newFileKey, type Layout } from './layout.ts'

/** Describes the new data files for rows of one table partition. */
export interface NewDataFiles {
  /** Store whose root is the table. */
  readonly store: Store
  readonly layout: Layout
  /** Columns of the files, if columns without statistics follow those of `layout`. */
  readonly schema?: StructType
  readonly partitionValues: Add['partitionValues']
  /** Encoding of the files; the codec of `layout` takes precedence. */
  readonly parquet: ParquetOptions
  /** Bytes from which on a file is full; by default all rows are in one file. */
  readonly fileBytes?: number | undefined
  readonly dataChange: boolean
  /** Additional fields of `add`: tags and clustering provider. */
  readonly clusteringFields?: Pick<Add, 'tags' | 'clusteringProvider'>
  readonly clock: Clock
}

/** Describes an uploaded data file. */
export interface NewDataFile {
  readonly add: Add
  readonly rows: number
}

/**
 * Writes rows into new data files, one after the other, and yields each with its statistics once it is uploaded; no
 * version references it yet. Row groups are written whole: their size, which `fileBytes` limits too, bounds how far a
 * file exceeds `fileBytes`. No rows make no file. Throws errors of the rows and of the store.
 * @throws KD_PARQUET_FAILED
 */
export async function* writeDataFiles(
  rows: AsyncIterable<Columns> | Iterable<Columns>,
  target: NewDataFiles,
): AsyncGenerator<NewDataFile> {
  const slices = withoutEmpty(rows)
  try {
    for (let first = await slices.next(); first.done !== true; first = await slices.next())
      yield await writeDataFile(first.value, slices, target)
  } finally {
    await slices.return(undefined)
  }
}

/** Writes one file of `first` and as many of the rows after it as it may hold. */
async function writeDataFile(
  first: Columns,
  more: AsyncGenerator<Columns>,
  target: NewDataFiles,
): Promise<NewDataFile> {
  const { store, layout, schema = layout.fileSchema, partitionValues, parquet, dataChange } = target
  const { fileBytes = Infinity, clusteringFields, clock } = target
  const codec = layout.compression ?? parquet.compression
  const rowGroupBytes = Math.min(parquet.rowGroupBytes ?? Infinity, fileBytes)
  const statistics = new FileStatistics(layout.fileSchema, layout.indexedColumns)
  const arrow = toArrowSchema(schema)
  const recordBatchOf = ({ columns, length }: Columns): RecordBatch => {
    statistics.update(columns, length)
    return toRecordBatch(arrow, columns, length)
  }
  let encoded = 0
  const batches = async function* (): AsyncGenerator<RecordBatch> {
    yield recordBatchOf(first)
    while (encoded < fileBytes) {
      const next = await more.next()
      if (next.done === true) return
      yield recordBatchOf(next.value)
    }
  }
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    const options = {
      compression: codec,
      rowGroupRows: parquet.rowGroupRows,
      ...(rowGroupBytes === Infinity ? {} : { rowGroupBytes }),
    }
    for await (const piece of encodeParquet(batches(), options)) {
      encoded += piece.length
      yield piece
    }
  }
  const key = newFileKey(layout, partitionValues, codec)
  const { bytes } = await store.put(key, pieces())
  const add = {
    path: encodePath(key),
    partitionValues,
    size: bytes,
    modificationTime: clock.now(),
    dataChange,
    stats: statistics.json(),
    ...clusteringFields,
  }
  return { add, rows: statistics.rows }
}

async function* withoutEmpty(rows: AsyncIterable<Columns> | Iterable<Columns>): AsyncGenerator<Columns> {
  for await (const slice of rows) if (slice.length > 0) yield slice
}
