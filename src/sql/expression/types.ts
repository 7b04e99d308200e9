import { decimalOf, type DataType } from '../../core/schema.ts'
import type { SqlType } from './ast.ts'
import { SqlError } from './error.ts'

const NAMES: Readonly<Record<string, SqlType>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'byte',
  BYTE: 'byte',
  SMALLINT: 'short',
  SHORT: 'short',
  INT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'long',
  LONG: 'long',
  FLOAT: 'float',
  REAL: 'float',
  DOUBLE: 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_LTZ: 'timestamp',
  TIMESTAMP_NTZ: 'timestamp_ntz',
  STRING: 'string',
  BINARY: 'binary',
}
const DECIMALS = new Set(['DECIMAL', 'DEC', 'NUMERIC'])
/** Maximum precision of a decimal. */
export const DECIMAL_DIGITS_MAX = 38

/**
 * Parses a primitive type from its SQL name and the numbers in parentheses behind it.
 *
 * @throws SqlError naming a type that is not supported
 */
export function parseTypeName(name: string, sizes: readonly number[]): SqlType {
  const upper = name.toUpperCase()
  const simple = sizes.length === 0 ? NAMES[upper] : undefined
  if (simple !== undefined) return simple
  const [precision = 10, scale = 0] = sizes
  if (DECIMALS.has(upper) && sizes.length <= 2 && precision <= DECIMAL_DIGITS_MAX && scale <= precision)
    return `decimal(${precision},${scale})`
  throw new SqlError(`the type ${name}${sizes.length === 0 ? '' : `(${sizes.join(', ')})`} is not supported`)
}

/** Formats a type for messages. */
export function formatSqlType(type: SqlType): string {
  return typeof type === 'string' ? type : type.type
}

const INTEGERS: readonly SqlType[] = ['byte', 'short', 'integer', 'long']
const INTEGER_DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 20 }

/** Returns whether a type is an integer type. */
export function isInteger(type: SqlType): boolean {
  return INTEGERS.includes(type)
}

/** Returns whether a type is float or double. */
export function isFloating(type: SqlType): boolean {
  return type === 'float' || type === 'double'
}

/** Returns whether a type is numeric. */
export function isNumeric(type: SqlType): boolean {
  return isInteger(type) || isFloating(type) || isDecimal(type)
}

/** Returns whether a type is a decimal. */
export function isDecimal(type: SqlType): boolean {
  return type !== 'void' && decimalOf(type) !== undefined
}

/** Returns whether a type is a date or timestamp. */
export function isTime(type: SqlType): boolean {
  return type === 'date' || type === 'timestamp' || type === 'timestamp_ntz'
}

/** Returns precision and scale of a decimal, or those that an integer type has as a decimal. */
export function digitsOf(type: SqlType): { precision: number; scale: number } {
  if (typeof type === 'string' && type in INTEGER_DIGITS)
    return { precision: INTEGER_DIGITS[type] as number, scale: 0 }
  const decimal = type === 'void' ? undefined : decimalOf(type)
  if (decimal === undefined) throw new SqlError(`${formatSqlType(type)} is not a decimal`)
  return decimal
}

/**
 * Returns a decimal type bounded like in Spark: if the precision exceeds 38 digits, the scale is reduced,
 * down to six digits.
 */
export function boundedDecimal(precision: number, scale: number): DataType {
  if (precision <= DECIMAL_DIGITS_MAX) return `decimal(${precision},${scale})`
  const whole = precision - scale
  return `decimal(${DECIMAL_DIGITS_MAX},${Math.max(DECIMAL_DIGITS_MAX - whole, Math.min(scale, 6))})`
}

/**
 * Returns the decimal type in which two numbers can be compared. It may exceed the maximum precision, so that
 * no comparison overflows.
 */
function widerDecimal(a: SqlType, b: SqlType): DataType {
  const left = digitsOf(a)
  const right = digitsOf(b)
  const scale = Math.max(left.scale, right.scale)
  return `decimal(${Math.max(left.precision - left.scale, right.precision - right.scale) + scale},${scale})`
}

/**
 * Returns the type in which two values are compared or become branches of one expression, by Spark's ANSI
 * rules (the default since Spark 4). A string is cast to the other side's type: long for any integer, double
 * for float, double and decimal. An integer and a decimal are compared as decimals, an integer and a float as
 * doubles. Returns `undefined` if there is no common type.
 */
export function commonTypeOf(a: SqlType, b: SqlType): SqlType | undefined {
  if (a === 'void') return b
  if (b === 'void') return a
  if (typeof a !== 'string' || typeof b !== 'string') return undefined
  if (a === b) return a
  if (isNumeric(a) && isNumeric(b)) return commonNumber(a, b)
  if (isTime(a) && isTime(b)) return a === 'timestamp' || b === 'timestamp' ? 'timestamp' : 'timestamp_ntz'
  if (a !== 'string' && b !== 'string') return undefined
  const other = a === 'string' ? b : a
  if (isInteger(other)) return 'long'
  return isNumeric(other) ? 'double' : other
}

function commonNumber(a: SqlType, b: SqlType): SqlType {
  if (isFloating(a) || isFloating(b)) return 'double'
  if (isDecimal(a) || isDecimal(b)) return widerDecimal(a, b)
  return INTEGERS[Math.max(INTEGERS.indexOf(a), INTEGERS.indexOf(b))] as SqlType
}
