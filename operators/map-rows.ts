import type { OperatorFunction } from 'rxjs'
import { StructBuilder } from '../src/arrow/builder.ts'
import { appendObjects, objectsOf, selectRows, type Row, type Rows } from '../src/arrow/rows.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { messageOf } from '../src/core/errors.ts'
import { keyOf } from '../src/core/raw.ts'
import type { StructType } from '../src/core/schema.ts'
import { batchStage } from '../src/core/stage/stage.ts'

/** Describes the Kafka record of a row. */
export interface RecordInfo {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Uint8Array | undefined
}

/**
 * Replaces each row by the result of `map`, in the columns of `schema` or, without it, in its present columns. A row for
 * which `map` throws, or whose result does not fit the columns, becomes a dead letter.
 */
export function mapRows(
  map: (row: Row, info: RecordInfo) => Row,
  options: { readonly schema?: StructType } = {},
): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('map', (rows) => {
    const deadLetters = [...rows.deadLetters]
    const outcome = eachRow(rows, deadLetters, map)
    const builder = new StructBuilder(options.schema ?? rows.columns.schema)
    const records = appendObjects(builder, rows.raw, outcome, deadLetters)
    return { ...rows, columns: builder.finishColumns(), records: Int32Array.from(records), deadLetters }
  })
}

/** Keeps the rows for which `keep` returns true and counts the others as filtered. A row for which it throws becomes a dead letter. */
export function filterRows(
  keep: (row: Row, info: RecordInfo) => boolean,
): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('filter', (rows) => {
    const deadLetters = [...rows.deadLetters]
    const { objects, indices } = eachRow(rows, deadLetters, keep)
    const kept = Int32Array.from(indices.filter((_, i) => objects[i] === true))
    if (kept.length === rows.columns.length) return rows
    const filtered = rows.filtered + indices.length - kept.length
    return { ...selectRows(rows, kept), deadLetters, filtered }
  })
}

/** Calls `look` with every row and passes the batch on unchanged. An error that `look` throws stops the pipeline. */
export function tapRows(
  look: (row: Row, info: RecordInfo) => void,
): OperatorFunction<Batch<Rows>, Batch<Rows>> {
  return batchStage('tap', (rows) => {
    for (const [index, row] of objectsOf(rows).entries()) look(row, infoOf(rows, index))
    return rows
  })
}

/** Calls `run` for every row; rows for which it throws become dead letters and are left out. */
function eachRow<T>(
  rows: Rows,
  deadLetters: DeadLetter[],
  run: (row: Row, info: RecordInfo) => T,
): { objects: T[]; records: number[]; indices: number[] } {
  const objects: T[] = []
  const records: number[] = []
  const indices: number[] = []
  for (const [index, row] of objectsOf(rows).entries()) {
    const record = rows.records[index] as number
    try {
      objects.push(run(row, infoOf(rows, index)))
      records.push(record)
      indices.push(index)
    } catch (thrown) {
      deadLetters.push(deadLetterOf(rows.raw, record, 'custom', messageOf(thrown)))
    }
  }
  return { objects, records, indices }
}

function infoOf({ raw, records }: Rows, index: number): RecordInfo {
  const record = records[index] as number
  return {
    topic: raw.topic,
    partition: raw.partition,
    offset: raw.offsets[record] as bigint,
    timestampMs: raw.timestampsMs[record] as number,
    key: keyOf(raw, record),
  }
}
