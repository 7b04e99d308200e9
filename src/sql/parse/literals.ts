import type { SqlExpression, SqlType, SqlValue } from '../expression/ast.ts'
import { unscaledOf } from '../../arrow/decimal.ts'
import { parseSqlDate, parseSqlTimestamp } from '../expression/cast-time.ts'
import { SqlError } from '../expression/error.ts'
import { DECIMAL_DIGITS_MAX } from '../expression/types.ts'

const INT_MAX = 2n ** 31n
const LONG_MAX = 2n ** 63n
const RANGES: Readonly<Record<string, readonly [SqlType, bigint]>> = {
  Y: ['byte', 2n ** 7n],
  S: ['short', 2n ** 15n],
  L: ['long', LONG_MAX],
}

/**
 * Parses a numeric literal: `1` is an integer (or long or decimal, depending on its size), `1.5` a decimal
 * with as many digits as written, `1e3` a double; the suffixes `L S Y F D BD` select a type.
 *
 * @throws SqlError for a number that its type cannot hold
 */
export function parseNumberLiteral(text: string, negative: boolean): SqlExpression {
  const match = /^(.*?)(bd|[lsydf])?$/i.exec(text)
  const digits = `${negative ? '-' : ''}${match?.[1] ?? ''}`
  const suffix = match?.[2]?.toUpperCase()
  const fail = (): SqlError => new SqlError(`the number ${negative ? '-' : ''}${text} is not understood`)
  if (suffix === 'D' || suffix === 'F') return floating(Number(digits), suffix, fail)
  if (suffix === 'BD') return decimal(digits, fail)
  const range = suffix === undefined ? undefined : RANGES[suffix]
  if (range !== undefined) {
    if (!/^-?\d+$/.test(digits)) throw fail()
    const value = BigInt(digits)
    if (value >= range[1] || value < -range[1]) throw fail()
    return literal(range[0], range[0] === 'long' ? value : Number(value))
  }
  if (/e/i.test(digits)) return floating(Number(digits), 'D', fail)
  if (digits.includes('.')) return decimal(digits, fail)
  const value = BigInt(digits)
  if (value < INT_MAX && value >= -INT_MAX) return literal('integer', Number(value))
  return value < LONG_MAX && value >= -LONG_MAX ? literal('long', value) : decimal(digits, fail)
}

function floating(value: number, suffix: 'D' | 'F', fail: () => SqlError): SqlExpression {
  const held = suffix === 'F' ? Math.fround(value) : value
  if (!Number.isFinite(held)) throw fail()
  return literal(suffix === 'F' ? 'float' : 'double', held)
}

function decimal(text: string, fail: () => SqlError): SqlExpression {
  const match = /^(-?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text)
  const exponent = Number(match?.[4] ?? 0)
  const scale = Math.max(0, (match?.[3] ?? '').length - exponent)
  const plain = `${match?.[1] ?? ''}${match?.[2] === '' ? '0' : (match?.[2] ?? '')}.${match?.[3] === '' || match?.[3] === undefined ? '0' : match[3]}e${exponent}`
  const value = unscaledOf(plain, DECIMAL_DIGITS_MAX, scale)
  if (match === null || value === undefined) throw fail()
  const precision = Math.max(scale, String(value).replace('-', '').length)
  if (precision > DECIMAL_DIGITS_MAX) throw fail()
  return literal(`decimal(${precision},${scale})`, value)
}

/**
 * Parses a typed literal: `DATE'2024-05-06'`, `TIMESTAMP'2024-05-06 07:08:09'` (UTC unless it has a zone),
 * `TIMESTAMP_NTZ'…'`, `X'1f'`.
 *
 * @throws SqlError for other types, and for text that is not a value of the type
 */
export function parseTypedLiteral(type: string, text: string): SqlExpression {
  const fail = new SqlError(`${type}'${text}' is not understood`)
  switch (type) {
    case 'DATE': {
      const days = parseSqlDate(text)
      if (days === undefined) throw fail
      return literal('date', days)
    }
    case 'TIMESTAMP':
    case 'TIMESTAMP_LTZ':
    case 'TIMESTAMP_NTZ': {
      const micros = parseSqlTimestamp(text)
      // Spark rejects TIMESTAMP_NTZ text with a zone, and reads a time without a date as a time of the
      // current day.
      if (micros === undefined || (type === 'TIMESTAMP_NTZ' && micros.zoned)) throw fail
      return literal(type === 'TIMESTAMP_NTZ' ? 'timestamp_ntz' : 'timestamp', micros.micros)
    }
    case 'X': {
      if (!/^[\da-f]*$/i.test(text)) throw fail
      return literal('binary', Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex'))
    }
    default:
      throw fail
  }
}

function literal(type: SqlType, value: SqlValue): SqlExpression {
  return { kind: 'literal', type, value }
}
