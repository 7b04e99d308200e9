import { isUtf8 } from 'node:buffer'
import { DAY_MICROS, floorDivide } from '../../arrow/time.ts'
import { decimalText } from '../../arrow/decimal.ts'
import type { SqlType, SqlValue } from './ast.ts'
import {
  formatSqlDate,
  splitMicros,
  parseSqlDate,
  parseSqlTimestamp,
  formatSqlTimestamp,
  trimBlanks,
} from './cast-time.ts'
import { SqlError } from './error.ts'
import { decimalToDouble, toSqlInteger, rescaleDecimal, toSmallInteger } from './numbers.ts'
import { unaryTerm, constantTerm, type NonNullValue, type Term } from './term.ts'
import { digitsOf, isDecimal, isFloating, isInteger, isNumeric, isTime, formatSqlType } from './types.ts'

/**
 * Returns a term cast to another type by Spark's ANSI rules: a value that does not fit fails the row.
 * Timestamps are read and written in UTC.
 *
 * @throws SqlError naming a cast that is not supported, such as double to string, whose format is Java's own,
 * or nested types
 */
export function castTerm(term: Term, type: SqlType): Term {
  if (isSameType(term.type, type)) return term
  if (term.type === 'void') return constantTerm(type, null)
  return unaryTerm(type, term, castFunctionOf(term.type, type))
}

/** Returns whether two types are the same. Nested types are never considered the same. */
export function isSameType(a: SqlType, b: SqlType): boolean {
  return typeof a === 'string' && typeof b === 'string' && a.replaceAll(' ', '') === b.replaceAll(' ', '')
}

/**
 * Returns the function that casts values of one type to another.
 *
 * @throws SqlError naming a cast that is not supported
 */
export function castFunctionOf(from: SqlType, to: SqlType): (value: NonNullValue) => SqlValue {
  const cast = castOf(from, to)
  if (cast === undefined)
    throw new SqlError(
      `CAST of ${formatSqlType(from)} AS ${formatSqlType(to).toUpperCase()} is not supported`,
    )
  return cast as (value: NonNullValue) => SqlValue
}

type Cast = ((value: never) => SqlValue) | undefined

function castOf(from: SqlType, to: SqlType): Cast {
  if (typeof from !== 'string' || typeof to !== 'string') return undefined
  if (to === 'string') return toText(from)
  if (from === 'string') return fromText(to)
  if (isDecimal(to)) return toDecimal(from, to)
  if (isInteger(to)) return toInteger(from, to)
  if (isTime(to)) return toTime(from, to)
  switch (to) {
    case 'double':
      return toDouble(from)
    case 'float':
      // The float nearest to a decimal or long differs from the float of its nearest double.
      return from === 'double' || (isInteger(from) && from !== 'long')
        ? (value: number) => Math.fround(value)
        : undefined
    case 'boolean':
      if (from === 'long' || isDecimal(from)) return (value: bigint) => value !== 0n
      return isNumeric(from) ? (value: number) => value !== 0 : undefined
    default:
      return undefined
  }
}

function toText(from: SqlType): Cast {
  switch (from) {
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return (value: number | bigint | boolean) => String(value)
    case 'date':
      return formatSqlDate
    case 'timestamp':
    case 'timestamp_ntz':
      return formatSqlTimestamp
    case 'binary':
      return (value: Uint8Array) => {
        if (!isUtf8(value)) throw new SqlError('the bytes are not valid UTF-8')
        return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value)
      }
    default: {
      if (!isDecimal(from)) return undefined
      const { scale } = digitsOf(from)
      return (value: bigint) => decimalText(value, scale)
    }
  }
}

const TRUES = new Set(['t', 'true', 'y', 'yes', '1'])
const FALSES = new Set(['f', 'false', 'n', 'no', '0'])
const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[df]?$/i
const SPECIAL: Readonly<Record<string, number>> = {
  inf: Infinity,
  '+inf': Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-inf': -Infinity,
  '-infinity': -Infinity,
  nan: NaN,
}

function fromText(to: SqlType): Cast {
  const read = textReader(to)
  if (read === undefined) return undefined
  return (text: string) => {
    const value = read(trimBlanks(text), text)
    if (value === undefined) throw new SqlError(`${JSON.stringify(text)} is not a valid ${formatSqlType(to)}`)
    return value
  }
}

