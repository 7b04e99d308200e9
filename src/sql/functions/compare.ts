import type { SqlType, Value } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import { binary, termOf, unary, type Getter, type Present, type Term } from '../expression/term.ts'
import { commonType, isDecimal, isFloating, typeText } from '../expression/types.ts'

/** How two values of one type are ordered: below, at or above zero. */
export type Order = (a: never, b: never) => number

/**
 * The order of a type: text by its UTF-8 bytes, NaN equal to itself and above all other numbers, as in Spark.
 * @throws SqlError for types without one
 */
export function orderOf(type: SqlType): Order {
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
      throw new SqlError(`values of type ${typeText(type)} cannot be compared`)
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

/** Orders text by its code points, which is the order of its UTF-8 bytes; JavaScript's own is by 16-bit units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    // Halves of characters beyond 16 bits stand below U+E000 to U+FFFF, but the characters stand above.
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? ((x + 0x2000) & 0xffff) - ((y + 0x2000) & 0xffff) : x - y
  }
  return a.length - b.length
}

/** Both terms as the type in which they are compared. Throws `SqlError` where there is none. */
export function alignedPair(left: Term, right: Term, operator: string): readonly [Term, Term] {
  const type = commonType(left.type, right.type)
  if (type === undefined)
    throw new SqlError(`${typeText(left.type)} ${operator} ${typeText(right.type)} is not supported`)
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

/** `=`, `<>`, `<`, `<=`, `>` and `>=`: null where a side is; `<=>`: never null, two nulls are equal. */
export function comparison(operator: string, left: Term, right: Term): Term {
  const [a, b] = alignedPair(left, right, operator)
  const order = orderOf(a.type) as (a: Present, b: Present) => number
  if (operator === '<=>') return nullSafeEqual(a, b, order)
  if (a.type === 'string' && (operator === '=' || operator === '<>'))
    return binary('boolean', a, b, (x: string, y: string) => (x === y) === (operator === '='))
  const test = TESTS[operator]
  if (test === undefined) throw new Error(`Broken invariant: no comparison ${operator}`)
  return binary('boolean', a, b, (x, y) => test(order(x, y)))
}

function nullSafeEqual(left: Term, right: Term, order: (a: Present, b: Present) => number): Term {
  return termOf('boolean', [left, right], ([getLeft, getRight]) => {
    const l = getLeft as Getter
    const r = getRight as Getter
    return (row) => {
      const a = l(row)
      const b = r(row)
      return a === null || b === null ? a === b : order(a, b) === 0
    }
  })
}

/** `value IN (…)`: null where the value is, or where it is not found and a null is among the options. */
export function inTerm(value: Term, options: readonly Term[]): Term {
  const type = typesTogether([value, ...options], 'IN')
  const order = orderOf(type) as (a: Present, b: Present) => number
  const cast = options.map((option) => castTerm(option, type))
  const sought = castTerm(value, type)
  if (type === 'string' && cast.every((option) => option.constant !== undefined)) return inTexts(sought, cast)
  return termOf('boolean', [sought, ...cast], ([getValue, ...getOptions]) => {
    const get = getValue as Getter
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

function inTexts(sought: Term, options: readonly Term[]): Term {
  const values = new Set<Value>(options.map((option) => option.constant?.value ?? null))
  const missing = values.has(null) ? null : false
  return unary('boolean', sought, (text: string) => (values.has(text) ? true : missing))
}

/** The type that all terms have together; strings meet first, as in Spark. Throws `SqlError` where there is none. */
export function typesTogether(terms: readonly Term[], where: string): SqlType {
  const types = terms.map((term) => term.type)
  const ordered = [...types.filter((type) => type === 'string'), ...types.filter((type) => type !== 'string')]
  return ordered.reduce<SqlType>((a, b) => {
    const type = commonType(a, b)
    if (type === undefined)
      throw new SqlError(`${typeText(a)} and ${typeText(b)} together in ${where} are not supported`)
    return type
  }, 'void')
}
