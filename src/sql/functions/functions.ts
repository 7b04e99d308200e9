import { floorDivide } from '../../arrow/time.ts'
import { argumentAt, requireArgumentCount, type SqlFunction } from './arguments.ts'
import { absoluteTerm, arithmeticTerm, negateTerm, type ArithmeticOperator } from './arithmetic.ts'
import type { SqlType, SqlValue } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { comparisonTerm, inTerm, comparatorOf } from './compare.ts'
import { SqlError } from '../expression/error.ts'
import { SQL_TEXT_FUNCTIONS } from './text.ts'
import { SQL_TIME_FUNCTIONS } from './time.ts'
import { createLikeFunction, rlikeFunction } from './like.ts'
import { andOrTerm, caseTerm, coalesceTerm, isNullTerm, notTerm, castAllToCommonType } from './logic.ts'
import { rescaleDecimal } from '../expression/numbers.ts'
import { constantTerm, termOf, unaryTerm, type NonNullValue, type Term } from '../expression/term.ts'
import {
  boundedDecimal,
  digitsOf,
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  formatSqlType,
} from '../expression/types.ts'

function binaryFunction(make: (left: Term, right: Term, name: string) => Term): SqlFunction {
  return (args, name) => {
    requireArgumentCount(args, name, 2)
    return make(argumentAt(args, 0), argumentAt(args, 1), name)
  }
}

function unaryFunction(make: (arg: Term, name: string) => Term): SqlFunction {
  return (args, name) => make(argumentAt(requireArgumentCount(args, name, 1), 0), name)
}

const comparisonFunction: SqlFunction = binaryFunction((left, right, name) =>
  comparisonTerm(name, left, right),
)
const arithmeticFunction: SqlFunction = binaryFunction((left, right, name) =>
  arithmeticTerm(name as ArithmeticOperator, left, right),
)

/** Returns the function for the least or greatest value that is not null. */
function extremeFunction(sign: 1 | -1): SqlFunction {
  return (args, name) => {
    const { type, terms } = castAllToCommonType(requireArgumentCount(args, name, 2, 1000), name)
    const order = comparatorOf(type) as (a: NonNullValue, b: NonNullValue) => number
    return termOf(type, terms, (getters) => (row) => {
      let best: SqlValue = null
      for (const get of getters) {
        const value = get(row)
        if (value !== null && (best === null || sign * order(value, best) > 0)) best = value
      }
      return best
    })
  }
}

/** The function `pmod`: the remainder, which is not negative for a positive divisor. */
const pmod: SqlFunction = binaryFunction((left, right) => {
  const rest = arithmeticTerm('%', left, right)
  const add = arithmeticTerm('%', arithmeticTerm('+', rest, right), right)
  if (isDecimal(rest.type)) throw new SqlError('PMOD of decimals is not supported')
  return caseTerm([{ when: comparisonTerm('<', rest, ZERO), then: castTerm(add, rest.type) }], rest)
})
const ZERO = constantTerm('integer', 0, true)

function roundingFunction(
  name: string,
  round: (value: bigint, unit: bigint) => bigint,
  whole: (n: number) => number,
): SqlFunction {
  return unaryFunction((arg) => {
    if (isInteger(arg.type)) return castTerm(arg, 'long')
    if (arg.type === 'double' || arg.type === 'float')
      return unaryTerm('long', castTerm(arg, 'double'), (value: number) => saturateToLong(whole(value)))
    const { precision, scale } = decimalDigits(arg.type, name)
    const unit = 10n ** BigInt(scale)
    return unaryTerm(boundedDecimal(precision - scale + 1, 0), arg, (value: bigint) => round(value, unit))
  })
}

/** Converts a double without fraction to a long, saturating at its limits like Java. */
function saturateToLong(value: number): bigint {
  if (Number.isNaN(value)) return 0n
  if (value >= 2 ** 63) return 2n ** 63n - 1n
  return value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(value)
}

function decimalDigits(type: SqlType, name: string): { precision: number; scale: number } {
  if (!isDecimal(type)) throw new SqlError(`${name} of a ${formatSqlType(type)} is not supported`)
  return digitsOf(type)
}

/**
 * The function `round` for decimals and integers, half up. For doubles Spark rounds their Java text, which is
 * not supported.
 */
const round: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 1, 2)
  const arg = argumentAt(args, 0)
  const places = args.length === 1 ? 0 : argumentAt(args, 1).constant?.value
  if (typeof places !== 'number' || places < 0)
    throw new SqlError(`${name} to a number of places that is not a constant of at least 0 is not supported`)
  if (isInteger(arg.type)) return arg
  const { precision, scale } = decimalDigits(arg.type, name)
  const kept = Math.min(scale, places)
  const type = boundedDecimal(precision - scale + kept + 1, kept)
  const digits = digitsOf(type)
  return unaryTerm(type, arg, (value: bigint) => rescaleDecimal(value, scale, digits.precision, digits.scale))
}

/** The function `size`: the number of elements of an array or entries of a map; null for null, as in ANSI mode. */
const size: SqlFunction = unaryFunction((arg, name) => {
  if (typeof arg.type === 'string' || arg.type.type === 'struct')
    throw new SqlError(`${name} of a ${formatSqlType(arg.type)} is not supported`)
  return unaryTerm('integer', arg, (count: number) => count)
})