function textReader(to: SqlType): ((trim: string, text: string) => NonNullValue | undefined) | undefined {
  if (isInteger(to))
    return (trim) =>
      /^[+-]?\d+$/.test(trim) ? toSqlInteger(BigInt(trim.replace('+', '')), to as string) : undefined
  if (isDecimal(to)) return (trim) => textToDecimal(trim, to)
  switch (to) {
    case 'float':
    case 'double':
      return (trim) => {
        const value = DOUBLE.test(trim) ? Number(trim.replace(/[df]$/i, '')) : SPECIAL[trim.toLowerCase()]
        return value === undefined || to === 'double' ? value : Math.fround(value)
      }
    case 'boolean':
      return (trim) => {
        const lower = trim.toLowerCase()
        return TRUES.has(lower) ? true : FALSES.has(lower) ? false : undefined
      }
    case 'date':
      return (trim) => parseSqlDate(trim)
    case 'timestamp':
      return (trim) => parseSqlTimestamp(trim)?.micros
    case 'timestamp_ntz':
      return (trim) => parseSqlTimestamp(trim)?.local
    case 'binary':
      return (_, text) => Buffer.from(text)
    default:
      return undefined
  }
}

function textToDecimal(text: string, to: SqlType): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i.exec(text)
  if (match === null || `${match[2]}${match[3] ?? ''}` === '' || text.length > 400) return undefined
  const { precision, scale } = digitsOf(to)
  const exponent = Number(match[4] ?? 0)
  const digits = BigInt(`${match[2]}${match[3] ?? ''}`)
  const signed = match[1] === '-' ? -digits : digits
  const from = (match[3] ?? '').length - exponent
  return from >= 0
    ? rescaleDecimal(signed, from, precision, scale)
    : rescaleDecimal(signed * 10n ** BigInt(-from), 0, precision, scale)
}

function toDecimal(from: SqlType, to: SqlType): Cast {
  const { precision, scale } = digitsOf(to)
  if (from === 'boolean') return (value: boolean) => rescaleDecimal(value ? 1n : 0n, 0, precision, scale)
  if (isInteger(from)) return (value: number | bigint) => rescaleDecimal(BigInt(value), 0, precision, scale)
  if (isDecimal(from)) {
    const source = digitsOf(from)
    return (value: bigint) => rescaleDecimal(value, source.scale, precision, scale)
  }
  if (from === 'double')
    return (value: number) => {
      const text = Number.isFinite(value) ? textToDecimal(String(value), to) : undefined
      if (text === undefined) throw new SqlError(`${value} is not a valid ${formatSqlType(to)}`)
      return text
    }
  return undefined
}

function toInteger(from: SqlType, to: SqlType): Cast {
  const name = to as string
  if (from === 'boolean') return (value: boolean) => toSqlInteger(value ? 1n : 0n, name)
  if (isFloating(from)) return (value: number) => truncateToInteger(value, name)
  if (isInteger(from)) {
    if (to === 'long') return (value: number) => BigInt(value)
    return from === 'long'
      ? (value: bigint) => toSqlInteger(value, name)
      : (value: number) => toSmallInteger(value, name)
  }
  if (isDecimal(from)) {
    const unit = 10n ** BigInt(digitsOf(from).scale)
    return (value: bigint) => toSqlInteger(value / unit, name)
  }
  if (from === 'timestamp') return (value: bigint) => toSqlInteger(floorDivide(value, 1_000_000n), name)
  return undefined
}

function truncateToInteger(value: number, type: string): number | bigint {
  if (!Number.isFinite(value)) throw new SqlError(`${value} is not a valid ${type}`)
  return type === 'long'
    ? toSqlInteger(BigInt(Math.trunc(value)), type)
    : toSmallInteger(Math.trunc(value) + 0, type)
}

function toDouble(from: SqlType): Cast {
  if (from === 'boolean') return (value: boolean) => (value ? 1 : 0)
  if (from === 'long') return (value: bigint) => Number(value)
  if (isDecimal(from)) {
    const { scale } = digitsOf(from)
    return (value: bigint) => decimalToDouble(value, scale)
  }
  if (from === 'timestamp') return (value: bigint) => Number(value) / 1_000_000
  return isNumeric(from) ? (value: number) => value : undefined
}

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

function toTime(from: SqlType, to: SqlType): Cast {
  if (to === 'date')
    return from === 'timestamp' || from === 'timestamp_ntz'
      ? (value: bigint) => splitMicros(value).days
      : undefined
  if (from === 'date') return (value: number) => BigInt(value) * BigInt(DAY_MICROS)
  if (isTime(from)) return (value: bigint) => value
  if (to !== 'timestamp') return undefined
  if (isInteger(from))
    return (value: number | bigint) => {
      const micros = BigInt(value) * 1_000_000n
      return micros > LONG_MAX ? LONG_MAX : micros < LONG_MIN ? LONG_MIN : micros
    }
  if (from === 'double' || from === 'float')
    return (value: number) => truncateToInteger(value * 1_000_000, 'long')
  if (isDecimal(from)) {
    const unit = 10n ** BigInt(digitsOf(from).scale)
    return (value: bigint) => toSqlInteger((value * 1_000_000n) / unit, 'long')
  }
  return undefined
}
