import type { SqlType } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import { divideHalfUp, toSqlInteger, rescaleDecimal, toSmallInteger } from '../expression/numbers.ts'
import { binaryTerm, constantTerm, unaryTerm, type Term } from '../expression/term.ts'
import {
  boundedDecimal,
  commonTypeOf,
  digitsOf,
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  isTime,
  formatSqlType,
} from '../expression/types.ts'

/** Names an arithmetic operator. An overflow and a division by zero fail the row. */
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | 'DIV'

/**
 * Returns a term for an arithmetic operation with Spark's result types: integers keep the wider type of both
 * sides, `/` is computed in doubles unless one side is a decimal, decimals get the precision and scale of
 * Spark's rules.
 *
 * @throws SqlError for operands that are not numbers
 */
export function arithmeticTerm(operator: ArithmeticOperator, left: Term, right: Term): Term {
  if (isTime(left.type) || isTime(right.type)) return dateShift(operator, left, right)
  const [a, b] = numbers(operator, left, right)
  if (a.type === 'void') return constantTerm('void', null)
  if (isDecimal(a.type)) return decimalArithmetic(operator, a, b)
  if (operator === '/') return floating('double', '/', castTerm(a, 'double'), castTerm(b, 'double'))
  if (operator === 'DIV') {
    if (!isInteger(a.type)) throw new SqlError(`${formatSqlType(a.type)} DIV is not supported`)
    return longs('DIV', castTerm(a, 'long'), castTerm(b, 'long'))
  }
  if (isFloating(a.type)) return floating(a.type, operator, a, b)
  return a.type === 'long' ? longs(operator, a, b) : integers(a.type, operator, a, b)
}

/** Adds days to a date. Differences between dates and timestamps are intervals, which are not supported. */
function dateShift(operator: ArithmeticOperator, left: Term, right: Term): Term {
  const [date, days] = right.type === 'date' && operator === '+' ? [right, left] : [left, right]
  const supported = (operator === '+' || operator === '-') && date.type === 'date' && isInteger(days.type)
  if (!supported || days.type === 'long')
    throw new SqlError(
      `${formatSqlType(left.type)} ${operator} ${formatSqlType(right.type)} is not supported`,
    )
  const sign = operator === '+' ? 1 : -1
  return binaryTerm('date', date, days, (day: number, count: number) =>
    toSmallInteger(day + sign * count, 'integer'),
  )
}

/** Casts both sides to one numeric type, or each to a decimal of its own. */
function numbers(operator: ArithmeticOperator, left: Term, right: Term): readonly [Term, Term] {
  const mixed = commonTypeOf(left.type, right.type)
  if (mixed === 'void') return [left, right]
  if (mixed === undefined || !isNumeric(mixed))
    throw new SqlError(
      `${formatSqlType(left.type)} ${operator} ${formatSqlType(right.type)} is not supported`,
    )
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

function integers(type: SqlType, operator: ArithmeticOperator, a: Term, b: Term): Term {
  const name = type as string
  switch (operator) {
    case '+':
      return binaryTerm(type, a, b, (x: number, y: number) => toSmallInteger(x + y, name))
    case '-':
      return binaryTerm(type, a, b, (x: number, y: number) => toSmallInteger(x - y, name))
    case '*':
      return binaryTerm(type, a, b, (x: number, y: number) => {
        const product = x * y
        // A product beyond 2^53 is inexact, but it is out of range for the type anyway.
        return toSmallInteger(product + 0, name)
      })
    default:
      return binaryTerm(type, a, b, (x: number, y: number) => (x % divisor(y)) + 0)
  }
}

function divisor<T extends number | bigint>(value: T): T {
  if (value == 0) throw new SqlError('division by zero')
  return value
}

function longs(operator: ArithmeticOperator, a: Term, b: Term): Term {
  const of = (value: bigint): number | bigint => toSqlInteger(value, 'long')
  switch (operator) {
    case '+':
      return binaryTerm('long', a, b, (x: bigint, y: bigint) => of(x + y))
    case '-':
      return binaryTerm('long', a, b, (x: bigint, y: bigint) => of(x - y))
    case '*':
      return binaryTerm('long', a, b, (x: bigint, y: bigint) => of(x * y))
    case '%':
      return binaryTerm('long', a, b, (x: bigint, y: bigint) => x % divisor(y))
    default:
      return binaryTerm('long', a, b, (x: bigint, y: bigint) => of(x / divisor(y)))
  }
}

function floating(type: SqlType, operator: ArithmeticOperator, a: Term, b: Term): Term {
  const of = type === 'float' ? Math.fround : (value: number): number => value
  switch (operator) {
    case '+':
      return binaryTerm(type, a, b, (x: number, y: number) => of(x + y))
    case '-':
      return binaryTerm(type, a, b, (x: number, y: number) => of(x - y))
    case '*':
      return binaryTerm(type, a, b, (x: number, y: number) => of(x * y))
    case '/':
      return binaryTerm(type, a, b, (x: number, y: number) => of(x / divisor(y)))
    default:
      return binaryTerm(type, a, b, (x: number, y: number) => of(x % divisor(y)))
  }
}

/** Scale that a quotient is rounded to first, before it is rounded to the scale of its type, like in Spark. */
const QUOTIENT_SCALE = 38

function decimalArithmetic(operator: ArithmeticOperator, a: Term, b: Term): Term {
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
      return binaryTerm('long', a, b, (x: bigint, y: bigint) =>
        toSqlInteger((x * left) / (divisor(y) * right), 'long'),
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
  return binaryTerm(type, a, b, (x: bigint, y: bigint) =>
    rescaleDecimal(compute(x, y), exactScale, precision, scale),
  )
}

/** Returns a term for the negated number. The minimum of an integer type cannot be negated and fails the row. */
export function negateTerm(term: Term): Term {
  if (term.type === 'void') return term
  if (term.type === 'string') return negateTerm(castTerm(term, 'double'))
  if (!isNumeric(term.type)) throw new SqlError(`- of a ${formatSqlType(term.type)} is not supported`)
  return unaryTerm(term.type, term, negated(term.type))
}

/** Returns a term for the absolute value of a number. */
export function absoluteTerm(term: Term): Term {
  if (term.type === 'void') return term
  if (term.type === 'string') return absoluteTerm(castTerm(term, 'double'))
  if (!isNumeric(term.type)) throw new SqlError(`ABS of a ${formatSqlType(term.type)} is not supported`)
  const turn = negated(term.type) as (value: number | bigint) => number | bigint
  return unaryTerm(term.type, term, (value: number | bigint) =>
    value < 0 ? turn(value) : typeof value === 'number' ? Math.abs(value) : value,
  )
}

function negated(type: SqlType): (value: never) => number | bigint {
  if (isDecimal(type)) return (value: bigint) => -value
  if (type === 'long') return (value: bigint) => toSqlInteger(-value, 'long')
  if (isInteger(type)) return (value: number) => toSmallInteger(0 - value, type as string)
  return (value: number) => -value
}
