import { setImmediate } from 'node:timers/promises'
import type { Columns } from '../../arrow/column.ts'
import type { StructType } from '../../core/schema.ts'
import { FileStatistics, type IndexedColumns } from '../../parquet/statistics.ts'
import type { ParquetOptions } from '../../parquet/writer.ts'

/** Describes the content of a data file, as plain data. */
export interface FileEncoding {
  /** All columns of the file. */
  readonly schema: StructType
  /** The first of these columns, which may have statistics. */
  readonly statisticsSchema: StructType
  /** Leaf columns with statistics. */
  readonly indexedColumns: IndexedColumns
  readonly parquet: ParquetOptions
}

/** Holds the statistics of a complete file: `json` is the text for `add.stats`. */
export interface EncodedStatistics {
  readonly rows: number
  readonly json: string
}

/** Provides the bytes of a file while they are made. */
export interface EncodedFile {
  /** The bytes in pieces, at the pace of the reader, once. */
  readonly pieces: AsyncIterable<Uint8Array>
  /** Returns the statistics once all pieces were read. */
  statistics(): EncodedStatistics
}

/**
 * A `FileEncoder` encodes slices of rows as one Parquet file. It takes a slice when it needs one, and owns its buffers from
 * then on. Reading the pieces throws the errors of `slices`, and KD_PARQUET_FAILED.
 */
export type FileEncoder = (slices: AsyncIterable<Columns>, encoding: FileEncoding) => EncodedFile

/**
 * Encodes slices of rows on this thread. The event loop runs before and after a slice is encoded, so that it is blocked no
 * longer than making or encoding one slice takes.
 */
export const encodeFile: FileEncoder = (slices, { schema, statisticsSchema, indexedColumns, parquet }) => {
  const statistics = new FileStatistics(statisticsSchema, indexedColumns)
  const counted = async function* (): AsyncGenerator<Columns> {
    for await (const slice of slices) {
      statistics.update(slice.columns, slice.length)
      await setImmediate()
      yield slice
      await setImmediate()
    }
  }
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    // Arrow and WebAssembly are loaded with the first file.
    const { encodeSlices } = await import('../../parquet/columns/encode-columns.ts')
    yield* encodeSlices(counted(), schema, parquet)
  }
  return {
    pieces: pieces(),
    statistics: () => ({ rows: statistics.rows, json: statistics.json() }),
  }
}
