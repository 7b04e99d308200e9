import type { SqlType } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import { divideHalfUp, integerOf, rescaled, smallOf } from '../expression/numbers.ts'
import { binary, constantTerm, unary, type Term } from '../expression/term.ts'
import {
  boundedDecimal,
  commonType,
  digitsOf,
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  isTime,
  typeText,
} from '../expression/types.ts'

/** `+`, `-`, `*`, `/`, `%`, and `DIV`: what overflows, and a division by zero, fails the row. */
export type Operator = '+' | '-' | '*' | '/' | '%' | 'DIV'

/**
 * Arithmetic with Spark's result types: integers stay within the wider of both, `/` is of doubles unless one side is a
 * decimal, decimals get the digits that their rules give them.
 * @throws SqlError for sides that are no numbers
 */
export function arithmetic(operator: Operator, left: Term, right: Term): Term {
  if (isTime(left.type) || isTime(right.type)) return dateShift(operator, left, right)
  const [a, b] = numbers(operator, left, right)
  if (a.type === 'void') return constantTerm('void', null)
  if (isDecimal(a.type)) return decimalArithmetic(operator, a, b)
  if (operator === '/') return floating('double', '/', castTerm(a, 'double'), castTerm(b, 'double'))
  if (operator === 'DIV') {
    if (!isInteger(a.type)) throw new SqlError(`${typeText(a.type)} DIV is not supported`)
    return longs('DIV', castTerm(a, 'long'), castTerm(b, 'long'))
  }
  if (isFloating(a.type)) return floating(a.type, operator, a, b)
  return a.type === 'long' ? longs(operator, a, b) : integers(a.type, operator, a, b)
}

/** A date and a number of days; spans between dates and timestamps are no simple values. */
function dateShift(operator: Operator, left: Term, right: Term): Term {
  const [date, days] = right.type === 'date' && operator === '+' ? [right, left] : [left, right]
  const supported = (operator === '+' || operator === '-') && date.type === 'date' && isInteger(days.type)
  if (!supported || days.type === 'long')
    throw new SqlError(`${typeText(left.type)} ${operator} ${typeText(right.type)} is not supported`)
  const sign = operator === '+' ? 1 : -1
  return binary('date', date, days, (day: number, count: number) => smallOf(day + sign * count, 'integer'))
}

/** Both sides as numbers of one type, or both as decimals of their own. */
function numbers(operator: Operator, left: Term, right: Term): readonly [Term, Term] {
  const mixed = commonType(left.type, right.type)
  if (mixed === 'void') return [left, right]
  if (mixed === undefined || !isNumeric(mixed))
    throw new SqlError(`${typeText(left.type)} ${operator} ${typeText(right.type)} is not supported`)
  if (!isDecimal(mixed)) return [castTerm(left, mixed), castTerm(right, mixed)]
  return [asDecimal(left, mixed), asDecimal(right, mixed)]
}

function asDecimal(term: Term, mixed: SqlType): Term {
  if (isDecimal(term.type)) return term
  if (term.type === 'void') return constantTerm(mixed, null)
  const value = term.literal ? term.constant?.value : undefined
  const { precision } = digitsOf(term.type)
  const digits = value === undefined ? precision : String(value).replace('-', '').length
  return castTerm(term, `decimal(${digits},0)`)
}

function integers(type: SqlType, operator: Operator, a: Term, b: Term): Term {
  const name = type as string
  switch (operator) {
    case '+':
      return binary(type, a, b, (x: number, y: number) => smallOf(x + y, name))
    case '-':
      return binary(type, a, b, (x: number, y: number) => smallOf(x - y, name))
    case '*':
      return binary(type, a, b, (x: number, y: number) => {
        const product = x * y
        // A product beyond 2^53 is inexact, but then it is beyond the type as well.
        return smallOf(product + 0, name)
      })
    default:
      return binary(type, a, b, (x: number, y: number) => (x % divisor(y)) + 0)
  }
}

function divisor<T extends number | bigint>(value: T): T {
  if (value == 0) throw new SqlError('division by zero')
  return value
}

function longs(operator: Operator, a: Term, b: Term): Term {
  const of = (value: bigint): number | bigint => integerOf(value, 'long')
  switch (operator) {
    case '+':
      return binary('long', a, b, (x: bigint, y: bigint) => of(x + y))
    case '-':
      return binary('long', a, b, (x: bigint, y: bigint) => of(x - y))
    case '*':
      return binary('long', a, b, (x: bigint, y: bigint) => of(x * y))
    case '%':
      return binary('long', a, b, (x: bigint, y: bigint) => x % divisor(y))
    default:
      return binary('long', a, b, (x: bigint, y: bigint) => of(x / divisor(y)))
  }
}

