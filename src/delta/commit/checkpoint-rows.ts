import { setImmediate } from 'node:timers/promises'
import type { RecordBatch } from 'apache-arrow'
import { StructBuilder } from '../../arrow/builder.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import { type RowGroupSource, singleRowGroupOf } from '../../parquet/join.ts'
import type { ParquetOptions } from '../../parquet/writer.ts'
import type { CheckpointRow } from '../log/checkpoint-schema.ts'

/**
 * Maximum of rows, and of characters of paths and statistics, in a row group: decoding and encoding work on one row
 * group at a time.
 */
const GROUP_ROWS_MAX = 50_000
const GROUP_CHARACTERS_MAX = 32 * 2 ** 20
/** Rows that are converted to columns at a time. */
const BATCH_ROWS = 2_048

// Higher than any row group here: each row group is encoded as a file of its own before they are joined.
const PARQUET: ParquetOptions = { compression: 'zstd', rowGroupRows: 2 * GROUP_ROWS_MAX }

/**
 * Encodes checkpoint rows as row groups of bounded size, with the columns of `schema`; yields none if there are no
 * rows. Gives way to other work between batches.
 * @throws KD_TABLE_CORRUPT if an action does not fit its columns
 */
export async function* encodeCheckpointRows(
  schema: StructType,
  rows: AsyncIterable<CheckpointRow> | Iterable<CheckpointRow>,
): AsyncGenerator<RowGroupSource> {
  const source = new RowGroupSplitter(rows)
  const { encodeParquet } = await import('../../parquet/writer.ts')
  while (await source.hasMore()) {
    const pieces: Uint8Array[] = []
    for await (const piece of encodeParquet(batches(schema, source), PARQUET)) pieces.push(piece)
    yield singleRowGroupOf(Buffer.concat(pieces))
  }
}

/** Splits rows into groups, one per row group. */
class RowGroupSplitter {
  readonly #rows: AsyncIterator<CheckpointRow> | Iterator<CheckpointRow>
  #next: CheckpointRow | undefined

  constructor(rows: AsyncIterable<CheckpointRow> | Iterable<CheckpointRow>) {
    this.#rows = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]()
  }

  async hasMore(): Promise<boolean> {
    if (this.#next !== undefined) return true
    const next: IteratorResult<CheckpointRow, unknown> = await this.#rows.next()
    this.#next = next.done === true ? undefined : next.value
    return this.#next !== undefined
  }

  async *group(): AsyncGenerator<CheckpointRow> {
    let characters = 0
    for (let rows = 0; rows < GROUP_ROWS_MAX && characters < GROUP_CHARACTERS_MAX; rows++) {
      if (!(await this.hasMore())) return
      const row = this.#next as CheckpointRow
      this.#next = undefined
      if ('add' in row) characters += row.add.path.length + (row.add.stats?.length ?? 0)
      yield row
    }
  }
}

async function* batches(schema: StructType, source: RowGroupSplitter): AsyncGenerator<RecordBatch> {
  const { toArrowSchema, toRecordBatch } = await import('../../arrow/record-batch.ts')
  const arrow = toArrowSchema(schema)
  const builder = new StructBuilder(schema)
  const batch = (): RecordBatch => {
    const { columns, length } = builder.finishColumns()
    return toRecordBatch(arrow, columns, length)
  }
  for await (const row of source.group()) {
    const fault = builder.append(row)
    if (fault !== undefined) throw new PipelineError('KD_TABLE_CORRUPT', `an action does not fit: ${fault}`)
    if (builder.length < BATCH_ROWS) continue
    yield batch()
    // Encoding never waits for I/O, so other work would starve.
    await setImmediate()
  }
  if (builder.length > 0) yield batch()
}
