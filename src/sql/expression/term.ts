import type { Columns } from '../../arrow/column.ts'
import type { SqlType, SqlValue } from './ast.ts'
import { SqlError } from './error.ts'

/** Holds the rows that an expression is evaluated over. */
export interface EvaluationInput {
  readonly columns: Columns
  /** Value of `current_timestamp`, in milliseconds since the epoch. */
  readonly nowMs: number
}

/**
 * Evaluates an expression for a row.
 *
 * @throws SqlError where ANSI SQL has no value: an overflow, a division by zero, text that is not a number
 */
export type RowEvaluator = (row: number) => SqlValue

/** A `Term` is a type-checked expression that can be bound to rows and evaluated. */
export interface Term {
  readonly type: SqlType
  /** Value of the expression if it is the same for every row. */
  readonly constant: { readonly value: SqlValue } | undefined
  /** True if it was written as a literal: next to a decimal, Spark gives a literal only the digits that it has. */
  readonly literal: boolean
  /** Prepares the evaluation over the rows of one input; called once for all rows. */
  bind(source: EvaluationInput): RowEvaluator
}

/** Returns a term with the same value for every row. */
export function constantTerm(type: SqlType, value: SqlValue, literal = false): Term {
  return { type, constant: { value }, literal, bind: () => () => value }
}

const NO_ROWS: EvaluationInput = {
  columns: { schema: { type: 'struct', fields: [] }, length: 0, columns: [] },
  nowMs: 0,
}

/**
 * Returns a term over others. If all of them are constant it is evaluated immediately. If that fails, the
 * evaluation is left to the rows that need the value, like in Spark behind a condition.
 */
export function termOf(
  type: SqlType,
  args: readonly Term[],
  combine: (getters: readonly RowEvaluator[]) => RowEvaluator,
): Term {
  const bind = (source: EvaluationInput): RowEvaluator => combine(args.map((arg) => arg.bind(source)))
  const term: Term = { type, constant: undefined, literal: false, bind }
  if (!args.every((arg) => arg.constant !== undefined)) return term
  try {
    return constantTerm(type, bind(NO_ROWS)(0))
  } catch (error) {
    if (error instanceof SqlError) return term
    throw error
  }
}

/** Excludes null from the values. */
export type NonNullValue = Exclude<SqlValue, null>

/** Returns a term over one other; null if that is null. */
export function unaryTerm(type: SqlType, arg: Term, compute: (value: never) => SqlValue): Term {
  const run = compute as (value: NonNullValue) => SqlValue
  return termOf(type, [arg], ([get]) => {
    const value = get as RowEvaluator
    return (row) => {
      const present = value(row)
      return present === null ? null : run(present)
    }
  })
}

/** Returns a term over two others; null if one is null. The right one is not evaluated if the left one is null. */
export function binaryTerm(
  type: SqlType,
  left: Term,
  right: Term,
  compute: (left: never, right: never) => SqlValue,
): Term {
  const run = compute as (left: NonNullValue, right: NonNullValue) => SqlValue
  const fixed = right.constant?.value
  if (fixed !== undefined && fixed !== null) return unaryTerm(type, left, (a: NonNullValue) => run(a, fixed))
  return termOf(type, [left, right], ([getLeft, getRight]) => {
    const l = getLeft as RowEvaluator
    const r = getRight as RowEvaluator
    return (row) => {
      const a = l(row)
      if (a === null) return null
      const b = r(row)
      return b === null ? null : run(a, b)
    }
  })
}

/**
 * Returns a term over any number of others; null if one is null. They are evaluated from the left until one
 * is null.
 */
export function strictTerm(
  type: SqlType,
  args: readonly Term[],
  compute: (...values: readonly never[]) => SqlValue,
): Term {
  const run = compute as (...values: readonly NonNullValue[]) => SqlValue
  return termOf(type, args, (getters) => (row) => {
    const values: NonNullValue[] = []
    for (const get of getters) {
      const value = get(row)
      if (value === null) return null
      values.push(value)
    }
    return run(...values)
  })
}