function bitwiseFunction(operator: '&' | '|' | '^'): SqlFunction {
  return binaryFunction((left, right) => {
    const { type, terms } = castAllToCommonType([left, right], operator)
    if (!isInteger(type)) throw new SqlError(`${operator} of a ${formatSqlType(type)} is not supported`)
    const [a, b] = terms as readonly [Term, Term]
    return termOf(type, [a, b], ([getA, getB]) => (row) => {
      const x = getA?.(row) ?? null
      const y = x === null ? null : (getB?.(row) ?? null)
      return x === null || y === null ? null : combineBits(operator, x as number, y as number)
    })
  })
}

/** Both operands are numbers or both are bigints; the operators are the same for either. */
function combineBits(operator: '&' | '|' | '^', x: number, y: number): number {
  return operator === '&' ? x & y : operator === '|' ? x | y : x ^ y
}

/** Returns the number unchanged. */
function positiveTerm(term: Term): Term {
  if (term.type !== 'void' && !isNumeric(term.type))
    throw new SqlError(`+ of a ${formatSqlType(term.type)} is not supported`)
  return term
}

/** Returns a term with every bit inverted. */
function invertTerm(term: Term): Term {
  if (!isInteger(term.type)) throw new SqlError(`~ of a ${formatSqlType(term.type)} is not supported`)
  return unaryTerm(term.type, term, (value: number) => ~value)
}

function castFunctionTo(type: SqlType): SqlFunction {
  return unaryFunction((arg) => castTerm(arg, type))
}

/** Maps every supported function and operator, by its name in capitals or its symbol. */
export const SQL_FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(
  Object.entries<SqlFunction>({
    ...SQL_TEXT_FUNCTIONS,
    ...SQL_TIME_FUNCTIONS,
    '=': comparisonFunction,
    '<>': comparisonFunction,
    '<': comparisonFunction,
    '<=': comparisonFunction,
    '>': comparisonFunction,
    '>=': comparisonFunction,
    '<=>': comparisonFunction,
    '+': arithmeticFunction,
    '-': arithmeticFunction,
    '*': arithmeticFunction,
    '/': arithmeticFunction,
    '%': arithmeticFunction,
    MOD: binaryFunction((left, right) => arithmeticTerm('%', left, right)),
    DIV: arithmeticFunction,
    '&': bitwiseFunction('&'),
    '|': bitwiseFunction('|'),
    '^': bitwiseFunction('^'),
    NEGATIVE: unaryFunction(negateTerm),
    POSITIVE: unaryFunction(positiveTerm),
    '~': unaryFunction(invertTerm),
    ABS: unaryFunction(absoluteTerm),
    AND: binaryFunction((left, right) => andOrTerm('AND', left, right)),
    OR: binaryFunction((left, right) => andOrTerm('OR', left, right)),
    NOT: unaryFunction(notTerm),
    'IS NULL': unaryFunction(isNullTerm),
    ISNULL: unaryFunction(isNullTerm),
    ISNOTNULL: unaryFunction((arg) => notTerm(isNullTerm(arg))),
    ISNAN: unaryFunction((arg) => {
      if (!isFloating(arg.type)) throw new SqlError(`ISNAN of a ${formatSqlType(arg.type)} is not supported`)
      return coalesceTerm([unaryTerm('boolean', arg, Number.isNaN), constantTerm('boolean', false)])
    }),
    IN: (args) => inTerm(argumentAt(args, 0), args.slice(1)),
    LIKE: createLikeFunction(false),
    ILIKE: createLikeFunction(true),
    RLIKE: rlikeFunction,
    REGEXP: rlikeFunction,
    REGEXP_LIKE: rlikeFunction,
    COALESCE: (args, name) => coalesceTerm(requireArgumentCount(args, name, 1, 1000), name),
    IFNULL: binaryFunction((left, right, name) => coalesceTerm([left, right], name)),
    NVL: binaryFunction((left, right, name) => coalesceTerm([left, right], name)),
    NVL2: (args, name) => {
      requireArgumentCount(args, name, 3)
      return caseTerm(
        [{ when: notTerm(isNullTerm(argumentAt(args, 0))), then: argumentAt(args, 1) }],
        argumentAt(args, 2),
      )
    },
    NULLIF: binaryFunction((left, right) =>
      caseTerm([{ when: comparisonTerm('=', left, right), then: constantTerm(left.type, null) }], left),
    ),
    IF: (args, name) => {
      requireArgumentCount(args, name, 3)
      return caseTerm([{ when: argumentAt(args, 0), then: argumentAt(args, 1) }], argumentAt(args, 2), name)
    },
    SIZE: size,
    CARDINALITY: size,
    GREATEST: extremeFunction(1),
    LEAST: extremeFunction(-1),
    PMOD: pmod,
    FLOOR: roundingFunction('FLOOR', floorDivide, Math.floor),
    CEIL: roundingFunction('CEIL', (value, unit) => -floorDivide(-value, unit), Math.ceil),
    CEILING: roundingFunction('CEILING', (value, unit) => -floorDivide(-value, unit), Math.ceil),
    ROUND: round,
    BOOLEAN: castFunctionTo('boolean'),
    TINYINT: castFunctionTo('byte'),
    SMALLINT: castFunctionTo('short'),
    INT: castFunctionTo('integer'),
    BIGINT: castFunctionTo('long'),
    FLOAT: castFunctionTo('float'),
    DOUBLE: castFunctionTo('double'),
    STRING: castFunctionTo('string'),
    BINARY: castFunctionTo('binary'),
    DECIMAL: castFunctionTo('decimal(10,0)'),
  }),
)
