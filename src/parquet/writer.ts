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
import { CREATED_BY } from './created-by.ts'
import { columnsWithoutDictionary } from './dictionary.ts'

/** Names a compression codec of written files. */
export type Codec = 'zstd' | 'snappy' | 'gzip' | 'none'

/** Configures how data files are written. */
export interface ParquetOptions {
  /** Codec; zstd if a table does not set one, as in the Delta specification. */
  readonly compression: Codec
  /** Maximum of rows in a row group. */
  readonly rowGroupRows: number
  /** Maximum of bytes in a row group before compression; bounds the memory of WebAssembly. */
  readonly rowGroupBytes?: number
}

const COMPRESSIONS: Readonly<Record<Codec, Compression>> = {
  zstd: Compression.ZSTD,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  none: Compression.UNCOMPRESSED,
}

/**
 * Encodes Arrow record batches as one Parquet file and yields its bytes in pieces, at the pace of the reader:
 * WebAssembly memory grows and never shrinks, so it holds only one batch and the compressed pages of one row group.
 * @throws KD_PARQUET_FAILED
 */
export async function* encodeParquet(
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
  options: ParquetOptions,
): AsyncGenerator<Uint8Array> {
  const state: SourceState = { hasReaderLeft: false }
  try {
    const { first, all } = await withFirst(batches)
    const source = ReadableStream.from(wasmBatches(all, state))
    const plain = first === undefined ? [] : columnsWithoutDictionary(first)
    const sink = await transformParquetStream(source, properties(options, plain))
    for await (const piece of sink as ReadableStream<Uint8Array>) yield piece
    // parquet-wasm treats a failing source as ended and finishes a shorter file that looks complete.
    if ('cause' in state) throw state.cause
  } catch (thrown) {
    if (thrown instanceof PipelineError) throw thrown
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(thrown), {}, { cause: thrown })
  } finally {
    // A reader that stops early, for example because its upload failed, cancels the sink, but parquet-wasm continues to
    // read its source.
    state.hasReaderLeft = true
  }
}

/** State shared between the source and the sink of a file. */
interface SourceState {
  cause?: unknown
  hasReaderLeft: boolean
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

/** Returns the first batch ahead of time, and all batches including it. */
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
      if (state.hasReaderLeft) return
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
