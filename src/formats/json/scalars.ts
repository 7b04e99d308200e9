import type { AnyBuilder } from '../../arrow/builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { daysOf } from '../../arrow/time.ts'
import type { PlainValue } from '../../contract/columns/plain.ts'
import type { ValueReader } from './value-reader.ts'
import { isDigit, skipNumber, skipPlainString, startsWith } from './scan.ts'

/** Number of digits that a double always holds exactly. */
const DIGITS_MAX = 15
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * Returns a reader for strings, numbers, booleans, dates and timestamps, or `undefined` when bytes alone cannot prove
 * the value.
 */
export function scalarReader(value: PlainValue, builder: AnyBuilder): ValueReader | undefined {
  const { type, json, format } = value
  if (builder.kind === 'bytes') {
    if (type !== 'string' || json !== 'string') return undefined
    return format === undefined ? textReader(value, builder) : undefined
  }
  if (builder.kind !== 'fixed') return undefined
  if (type === 'boolean' && json === 'boolean') return booleanReader(builder)
  if (type === 'long' && json === 'integer') return longReader(value, builder)
  if (type === 'double' && json === 'number') return doubleReader(value, builder)
  // A length or an enumeration combined with a format is too rare to be proven here.
  const bare =
    json === 'string' &&
    value.enum === undefined &&
    value.minLength === undefined &&
    value.maxLength === undefined
  if (bare && type === 'timestamp' && format === 'date-time') return timestampReader(builder)
  if (bare && type === 'date' && format === 'date') return dateReader(builder)
  return undefined
}

function textReader(value: PlainValue, builder: BytesBuilder): ValueReader | undefined {
  if (value.enum !== undefined) return enumReader(value.enum, value, builder)
  const { minLength, maxLength } = value
  const measured = minLength !== undefined || maxLength !== undefined
  return {
    read(bytes, at) {
      const end = skipPlainString(bytes, at)
      if (end < 0) return -1
      if (measured) {
        const length = codePoints(bytes, at + 1, end - 1)
        if (length < (minLength ?? 0) || length > (maxLength ?? Infinity)) return -1
      }
      builder.appendBytes(bytes, at + 1, end - 1)
      return end
    },
  }
}

function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) count++
  return count
}

/** Leaves out values that JSON writes with escapes; the contract validates records that contain them. */
function enumReader(
  values: readonly string[],
  value: PlainValue,
  builder: BytesBuilder,
): ValueReader | undefined {
  if (value.minLength !== undefined || value.maxLength !== undefined) return undefined
  const quoted = values
    .map((text) => Buffer.from(`"${text}"`))
    .filter((text) => skipPlainString(text, 0) === text.length)
  return {
    read(bytes, at) {
      for (const text of quoted) {
        if (!startsWith(bytes, at, text)) continue
        builder.appendBytes(text, 1, text.length - 1)
        return at + text.length
      }
      return -1
    },
  }
}

function booleanReader(builder: FixedBuilder): ValueReader {
  const yes = Buffer.from('true')
  const no = Buffer.from('false')
  return {
    read(bytes, at) {
      const truth = startsWith(bytes, at, yes)
      if (!truth && !startsWith(bytes, at, no)) return -1
      builder.appendNumber(truth ? 1 : 0)
      return at + (truth ? 4 : 5)
    },
  }
}

function inRange(
  value: number,
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: PlainValue,
): boolean {
  if (minimum !== undefined && value < minimum) return false
  if (maximum !== undefined && value > maximum) return false
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return false
  return exclusiveMaximum === undefined || value < exclusiveMaximum
}

function longReader(rules: PlainValue, builder: FixedBuilder): ValueReader {
  return {
    read(bytes, at) {
      const negative = bytes[at] === 0x2d
      const first = negative ? at + 1 : at
      let end = first
      let number = 0
      for (let byte = bytes[end]; isDigit(byte); byte = bytes[++end])
        number = number * 10 + ((byte as number) - 0x30)
      const next = bytes[end]
      if (end === first || end - first > DIGITS_MAX || next === 0x2e || next === 0x65 || next === 0x45)
        return -1
      if (bytes[first] === 0x30 && (end > first + 1 || negative)) return -1
      if (negative) number = -number
      if (!inRange(number, rules)) return -1
      builder.appendSafe(number)
      return end
    },
  }
}

function doubleReader(rules: PlainValue, builder: FixedBuilder): ValueReader {
  return {
    read(bytes, at) {
      const end = skipNumber(bytes, at)
      if (end < 0) return -1
      const number = shortDecimal(bytes, at, end) ?? Number(latin1(bytes, at, end))
      if (!Number.isFinite(number) || !inRange(number, rules)) return -1
      builder.appendNumber(number)
      return end
    },
  }
}

/**
 * Returns the value of a number with at most 15 digits and no exponent. Both operands of the division are exact, so
 * the result is correctly rounded.
 */
function shortDecimal(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (end - at > DIGITS_MAX + 2) return undefined
  let number = 0
  let digits = 0
  let fraction = -1
  const negative = bytes[at] === 0x2d
  for (let i = negative ? at + 1 : at; i < end; i++) {
    const byte = bytes[i] as number
    if (byte === 0x2e) fraction = digits
    else if (!isDigit(byte)) return undefined
    else {
      number = number * 10 + (byte - 0x30)
      digits++
    }
  }
  if (digits > DIGITS_MAX) return undefined
  if (fraction >= 0) number /= POWERS_OF_TEN[digits - fraction] as number
  return negative ? -number : number
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - 0x30
  const ones = (bytes[at + 1] as number) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Returns the days since the epoch of the date `YYYY-MM-DD` at `at`, or NaN. */
function daysAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return NaN
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  if (Number.isNaN(year + month + day)) return NaN
  return daysOf(year, month, day) ?? NaN
}

function dateReader(builder: FixedBuilder): ValueReader {
  return {
    read(bytes, at) {
      if (bytes[at] !== 0x22 || bytes[at + 11] !== 0x22) return -1
      const days = daysAt(bytes, at + 1)
      if (Number.isNaN(days)) return -1
      builder.appendNumber(days)
      return at + 12
    },
  }
}

function timestampReader(builder: FixedBuilder): ValueReader {
  return {
    read(bytes, at) {
      if (bytes[at] !== 0x22 || bytes[at + 11] !== 0x54 || bytes[at + 14] !== 0x3a || bytes[at + 17] !== 0x3a)
        return -1
      const days = daysAt(bytes, at + 1)
      const hour = twoDigits(bytes, at + 12)
      const minute = twoDigits(bytes, at + 15)
      const second = twoDigits(bytes, at + 18)
      // Leap seconds and the like are left to the contract. The comparison is false for NaN as well.
      if (Number.isNaN(days) || !(hour < 24 && minute < 60 && second < 60)) return -1
      let end = at + 20
      let micros = 0
      if (bytes[end] === 0x2e) {
        let scale = 100_000
        const first = ++end
        for (let byte = bytes[end]; isDigit(byte); byte = bytes[++end]) {
          micros += ((byte as number) - 0x30) * scale
          scale = Math.floor(scale / 10)
        }
        if (end === first) return -1
      }
      // Offsets other than Z are rare enough for the slow path.
      if (bytes[end] !== 0x5a || bytes[end + 1] !== 0x22) return -1
      builder.appendMicros(days, ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
      return end + 2
    },
  }
}
