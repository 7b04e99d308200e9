import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { daysOf } from '../../arrow/time.ts'
import { startsWithText, type JsonInput, type QuotedText } from './json-input.ts'
import { isDigit, skipNumber, skipPlainString, startsWith } from './scan.ts'
import type { NumberRange, TextLimits } from './value-plan.ts'

/*
 * Functions that read one scalar at `at` and append it to its column. Each returns the position after the value, or -1 and
 * appends nothing when bytes alone cannot prove that the value is valid.
 */

/** Number of digits that a double always holds exactly. */
const DIGITS_MAX = 15
const POWERS_OF_TEN = Array.from({ length: DIGITS_MAX + 1 }, (_, exponent) => Number(`1e${exponent}`))
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const DOT = 0x2e
const MINUS = 0x2d
const ZERO = 0x30

/** Reads a string without escapes. */
export function readText(
  { bytes, view }: JsonInput,
  builder: BytesBuilder,
  { lengthMin, lengthMax }: TextLimits,
  at: number,
): number {
  const end = skipPlainString(bytes, at)
  if (end < 0) return -1
  const size = end - at - 2
  // A code point takes one to four bytes: they are counted only where the size leaves the answer open.
  if (size > lengthMax || size < 4 * lengthMin) {
    const length = codePoints(bytes, at + 1, end - 1)
    if (length < lengthMin || length > lengthMax) return -1
  }
  builder.appendRange(view, at + 1, end - 1)
  return end
}

function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) count++
  return count
}

/** Reads one of the given texts. */
export function readEnum(
  { view }: JsonInput,
  builder: BytesBuilder,
  texts: readonly QuotedText[],
  at: number,
): number {
  for (const text of texts) {
    if (!startsWithText(view, at, text)) continue
    const end = at + text.size
    builder.appendRange(view, at + 1, end - 1)
    return end
  }
  return -1
}

/** Reads `true` or `false`. */
export function readBoolean({ bytes }: JsonInput, builder: FixedBuilder, at: number): number {
  const truth = startsWith(bytes, at, TRUE)
  if (!truth && !startsWith(bytes, at, FALSE)) return -1
  builder.appendNumber(truth ? 1 : 0)
  return at + (truth ? 4 : 5)
}

function isInRange(
  value: number,
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: NumberRange,
): boolean {
  return value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum
}

/** Holds the value of the integer that `scanInteger` found last: returning an object for each would cost more. */
let scanned = 0

/** Finds the integer at `at`, of at most 15 digits and without fraction or exponent. Returns its end, or -1. */
function scanInteger(bytes: Uint8Array, at: number, range: NumberRange): number {
  const isNegative = bytes[at] === MINUS
  const first = isNegative ? at + 1 : at
  let end = first
  let number = 0
  for (let byte = bytes[end]; isDigit(byte); byte = bytes[++end])
    number = number * 10 + ((byte as number) - ZERO)
  const next = bytes[end]
  if (end === first || end - first > DIGITS_MAX || next === DOT || next === 0x65 || next === 0x45) return -1
  if (bytes[first] === ZERO && (end > first + 1 || isNegative)) return -1
  scanned = isNegative ? -number : number
  return isInRange(scanned, range) ? end : -1
}

/** Reads an integer into a column of 64 bits. */
export function readLong(
  { bytes }: JsonInput,
  builder: FixedBuilder,
  range: NumberRange,
  at: number,
): number {
  const end = scanInteger(bytes, at, range)
  if (end >= 0) builder.appendSafe(scanned)
  return end
}

/** Reads an integer into a column of at most 32 bits; its bounds are in the range. */
export function readInteger(
  { bytes }: JsonInput,
  builder: FixedBuilder,
  range: NumberRange,
  at: number,
): number {
  const end = scanInteger(bytes, at, range)
  if (end >= 0) builder.appendNumber(scanned)
  return end
}

/** Reads a number into a column of doubles. */
export function readDouble(
  { bytes }: JsonInput,
  builder: FixedBuilder,
  range: NumberRange,
  at: number,
): number {
  const end = scanDecimal(bytes, at)
  if (end < 0 || !Number.isFinite(scanned) || !isInRange(scanned, range)) return -1
  builder.appendNumber(scanned)
  return end
}

/** Reads a number into a column of floats. */
export function readFloat(
  { bytes }: JsonInput,
  builder: FixedBuilder,
  range: NumberRange,
  at: number,
): number {
  const end = scanDecimal(bytes, at)
  if (end < 0 || !Number.isFinite(Math.fround(scanned)) || !isInRange(scanned, range)) return -1
  builder.appendNumber(scanned)
  return end
}

/**
 * Finds the number at `at`; `scanned` is its value. A number of at most 15 digits without exponent is divided by a power of
 * ten: both operands are exact, so the result is correctly rounded. Returns its end, or -1.
 */
function scanDecimal(bytes: Uint8Array, at: number): number {
  const isNegative = bytes[at] === MINUS
  const first = isNegative ? at + 1 : at
  let end = first
  let number = 0
  let whole = -1
  for (let byte = bytes[end]; isDigit(byte) || (byte === DOT && whole < 0); byte = bytes[++end])
    if (byte === DOT) whole = end - first
    else number = number * 10 + ((byte as number) - ZERO)
  const digits = whole < 0 ? end - first : end - first - 1
  const next = bytes[end]
  const fraction = whole < 0 ? 0 : digits - whole
  const isShort =
    digits > 0 &&
    digits <= DIGITS_MAX &&
    whole !== 0 &&
    (whole < 0 || fraction > 0) &&
    next !== 0x65 &&
    next !== 0x45
  if (!isShort || (bytes[first] === ZERO && digits - fraction > 1)) {
    end = skipNumber(bytes, at)
    if (end >= 0) scanned = Number(latin1(bytes, at, end))
    return end
  }
  if (fraction > 0) number /= POWERS_OF_TEN[fraction] as number
  scanned = isNegative ? -number : number
  return end
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

/** Reads a date, `YYYY-MM-DD`. */
export function readDate({ bytes }: JsonInput, builder: FixedBuilder, at: number): number {
  if (bytes[at] !== 0x22 || bytes[at + 11] !== 0x22) return -1
  const days = daysAt(bytes, at + 1)
  if (Number.isNaN(days)) return -1
  builder.appendNumber(days)
  return at + 12
}

/** Reads a date with time in UTC, `YYYY-MM-DDThh:mm:ss.ffffffZ`; the fraction is optional. */
export function readDateTime({ bytes }: JsonInput, builder: FixedBuilder, at: number): number {
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
}
