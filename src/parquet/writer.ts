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

/** Compression codecs that we write. */
export type Codec = 'zstd' | 'snappy' | 'gzip' | 'none'

/** How data files are written. */
export interface ParquetOptions {
  /** Default zstd, as the Delta specification has it where a table does not say. */
  readonly compression: Codec
  /** Rows of a row group at most. */
  readonly rowGroupRows: number
}

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
  const source = ReadableStream.from(wasmBatches(batches))
  const sink = (await transformParquetStream(source, properties(options))) as ReadableStream<Uint8Array>
  try {
    for await (const piece of sink) yield piece
  } catch (thrown) {
    if (thrown instanceof PipelineError) throw thrown
    throw new PipelineError('KD_PARQUET_FAILED', messageOf(thrown), {}, { cause: thrown })
  }
}

function properties(options: ParquetOptions): WriterProperties {
  return new WriterPropertiesBuilder()
    .setCompression(COMPRESSIONS[options.compression])
    .setMaxRowGroupSize(options.rowGroupRows)
    .setCreatedBy('kafka-delta')
    .build()
}

async function* wasmBatches(
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
): AsyncGenerator<WasmBatch> {
  for await (const batch of batches) {
    const table = WasmTable.fromIPCStream(ipcOf(batch))
    for (const wasm of table.recordBatches()) yield wasm
    table.free()
  }
}

function ipcOf(batch: ArrowBatch): Uint8Array {
  return RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true)
}
