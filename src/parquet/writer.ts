import { RecordBatchStreamWriter, type RecordBatch as ArrowBatch } from 'apache-arrow'
import {
  Compression,
  Table as WasmTable,
  WriterPropertiesBuilder,
  transformParquetStream,
  type RecordBatch as WasmBatch,
  type WriterProperties,
} from 'parquet-wasm'
import { PipelineError, messageOf } from '../core/errors.ts'
import { columnsWithoutDictionary } from './dictionary.ts'

/** Compression codecs that we write. */
export type Codec = 'zstd' | 'snappy' | 'gzip' | 'none'

/** How data files are written. */
export interface ParquetOptions {
  /** Default zstd, as the Delta specification has it where a table does not say. */
  readonly compression: Codec
  /** Rows of a row group at most. */
  readonly rowGroupRows: number
  /** Bytes of a row group at most, before compression; bounds what WebAssembly holds. */
  readonly rowGroupBytes?: number
}

/** How our files name their writer. */
export const CREATED_BY = 'kafka-delta'

const COMPRESSIONS: Readonly<Record<Codec, Compression>> = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  none: Compression.UNCOMPRESSED,
}

/**
 * Arrow record batches in, the bytes of one Parquet file out, in pieces and at the reader's pace: WebAssembly memory
 * grows and never shrinks, so it only ever sees one batch and the compressed pages of one row group.
 *
 * @throws KD_PARQUET_FAILED
 */
export async function* parquetBytes(
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
  options: ParquetOptions,
): AsyncGenerator<Uint8Array> {
  const state: SourceState = { left: false }
  try {
    const { first, all } = await withFirst(batches)
    const source = ReadableStream.from(wasmBatches(all, state))
    const plain = first === undefined ? [] : columnsWithoutDictionary(first)
    const sink = await transformParquetStream(source, properties(options, plain))
    for await (const piece of sink as ReadableStream<Uint8Array>) yield piece
    // parquet-wasm takes a source that fails for one that has ended, and finishes a shorter file that looks whole.
    if ('cause' in state) throw state.cause
  } catch (thrown) {
    if (thrown instanceof PipelineError) throw thrown
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(thrown), {}, { cause: thrown })
  } finally {
    // A reader that leaves early, since its upload failed, cancels the sink; parquet-wasm reads its source on all the same.
    state.left = true
  }
}

/** What the source of a file tells its sink, and the other way round. */
interface SourceState {
  cause?: unknown
  left: boolean
}

function properties(options: ParquetOptions, plain: readonly string[]): WriterProperties {
  let builder = new WriterPropertiesBuilder()
    .setCompression(COMPRESSIONS[options.compression])
    .setMaxRowGroupSize(options.rowGroupRows)
    .setCreatedBy(CREATED_BY)
  for (const column of plain) builder = builder.setColumnDictionaryEnabled(column, false)
  const { rowGroupBytes } = options
  return (rowGroupBytes === undefined ? builder : builder.setMaxRowGroupBytes(rowGroupBytes)).build()
}

/** The first batch, looked at beforehand, and all of them. */
async function withFirst(
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
): Promise<{ first: ArrowBatch | undefined; all: AsyncGenerator<ArrowBatch> }> {
  const rest = (async function* () {
    yield* batches
  })()
  const next = await rest.next()
  const first = next.done === true ? undefined : next.value
  const all = (async function* () {
    try {
      if (first !== undefined) yield first
      yield* rest
    } finally {
      await rest.return(undefined)
    }
  })()
  return { first, all }
}

async function* wasmBatches(
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
  state: SourceState,
): AsyncGenerator<WasmBatch> {
  try {
    for await (const batch of batches) {
      if (state.left) return
      const table = WasmTable.fromIPCStream(ipcOf(batch))
      try {
        for (const wasm of table.recordBatches()) yield wasm
      } finally {
        table.free()
      }
    }
  } catch (cause) {
    state.cause = cause
    throw cause
  }
}

function ipcOf(batch: ArrowBatch): Uint8Array {
  return RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)
}
