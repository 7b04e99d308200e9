import { argument, counted, type SqlFunction } from './arguments.ts'
import { absolute, arithmetic, negative, type Operator } from './arithmetic.ts'
import type { SqlType, Value } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { comparison, inTerm, orderOf } from './compare.ts'
import { SqlError } from '../expression/error.ts'
import { TEXT_FUNCTIONS } from './text.ts'
import { TIME_FUNCTIONS } from './time.ts'
import { like, rlike } from './like.ts'
import { andOr, caseTerm, coalesce, isNullTerm, not, together } from './logic.ts'
import { rescaled } from '../expression/numbers.ts'
import { constantTerm, termOf, unary, type Present, type Term } from '../expression/term.ts'
import {
  boundedDecimal,
  digitsOf,
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  typeText,
} from '../expression/types.ts'

function two(make: (left: Term, right: Term, name: string) => Term): SqlFunction {
  return (args, name) => {
    counted(args, name, 2)
    return make(argument(args, 0), argument(args, 1), name)
  }
}

function one(make: (arg: Term, name: string) => Term): SqlFunction {
  return (args, name) => make(argument(counted(args, name, 1), 0), name)
}

const comparing: SqlFunction = two((left, right, name) => comparison(name, left, right))
const calculating: SqlFunction = two((left, right, name) => arithmetic(name as Operator, left, right))

/** The least or greatest that is not null. */
function extreme(sign: 1 | -1): SqlFunction {
  return (args, name) => {
    const { type, terms } = together(counted(args, name, 2, 1000), name)
    const order = orderOf(type) as (a: Present, b: Present) => number
    return termOf(type, terms, (getters) => (row) => {
      let best: Value = null
      for (const get of getters) {
        const value = get(row)
        if (value !== null && (best === null || sign * order(value, best) > 0)) best = value
      }
      return best
    })
  }
}

/** `pmod`: the remainder, never negative beside a positive divisor. */
const pmod: SqlFunction = two((left, right) => {
  const rest = arithmetic('%', left, right)
  const add = arithmetic('%', arithmetic('+', rest, right), right)
  if (isDecimal(rest.type)) throw new SqlError('PMOD of decimals is not supported')
  return caseTerm([{ when: comparison('<', rest, ZERO), then: castTerm(add, rest.type) }], rest)
})
const ZERO = constantTerm('integer', 0, true)

function rounding(
  name: string,
  round: (value: bigint, unit: bigint) => bigint,
  whole: (n: number) => number,
): SqlFunction {
  return one((arg) => {
    if (isInteger(arg.type)) return castTerm(arg, 'long')
    if (arg.type === 'double' || arg.type === 'float')
      return unary('long', castTerm(arg, 'double'), (value: number) => saturated(whole(value)))
    const { precision, scale } = decimalDigits(arg.type, name)
    const unit = 10n ** BigInt(scale)
    return unary(boundedDecimal(precision - scale + 1, 0), arg, (value: bigint) => round(value, unit))
  })
}

/** A double without fraction as a long: what is beyond one becomes the nearest, as in Java. */
function saturated(value: number): bigint {
  if (Number.isNaN(value)) return 0n
  if (value >= 2 ** 63) return 2n ** 63n - 1n
  return value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(value)
}

function decimalDigits(type: SqlType, name: string): { precision: number; scale: number } {
  if (!isDecimal(type)) throw new SqlError(`${name} of a ${typeText(type)} is not supported`)
  return digitsOf(type)
}

const floorOf = (value: bigint, unit: bigint): bigint => {
  const quotient = value / unit
  return value < 0n && quotient * unit !== value ? quotient - 1n : quotient
}

/** `round` of decimals and integers, half up; a double's is by its text in Java and not supported. */
const round: SqlFunction = (args, name) => {
  counted(args, name, 1, 2)
  const arg = argument(args, 0)
  const places = args.length === 1 ? 0 : argument(args, 1).constant?.value
  if (typeof places !== 'number' || places < 0)
    throw new SqlError(`${name} to places that are no constant from 0 on is not supported`)
  if (isInteger(arg.type)) return arg
  const { precision, scale } = decimalDigits(arg.type, name)
  const kept = Math.min(scale, places)
  const type = boundedDecimal(precision - scale + kept + 1, kept)
  const digits = digitsOf(type)
  return unary(type, arg, (value: bigint) => rescaled(value, scale, digits.precision, digits.scale))
}

/** How many elements an array or entries a map has; of null it is null, as ANSI mode has it. */
const size: SqlFunction = one((arg, name) => {
  if (typeof arg.type === 'string' || arg.type.type === 'struct')
    throw new SqlError(`${name} of a ${typeText(arg.type)} is not supported`)
  return unary('integer', arg, (count: number) => count)
})

