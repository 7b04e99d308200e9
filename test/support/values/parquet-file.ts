import { toArrowSchema, toRecordBatch } from '../../../src/arrow/record-batch.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { encodeParquet, type Codec } from '../../../src/parquet/writer.ts'
import { columnsOf } from '../flow/batches.ts'

type Rows = readonly Readonly<Record<string, unknown>>[]

/** One Parquet file of these rows, each list one record batch. */
export async function fileOf(
  schema: StructType,
  batches: readonly Rows[],
  options: { codec?: Codec; rowGroupRows?: number } = {},
): Promise<Buffer> {
  const arrow = toArrowSchema(schema)
  const records = batches.map((rows) => toRecordBatch(arrow, columnsOf(schema, rows).columns, rows.length))
  const pieces: Uint8Array[] = []
  const { codec = 'zstd', rowGroupRows = 100_000 } = options
  for await (const piece of encodeParquet(records, { compression: codec, rowGroupRows })) pieces.push(piece)
  return Buffer.concat(pieces)
}
