import type { SqlType, SqlValue } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import {
  binaryTerm,
  termOf,
  unaryTerm,
  type RowEvaluator,
  type NonNullValue,
  type Term,
} from '../expression/term.ts'
import { commonTypeOf, isDecimal, isFloating, formatSqlType } from '../expression/types.ts'

/** Compares two values of one type; returns a number below, equal to or above zero. */
type ValueComparator = (a: never, b: never) => number

/**
 * Returns the comparator of a type: text is ordered by its UTF-8 bytes, NaN equals itself and is above all
 * other numbers, like in Spark.
 *
 * @throws SqlError for types without an order
 */
export function comparatorOf(type: SqlType): ValueComparator {
  if (isFloating(type)) return compareFloating
  if (isDecimal(type)) return compareSimple
  switch (type) {
    case 'string':
      return compareText
    case 'binary':
      return (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b)
    case 'void':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'date':
    case 'timestamp':
    case 'timestamp_ntz':
      return compareSimple
    default:
      throw new SqlError(`values of type ${formatSqlType(type)} cannot be compared`)
  }
}

function compareSimple(a: number | bigint | boolean, b: number | bigint | boolean): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareFloating(a: number, b: number): number {
  if (a === b) return 0
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  return Number.isNaN(b) || a < b ? -1 : 1
}

/** Compares text by code points, which is the order of its UTF-8 bytes; JavaScript compares by 16-bit units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    // Surrogates sort below U+E000 to U+FFFF as 16-bit units, but the characters that they encode sort above.
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? ((x + 0x2000) & 0xffff) - ((y + 0x2000) & 0xffff) : x - y
  }
  return a.length - b.length
}

/**
 * Casts both terms to the type in which they are compared.
 *
 * @throws SqlError if there is no common type
 */
function castToCommonType(left: Term, right: Term, operator: string): readonly [Term, Term] {
  const type = commonTypeOf(left.type, right.type)
  if (type === undefined)
    throw new SqlError(
      `${formatSqlType(left.type)} ${operator} ${formatSqlType(right.type)} is not supported`,
    )
  return [castTerm(left, type), castTerm(right, type)]
}

const TESTS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

/**
 * Returns a term for a comparison. `=`, `<>`, `<`, `<=`, `>` and `>=` are null if a side is null; `<=>` is
 * never null and treats two nulls as equal.
 */
export function comparisonTerm(operator: string, left: Term, right: Term): Term {
  const [a, b] = castToCommonType(left, right, operator)
  const order = comparatorOf(a.type) as (a: NonNullValue, b: NonNullValue) => number
  if (operator === '<=>') return nullSafeEqual(a, b, order)
  if (a.type === 'string' && (operator === '=' || operator === '<>'))
    return binaryTerm('boolean', a, b, (x: string, y: string) => (x === y) === (operator === '='))
  const test = TESTS[operator]
  if (test === undefined) throw new Error(`Broken invariant: no comparison ${operator}`)
  return binaryTerm('boolean', a, b, (x, y) => test(order(x, y)))
}

function nullSafeEqual(left: Term, right: Term, order: (a: NonNullValue, b: NonNullValue) => number): Term {
  return termOf('boolean', [left, right], ([getLeft, getRight]) => {
    const l = getLeft as RowEvaluator
    const r = getRight as RowEvaluator
    return (row) => {
      const a = l(row)
      const b = r(row)
      return a === null || b === null ? a === b : order(a, b) === 0
    }
  })
}

/** Returns a term for `value IN (…)`. It is null if the value is null, or if it is not found and an option is null. */
export function inTerm(value: Term, options: readonly Term[]): Term {
  const type = commonTypeOfTerms([value, ...options], 'IN')
  const order = comparatorOf(type) as (a: NonNullValue, b: NonNullValue) => number
  const cast = options.map((option) => castTerm(option, type))
  const sought = castTerm(value, type)
  if (type === 'string' && cast.every((option) => option.constant !== undefined))
    return inConstantTextsTerm(sought, cast)
  return termOf('boolean', [sought, ...cast], ([getValue, ...getOptions]) => {
    const get = getValue as RowEvaluator
    return (row) => {
      const a = get(row)
      if (a === null) return null
      let unknown = false
      for (const option of getOptions) {
        const b = option(row)
        if (b === null) unknown = true
        else if (order(a, b) === 0) return true
      }
      return unknown ? null : false
    }
  })
}

function inConstantTextsTerm(sought: Term, options: readonly Term[]): Term {
  const values = new Set<SqlValue>(options.map((option) => option.constant?.value ?? null))
  const missing = values.has(null) ? null : false
  return unaryTerm('boolean', sought, (text: string) => (values.has(text) ? true : missing))
}

/**
 * Returns the common type of all terms; strings are combined first, like in Spark.
 *
 * @throws SqlError if there is no common type
 */
export function commonTypeOfTerms(terms: readonly Term[], where: string): SqlType {
  const types = terms.map((term) => term.type)
  const ordered = [...types.filter((type) => type === 'string'), ...types.filter((type) => type !== 'string')]
  return ordered.reduce<SqlType>((a, b) => {
    const type = commonTypeOf(a, b)
    if (type === undefined)
      throw new SqlError(`${formatSqlType(a)} and ${formatSqlType(b)} together in ${where} are not supported`)
    return type
  }, 'void')
}
