import type { Columns } from '../../arrow/column.ts'
import type { Clock } from '../../core/clock.ts'
import type { StructType } from '../../core/schema.ts'
import type { ParquetOptions } from '../../parquet/writer.ts'
import type { Store } from '../../storage/store.ts'
import type { Add } from '../protocol/actions.ts'
import { encodePath } from '../protocol/paths.ts'
import { encodeFile, type FileEncoder } from './encode-file.ts'
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
  /** Encodes the files; on this thread by default. */
  readonly encoder?: FileEncoder | undefined
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
  const { fileBytes = Infinity, clusteringFields, clock, encoder = encodeFile } = target
  const codec = layout.compression ?? parquet.compression
  const rowGroupBytes = Math.min(parquet.rowGroupBytes ?? Infinity, fileBytes)
  let encoded = 0
  const slices = async function* (): AsyncGenerator<Columns> {
    yield first
    while (encoded < fileBytes) {
      const next = await more.next()
      if (next.done === true) return
      yield next.value
    }
  }
  const file = encoder(slices(), {
    schema,
    statisticsSchema: layout.fileSchema,
    indexedColumns: layout.indexedColumns,
    parquet: {
      compression: codec,
      rowGroupRows: parquet.rowGroupRows,
      ...(rowGroupBytes === Infinity ? {} : { rowGroupBytes }),
    },
  })
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of file.pieces) {
      encoded += piece.length
      yield piece
    }
  }
  const key = newFileKey(layout, partitionValues, codec)
  const { bytes } = await store.put(key, pieces())
  const statistics = file.statistics()
  const add = {
    path: encodePath(key),
    partitionValues,
    size: bytes,
    modificationTime: clock.now(),
    dataChange,
    stats: statistics.json,
    ...clusteringFields,
  }
  return { add, rows: statistics.rows }
}

async function* withoutEmpty(rows: AsyncIterable<Columns> | Iterable<Columns>): AsyncGenerator<Columns> {
  for await (const slice of rows) if (slice.length > 0) yield slice
}