function bits(operator: '&' | '|' | '^'): SqlFunction {
  return two((left, right) => {
    const { type, terms } = together([left, right], operator)
    if (!isInteger(type)) throw new SqlError(`${operator} of a ${typeText(type)} is not supported`)
    const [a, b] = terms as readonly [Term, Term]
    return termOf(type, [a, b], ([getA, getB]) => (row) => {
      const x = getA?.(row) ?? null
      const y = x === null ? null : (getB?.(row) ?? null)
      return x === null || y === null ? null : combineBits(operator, x as number, y as number)
    })
  })
}

/** Both are numbers or both are bigints: the operators are the same for either. */
function combineBits(operator: '&' | '|' | '^', x: number, y: number): number {
  return operator === '&' ? x & y : operator === '|' ? x | y : x ^ y
}

/** A number as it is. */
function positive(term: Term): Term {
  if (term.type !== 'void' && !isNumeric(term.type))
    throw new SqlError(`+ of a ${typeText(term.type)} is not supported`)
  return term
}

/** Every bit turned. */
function invert(term: Term): Term {
  if (!isInteger(term.type)) throw new SqlError(`~ of a ${typeText(term.type)} is not supported`)
  return unary(term.type, term, (value: number) => ~value)
}

function castingTo(type: SqlType): SqlFunction {
  return one((arg) => castTerm(arg, type))
}

/** Every function and operator that there is, by its name in capitals or its sign. */
export const FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(
  Object.entries<SqlFunction>({
    ...TEXT_FUNCTIONS,
    ...TIME_FUNCTIONS,
    '=': comparing,
    '<>': comparing,
    '<': comparing,
    '<=': comparing,
    '>': comparing,
    '>=': comparing,
    '<=>': comparing,
    '+': calculating,
    '-': calculating,
    '*': calculating,
    '/': calculating,
    '%': calculating,
    MOD: two((left, right) => arithmetic('%', left, right)),
    DIV: calculating,
    '&': bits('&'),
    '|': bits('|'),
    '^': bits('^'),
    NEGATIVE: one(negative),
    POSITIVE: one(positive),
    '~': one(invert),
    ABS: one(absolute),
    AND: two((left, right) => andOr('AND', left, right)),
    OR: two((left, right) => andOr('OR', left, right)),
    NOT: one(not),
    'IS NULL': one(isNullTerm),
    ISNULL: one(isNullTerm),
    ISNOTNULL: one((arg) => not(isNullTerm(arg))),
    ISNAN: one((arg) => {
      if (!isFloating(arg.type)) throw new SqlError(`ISNAN of a ${typeText(arg.type)} is not supported`)
      return coalesce([unary('boolean', arg, Number.isNaN), constantTerm('boolean', false)])
    }),
    IN: (args) => inTerm(argument(args, 0), args.slice(1)),
    LIKE: like(false),
    ILIKE: like(true),
    RLIKE: rlike,
    REGEXP: rlike,
    REGEXP_LIKE: rlike,
    COALESCE: (args, name) => coalesce(counted(args, name, 1, 1000), name),
    IFNULL: two((left, right, name) => coalesce([left, right], name)),
    NVL: two((left, right, name) => coalesce([left, right], name)),
    NVL2: (args, name) => {
      counted(args, name, 3)
      return caseTerm(
        [{ when: not(isNullTerm(argument(args, 0))), then: argument(args, 1) }],
        argument(args, 2),
      )
    },
    NULLIF: two((left, right) =>
      caseTerm([{ when: comparison('=', left, right), then: constantTerm(left.type, null) }], left),
    ),
    IF: (args, name) => {
      counted(args, name, 3)
      return caseTerm([{ when: argument(args, 0), then: argument(args, 1) }], argument(args, 2), name)
    },
    SIZE: size,
    CARDINALITY: size,
    GREATEST: extreme(1),
    LEAST: extreme(-1),
    PMOD: pmod,
    FLOOR: rounding('FLOOR', floorOf, Math.floor),
    CEIL: rounding('CEIL', (value, unit) => -floorOf(-value, unit), Math.ceil),
    CEILING: rounding('CEILING', (value, unit) => -floorOf(-value, unit), Math.ceil),
    ROUND: round,
    BOOLEAN: castingTo('boolean'),
    TINYINT: castingTo('byte'),
    SMALLINT: castingTo('short'),
    INT: castingTo('integer'),
    BIGINT: castingTo('long'),
    FLOAT: castingTo('float'),
    DOUBLE: castingTo('double'),
    STRING: castingTo('string'),
    BINARY: castingTo('binary'),
    DECIMAL: castingTo('decimal(10,0)'),
  }),
)
