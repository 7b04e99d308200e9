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
/** Most digits of a decimal. */
export const DIGITS_MAX = 38

/**
 * A simple type by its name in SQL and what stood in parentheses behind it.
 * @throws SqlError naming a type that is not supported
 */
export function typeNamed(name: string, sizes: readonly number[]): SqlType {
  const upper = name.toUpperCase()
  const simple = sizes.length === 0 ? NAMES[upper] : undefined
  if (simple !== undefined) return simple
  const [precision = 10, scale = 0] = sizes
  if (DECIMALS.has(upper) && sizes.length <= 2 && precision <= DIGITS_MAX && scale <= precision)
    return `decimal(${precision},${scale})`
  throw new SqlError(`the type ${name}${sizes.length === 0 ? '' : `(${sizes.join(', ')})`} is not supported`)
}

/** A type as messages show it. */
export function typeText(type: SqlType): string {
  return typeof type === 'string' ? type : type.type
}

const INTEGERS: readonly SqlType[] = ['byte', 'short', 'integer', 'long']
const INTEGER_DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 20 }

/** Whether values are whole numbers of a fixed width. */
export function isInteger(type: SqlType): boolean {
  return INTEGERS.includes(type)
}

/** Whether values are floating-point numbers. */
export function isFloating(type: SqlType): boolean {
  return type === 'float' || type === 'double'
}

/** Whether values are numbers. */
export function isNumeric(type: SqlType): boolean {
  return isInteger(type) || isFloating(type) || isDecimal(type)
}

/** Whether values are decimals. */
export function isDecimal(type: SqlType): boolean {
  return type !== 'void' && decimalOf(type) !== undefined
}

/** Whether values are dates or timestamps. */
export function isTime(type: SqlType): boolean {
  return type === 'date' || type === 'timestamp' || type === 'timestamp_ntz'
}

/** Precision and scale of a number that is a decimal or may be seen as one. */
export function digitsOf(type: SqlType): { precision: number; scale: number } {
  if (typeof type === 'string' && type in INTEGER_DIGITS)
    return { precision: INTEGER_DIGITS[type] as number, scale: 0 }
  const decimal = type === 'void' ? undefined : decimalOf(type)
  if (decimal === undefined) throw new SqlError(`${typeText(type)} is no decimal`)
  return decimal
}

/** A decimal type as Spark bounds it where the digits do not suffice: places behind the point go first, down to six. */
export function boundedDecimal(precision: number, scale: number): DataType {
  if (precision <= DIGITS_MAX) return `decimal(${precision},${scale})`
  const whole = precision - scale
  return `decimal(${DIGITS_MAX},${Math.max(DIGITS_MAX - whole, Math.min(scale, 6))})`
}

/**
 * The decimal type in which both can be compared. It may have more digits than a decimal: no comparison overflows.
 */
function widerDecimal(a: SqlType, b: SqlType): DataType {
  const left = digitsOf(a)
  const right = digitsOf(b)
  const scale = Math.max(left.scale, right.scale)
  return `decimal(${Math.max(left.precision - left.scale, right.precision - right.scale) + scale},${scale})`
}

/**
 * The type in which two values are compared, or become branches of one expression, by Spark's ANSI rules (the default
 * since Spark 4): a string is read as the other side's type, as long beside any integer, as double beside float, double
 * and decimal; an integer beside a decimal is a decimal, beside a float a double. `undefined` where there is none.
 */
export function commonType(a: SqlType, b: SqlType): SqlType | undefined {
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
