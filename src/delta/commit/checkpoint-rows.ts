import { setImmediate } from 'node:timers/promises'
import type { RecordBatch } from 'apache-arrow'
import { StructBuilder } from '../../arrow/builder.ts'
import { arrowSchema, recordBatch } from '../../arrow/record-batch.ts'
import { PipelineError } from '../../core/errors.ts'
import type { StructType } from '../../core/schema.ts'
import { type GroupBytes, onlyGroup } from '../../parquet/join.ts'
import { parquetBytes, type ParquetOptions } from '../../parquet/writer.ts'
import type { CheckpointRow } from '../log/checkpoint-schema.ts'

/** Rows of a row group at most, and characters of paths and statistics: what is decoded and encoded at a time. */
const GROUP_ROWS_MAX = 50_000
const GROUP_CHARACTERS_MAX = 32 * 2 ** 20
/** Rows that are turned into columns at a time. */
const BATCH_ROWS = 2_048

// More rows than any row group of ours: each is a file of its own before it is joined with others.
const PARQUET: ParquetOptions = { compression: 'zstd', rowGroupRows: 2 * GROUP_ROWS_MAX }

/**
 * Rows of a checkpoint as row groups of bounded size, in the columns of `schema`; none where there are no rows.
 * Lets others run between batches. Throws `KD_TABLE_CORRUPT` for an action that does not fit its columns.
 */
export async function* encodeRows(
  schema: StructType,
  rows: AsyncIterable<CheckpointRow> | Iterable<CheckpointRow>,
): AsyncGenerator<GroupBytes> {
  const source = new Source(rows)
  while (await source.hasMore()) {
    const pieces: Uint8Array[] = []
    for await (const piece of parquetBytes(batches(schema, source), PARQUET)) pieces.push(piece)
    yield onlyGroup(Buffer.concat(pieces))
  }
}

/** Rows, a row group's worth of them at a time. */
class Source {
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

async function* batches(schema: StructType, source: Source): AsyncGenerator<RecordBatch> {
  const arrow = arrowSchema(schema)
  const builder = new StructBuilder(schema)
  const batch = (): RecordBatch => {
    const { columns, length } = builder.finishColumns()
    return recordBatch(arrow, columns, length)
  }
  for await (const row of source.group()) {
    const fault = builder.append(row)
    if (fault !== undefined) throw new PipelineError('KD_TABLE_CORRUPT', `an action does not fit: ${fault}`)
    if (builder.length < BATCH_ROWS) continue
    yield batch()
    // Neither rows nor columns wait for anything outside of the process.
    await setImmediate()
  }
  if (builder.length > 0) yield batch()
}
