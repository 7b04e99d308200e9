import type { DeadLetter, DeadLetterReason } from '../core/batch.ts'
import type { Raw } from '../core/raw.ts'
import type { DataType, StructType } from '../core/schema.ts'
import { deadLetterOf } from '../core/dead-letter.ts'
import { StructBuilder } from './builder.ts'
import { nullColumn, type Columns } from './column.ts'
import { gather, indexNamed, type Pick } from './gather.ts'
import { rowAt } from './values.ts'

/**
 * The rows of one batch in columns, and what became of the records that are no rows:
 * records = rows + deadLetters + tombstones + filtered.
 */
export interface Rows {
  readonly raw: Raw
  readonly columns: Columns
  /** Row `r` was made of record `records[r]` of `raw`; ascending. */
  readonly records: Int32Array
  readonly deadLetters: readonly DeadLetter[]
  readonly tombstones: number
  readonly filtered: number
  /** Records that are rows of tombstones; absent where none is. */
  readonly deleted?: ReadonlySet<number>
  /** Fields that no column took and that were let go. */
  readonly droppedFields?: number
}

/** A row as an object: field name → JSON-like value, nulls included. */
export type Row = Record<string, unknown>

/** The rows in object form, made now: for stages that think in single messages. */
export function objectsOf(rows: Rows): Row[] {
  return Array.from({ length: rows.columns.length }, (_, row) => rowAt(rows.columns, row))
}

/** Objects on their way into columns: row `r` stems from record `records[r]`. */
export interface Candidates {
  readonly objects: readonly unknown[]
  readonly records: readonly number[]
}

/**
 * Appends objects to `builder`; an object that does not fit its columns becomes a dead letter instead.
 * Returns the records that became rows, in order.
 */
export function appendObjects(
  builder: StructBuilder,
  raw: Raw,
  { objects, records }: Candidates,
  deadLetters: DeadLetter[],
): number[] {
  const fitting: number[] = []
  for (let i = 0; i < objects.length; i++) {
    const record = records[i] as number
    const length = builder.length
    // To the builder both are a row of nulls; to whoever wrote the callback they are a mistake.
    const absent = objects[i] === null || objects[i] === undefined
    const fault = absent ? `expected an object, got ${String(objects[i])}` : builder.append(objects[i])
    if (fault === undefined) fitting.push(record)
    else {
      builder.truncate(length)
      deadLetters.push(deadLetterOf(raw, record, 'type', fault))
    }
  }
  return fitting
}

/** The columns' rows at `indices`, in that order. */
export function takeRows(columns: Columns, indices: Int32Array): Columns {
  return {
    schema: columns.schema,
    length: indices.length,
    columns: columns.columns.map((column) =>
      gather(column.type, [{ column, rows: indices, start: 0, end: indices.length }]),
    ),
  }
}

/** The rows without those that are `refused`, by their numbers, each with why; these become dead letters. */
export function withoutRows(
  rows: Rows,
  refused: ReadonlyMap<number, string>,
  reason: DeadLetterReason,
): Rows {
  if (refused.size === 0) return rows
  const { raw, columns, records } = rows
  const letters = [...refused].map(([row, message]) =>
    deadLetterOf(raw, records[row] as number, reason, message),
  )
  const kept = new Int32Array(columns.length - refused.size)
  let at = 0
  for (let row = 0; row < columns.length; row++) if (!refused.has(row)) kept[at++] = row
  return {
    ...rows,
    columns: takeRows(columns, kept),
    records: kept.map((row) => records[row] as number),
    deadLetters: [...rows.deadLetters, ...letters],
  }
}

/** Two sets of rows of one batch as one, ordered by record, in the columns of the second where both have rows. */
export function mergeRows(
  a: { columns: Columns; records: Int32Array },
  b: { columns: Columns; records: Int32Array },
): { columns: Columns; records: Int32Array } {
  if (b.records.length === 0) return a
  if (a.records.length === 0) return b
  const joined = new Int32Array(a.records.length + b.records.length)
  joined.set(a.records)
  joined.set(b.records, a.records.length)
  const order = Int32Array.from(joined.keys()).sort((i, j) => (joined[i] as number) - (joined[j] as number))
  const { schema } = b.columns
  const columns = schema.fields.map(({ name, type }) => {
    const both = gather(type, [pickOf(a.columns, name, type), pickOf(b.columns, name, type)])
    return gather(type, [{ column: both, rows: order, start: 0, end: order.length }])
  })
  return {
    columns: { schema, length: joined.length, columns },
    records: order.map((i) => joined[i] as number),
  }
}

function pickOf({ schema, columns, length }: Columns, name: string, type: DataType): Pick {
  return {
    column: columns[indexNamed(schema.fields, name)] ?? nullColumn(type, length),
    start: 0,
    end: length,
  }
}

/** No rows of this schema. */
export function noRows(schema: StructType): { columns: Columns; records: Int32Array } {
  return { columns: new StructBuilder(schema).finishColumns(), records: new Int32Array(0) }
}
