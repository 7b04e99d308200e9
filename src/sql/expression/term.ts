import type { Columns } from '../../arrow/column.ts'
import type { SqlType, Value } from './ast.ts'
import { SqlError } from './error.ts'

/** What an expression is evaluated over. */
export interface Source {
  readonly columns: Columns
  /** What `current_timestamp` answers, milliseconds since the epoch. */
  readonly nowMs: number
}

/** The value of an expression for a row. Throws `SqlError` where ANSI SQL has none: an overflow, a division by zero, text that is no number. */
export type Getter = (row: number) => Value

/** An expression whose types are known. */
export interface Term {
  readonly type: SqlType
  /** Its value where it is the same for every row. */
  readonly constant: { readonly value: Value } | undefined
  /** Whether it was written as a literal: Spark gives a literal beside a decimal just the digits that it has. */
  readonly literal: boolean
  /** Makes ready for the rows of one source; done once for all of them. */
  bind(source: Source): Getter
}

/** A value that is the same for every row. */
export function constantTerm(type: SqlType, value: Value, literal = false): Term {
  return { type, constant: { value }, literal, bind: () => () => value }
}

const NOWHERE: Source = {
  columns: { schema: { type: 'struct', fields: [] }, length: 0, columns: [] },
  nowMs: 0,
}

/**
 * A term over others. Where all of them are constant it is evaluated at once, unless it fails: then it fails for each
 * row that needs it, as it does in Spark behind a condition.
 */
export function termOf(
  type: SqlType,
  args: readonly Term[],
  combine: (getters: readonly Getter[]) => Getter,
): Term {
  const bind = (source: Source): Getter => combine(args.map((arg) => arg.bind(source)))
  const term: Term = { type, constant: undefined, literal: false, bind }
  if (!args.every((arg) => arg.constant !== undefined)) return term
  try {
    return constantTerm(type, bind(NOWHERE)(0))
  } catch (error) {
    if (error instanceof SqlError) return term
    throw error
  }
}

/** A value that is there. */
export type Present = Exclude<Value, null>

/** A term over one other: null where that is null. */
export function unary(type: SqlType, arg: Term, compute: (value: never) => Value): Term {
  const run = compute as (value: Present) => Value
  return termOf(type, [arg], ([get]) => {
    const value = get as Getter
    return (row) => {
      const present = value(row)
      return present === null ? null : run(present)
    }
  })
}

/** A term over two others: null where one is null; the right one is not evaluated where the left one is null. */
export function binary(
  type: SqlType,
  left: Term,
  right: Term,
  compute: (left: never, right: never) => Value,
): Term {
  const run = compute as (left: Present, right: Present) => Value
  const fixed = right.constant?.value
  if (fixed !== undefined && fixed !== null) return unary(type, left, (a: Present) => run(a, fixed))
  return termOf(type, [left, right], ([getLeft, getRight]) => {
    const l = getLeft as Getter
    const r = getRight as Getter
    return (row) => {
      const a = l(row)
      if (a === null) return null
      const b = r(row)
      return b === null ? null : run(a, b)
    }
  })
}

/** A term over any number of others: null where one is null, evaluated from the left until one is. */
export function strict(
  type: SqlType,
  args: readonly Term[],
  compute: (...values: readonly never[]) => Value,
): Term {
  const run = compute as (...values: readonly Present[]) => Value
  return termOf(type, args, (getters) => (row) => {
    const values: Present[] = []
    for (const get of getters) {
      const value = get(row)
      if (value === null) return null
      values.push(value)
    }
    return run(...values)
  })
}
