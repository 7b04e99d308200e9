import type { Counts, DeadLetter, DeadLetterReason } from '../core/batch.ts'
import type { Raw } from '../core/raw.ts'
import type { StructType } from '../core/schema.ts'
import { deadLetterOf } from '../core/dead-letter.ts'
import { StructBuilder } from './builder.ts'
import type { Columns } from './column.ts'
import { gather, pickByName, takeValues } from './gather.ts'
import { rowAt } from './values.ts'

/**
 * Holds the rows of one batch as columns, and accounts for records without a row: records + expanded = rows + deadLetters
 * + tombstones + filtered. `T` is the type of a row as an object; only the compiler knows it.
 */
export interface Rows<T extends object = Row> {
  readonly raw: Raw
  readonly columns: Columns
  /** Row `r` comes from record `records[r]` of `raw`; ascending. Several rows may come from one record. */
  readonly records: Int32Array
  readonly deadLetters: readonly DeadLetter[]
  readonly tombstones: number
  readonly filtered: number
  /** Rows beyond one per record that an operator has made; absent if there are none. */
  readonly expanded?: number
  /** Records whose rows represent tombstones; absent if there are none. */
  readonly deleted?: ReadonlySet<number>
  /** Number of fields without a column that were dropped. */
  readonly droppedFields?: number
  /** Their names, so that rows are read again when the table has such a column by the time of the commit. */
  readonly droppedPaths?: readonly DroppedPaths[]
  /** Records that were decoded as objects, by reason; absent if there are none. */
  readonly slow?: Counts['slow']
  /** Exists for the compiler alone; it is never set. */
  readonly rowType?: T | undefined
}

/** Limits the names of dropped fields that are kept. */
const DROPPED_PATHS_MAX = 1_000

/**
 * Collects the names of fields that messages have and columns of one version do not, over all batches with these columns:
 * dotted paths in lower case, at most 1,000. `element` and `value` stand for the contents of arrays and maps.
 */
export class DroppedPaths {
  /** The columns for which the fields were dropped. */
  readonly of: StructType
  readonly #paths = new Set<string>()
  #hasMore = false

  constructor(of: StructType) {
    this.of = of
  }

  get paths(): ReadonlySet<string> {
    return this.#paths
  }

  /** True when further fields were dropped, whose names are not kept. */
  get hasMore(): boolean {
    return this.#hasMore
  }

  /** Adds the path of a field that was dropped. */
  add(path: string): void {
    if (this.#paths.size < DROPPED_PATHS_MAX) this.#paths.add(path)
    else if (!this.#hasMore) this.#hasMore = !this.#paths.has(path)
  }

  /** Adds the names that were collected elsewhere for the same columns. */
  addAll({ paths, hasMore }: Pick<DroppedPaths, 'paths' | 'hasMore'>): void {
    for (const path of paths) this.add(path)
    if (hasMore) this.#hasMore = true
  }
}

/** A `Row` is a row as an object: JSON-like values by field name, nulls included. */
export type Row = Record<string, unknown>

/** Converts the rows to objects, for stages that work on single messages. */
export function objectsOf<T extends object = Row>(rows: Rows<T>): T[] {
  return Array.from({ length: rows.columns.length }, (_, row) => rowAt(rows.columns, row) as T)
}

/** Objects to be appended to columns: object `i` comes from record `records[i]`. */
interface CandidateObjects {
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
  { objects, records }: CandidateObjects,
  deadLetters: DeadLetter[],
): number[] {
  const fitting: number[] = []
  for (let i = 0; i < objects.length; i++) {
    const record = records[i] as number
    const length = builder.length
    // The builder would make both a row of nulls, but in a callback they are mistakes.
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

/** Returns the rows of the columns at `indices`, in that order. */
export function takeRows(columns: Columns, indices: Int32Array): Columns {
  return {
    schema: columns.schema,
    length: indices.length,
    columns: columns.columns.map((column) => takeValues(column, indices)),
  }
}

/** Returns the rows at `kept`, ascending, and everything else unchanged. */
export function selectRows<T extends object>(rows: Rows<T>, kept: Int32Array): Rows<T> {
  return {
    ...rows,
    columns: takeRows(rows.columns, kept),
    records: kept.map((row) => rows.records[row] as number),
  }
}

/** Moves the rows that are `refused`, by row number and with their message, to the dead letters of the batch. */
export function rejectRows<T extends object>(
  rows: Rows<T>,
  refused: ReadonlyMap<number, string>,
  reason: DeadLetterReason,
): Rows<T> {
  if (refused.size === 0) return rows
  const { raw, columns, records } = rows
  const letters = [...refused].map(([row, message]) =>
    deadLetterOf(raw, records[row] as number, reason, message),
  )
  const kept = new Int32Array(columns.length - refused.size)
  let at = 0
  for (let row = 0; row < columns.length; row++) if (!refused.has(row)) kept[at++] = row
  return { ...selectRows(rows, kept), deadLetters: [...rows.deadLetters, ...letters] }
}

/** Merges two sets of rows of one batch, ordered by record, in the columns of the second set if both have rows. */
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
  const columns = schema.fields.map((field) =>
    takeValues(
      gather(
        field.type,
        [a, b].map((side) => pickByName(side.columns, field, { start: 0, end: side.columns.length })),
      ),
      order,
    ),
  )
  return {
    columns: { schema, length: joined.length, columns },
    records: order.map((i) => joined[i] as number),
  }
}

/** Returns an empty set of rows of this schema. */
export function emptyRows(schema: StructType): { columns: Columns; records: Int32Array } {
  return { columns: new StructBuilder(schema).finishColumns(), records: new Int32Array(0) }
}