function floating(type: SqlType, operator: Operator, a: Term, b: Term): Term {
  const of = type === 'float' ? Math.fround : (value: number): number => value
  switch (operator) {
    case '+':
      return binary(type, a, b, (x: number, y: number) => of(x + y))
    case '-':
      return binary(type, a, b, (x: number, y: number) => of(x - y))
    case '*':
      return binary(type, a, b, (x: number, y: number) => of(x * y))
    case '/':
      return binary(type, a, b, (x: number, y: number) => of(x / divisor(y)))
    default:
      return binary(type, a, b, (x: number, y: number) => of(x % divisor(y)))
  }
}

/** A quotient is first rounded to 38 places, then to those of its type, as Spark does. */
const QUOTIENT_SCALE = 38

function decimalArithmetic(operator: Operator, a: Term, b: Term): Term {
  const { precision: p1, scale: s1 } = digitsOf(a.type)
  const { precision: p2, scale: s2 } = digitsOf(b.type)
  const scale = Math.max(s1, s2)
  const whole = Math.max(p1 - s1, p2 - s2)
  const left = 10n ** BigInt(scale - s1)
  const right = 10n ** BigInt(scale - s2)
  switch (operator) {
    case '+':
      return decimals(boundedDecimal(whole + scale + 1, scale), scale, a, b, (x, y) => x * left + y * right)
    case '-':
      return decimals(boundedDecimal(whole + scale + 1, scale), scale, a, b, (x, y) => x * left - y * right)
    case '*':
      return decimals(boundedDecimal(p1 + p2 + 1, s1 + s2), s1 + s2, a, b, (x, y) => x * y)
    case '/': {
      const places = Math.max(6, s1 + p2 + 1)
      const type = boundedDecimal(p1 - s1 + s2 + places, places)
      return decimals(type, QUOTIENT_SCALE, a, b, (x, y) => quotient(x, divisor(y), s1, s2))
    }
    case '%': {
      const type = boundedDecimal(Math.min(p1 - s1, p2 - s2) + scale, scale)
      return decimals(type, scale, a, b, (x, y) => (x * left) % (divisor(y) * right))
    }
    default:
      return binary('long', a, b, (x: bigint, y: bigint) =>
        integerOf((x * left) / (divisor(y) * right), 'long'),
      )
  }
}

function quotient(x: bigint, y: bigint, s1: number, s2: number): bigint {
  const scaled = x * 10n ** BigInt(QUOTIENT_SCALE + s2)
  const by = y * 10n ** BigInt(s1)
  return by < 0n ? divideHalfUp(-scaled, -by) : divideHalfUp(scaled, by)
}

function decimals(
  type: SqlType,
  exactScale: number,
  a: Term,
  b: Term,
  compute: (x: bigint, y: bigint) => bigint,
): Term {
  const { precision, scale } = digitsOf(type)
  return binary(type, a, b, (x: bigint, y: bigint) => rescaled(compute(x, y), exactScale, precision, scale))
}

/** The number with its sign turned. The least of an integer type has no counterpart and fails the row. */
export function negative(term: Term): Term {
  if (term.type === 'void') return term
  if (term.type === 'string') return negative(castTerm(term, 'double'))
  if (!isNumeric(term.type)) throw new SqlError(`- of a ${typeText(term.type)} is not supported`)
  return unary(term.type, term, negated(term.type))
}

/** The number without its sign. */
export function absolute(term: Term): Term {
  if (term.type === 'void') return term
  if (term.type === 'string') return absolute(castTerm(term, 'double'))
  if (!isNumeric(term.type)) throw new SqlError(`ABS of a ${typeText(term.type)} is not supported`)
  const turn = negated(term.type) as (value: number | bigint) => number | bigint
  return unary(term.type, term, (value: number | bigint) =>
    value < 0 ? turn(value) : typeof value === 'number' ? Math.abs(value) : value,
  )
}

function negated(type: SqlType): (value: never) => number | bigint {
  if (isDecimal(type)) return (value: bigint) => -value
  if (type === 'long') return (value: bigint) => integerOf(-value, 'long')
  if (isInteger(type)) return (value: number) => smallOf(0 - value, type as string)
  return (value: number) => -value
}
