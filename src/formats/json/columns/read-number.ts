import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { JsonInput } from './json-bytes.ts'
import { isDigit, skipNumber, startsWith } from './scan.ts'
import type { NumberRange } from './plan.ts'

/*
 * Functions that read one boolean or number at `at` and append it to its column. Each returns the position after the
 * value, or -1 and appends nothing when bytes alone cannot prove that the value is valid.
 */

/** Digits of an integer of which a double holds every one. */
const DIGITS_MAX = 15
/** Digits of a long. */
const LONG_DIGITS_MAX = 19
const TWO_32 = 4_294_967_296
/** Below it, every integer is a double. */
const TWO_53 = 2 ** 53
/** The powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const DOT = 0x2e
const MINUS = 0x2d
const ZERO = 0x30

/** Reads `true` or `false`. */
export function readBoolean({ bytes }: JsonInput, builder: FixedBuilder, at: number): number {
  const truth = startsWith(bytes, at, TRUE)
  if (!truth && !startsWith(bytes, at, FALSE)) return -1
  builder.appendNumber(truth ? 1 : 0)
  return at + (truth ? 4 : 5)
}

function isInRange(input: JsonInput, value: number, range: NumberRange): boolean {
  const isWithin =
    value >= range.minimum &&
    value <= range.maximum &&
    value > range.exclusiveMinimum &&
    value < range.exclusiveMaximum
  if (!isWithin) input.slow = 'contract'
  return isWithin
}

/** Holds the value of the number that was scanned last: returning an object for each would cost more. */
let scanned = 0

/** Returns the end of the integer at `at`, without fraction or exponent, or -1. `scanned` is its value if it has at most 15 digits. */
function scanInteger(bytes: Uint8Array, at: number): number {
  const isNegative = bytes[at] === MINUS
  const first = isNegative ? at + 1 : at
  let end = first
  let number = 0
  let digit = (bytes[end] as number) - ZERO
  while (digit >= 0 && digit <= 9) {
    number = number * 10 + digit
    digit = (bytes[++end] as number) - ZERO
  }
  // What follows is a dot or the letter E.
  if (end === first || digit === DOT - ZERO || digit === 0x65 - ZERO || digit === 0x45 - ZERO) return -1
  if (bytes[first] === ZERO && (end > first + 1 || isNegative)) return -1
  scanned = isNegative ? -number : number
  return end
}

/** Reads an integer into a column of 64 bits. */
export function readLong(input: JsonInput, builder: FixedBuilder, range: NumberRange, at: number): number {
  const { bytes } = input
  const end = scanInteger(bytes, at)
  if (end < 0) return -1
  if (end - at > DIGITS_MAX) return readLongDigits(input, builder, range, at, end)
  if (!isInRange(input, scanned, range)) return -1
  builder.appendSafe(scanned)
  return end
}

/** Reads the integer in `[at, end)`, which may have more digits than a double holds, in two parts of at most ten. */
function readLongDigits(
  input: JsonInput,
  builder: FixedBuilder,
  range: NumberRange,
  at: number,
  end: number,
): number {
  const { bytes } = input
  const isNegative = bytes[at] === MINUS
  const first = isNegative ? at + 1 : at
  if (end - first > LONG_DIGITS_MAX) return -1
  const upper = integerIn(bytes, first, end - 9)
  const lower = integerIn(bytes, end - 9, end)
  // upper * 1e9 + lower, in steps below 2^53.
  const above = Math.floor(upper / 65_536) * 1e9
  const below = (above % 65_536) * 65_536 + (upper % 65_536) * 1e9 + lower
  const low = below % TWO_32
  const high = Math.floor(above / 65_536) + Math.floor(below / TWO_32)
  // -2^63 is too rare to be told from the numbers beyond it.
  if (high >= 2 ** 31) return -1
  const value = high * TWO_32 + low
  if (!isInRange(input, isNegative ? -value : value, range)) return -1
  if (!isNegative) builder.appendPair(low, high)
  else builder.appendPair(TWO_32 - low, low === 0 ? -high : ~high)
  return end
}

function integerIn(bytes: Uint8Array, start: number, end: number): number {
  let number = 0
  for (let i = start; i < end; i++) number = number * 10 + ((bytes[i] as number) - ZERO)
  return number
}

/** Reads an integer into a column of at most 32 bits; its bounds are in the range. */
export function readInteger(input: JsonInput, builder: FixedBuilder, range: NumberRange, at: number): number {
  const end = scanInteger(input.bytes, at)
  if (end < 0 || end - at > DIGITS_MAX || !isInRange(input, scanned, range)) return -1
  builder.appendNumber(scanned)
  return end
}

/** Reads a number into a column of doubles. */
export function readDouble(input: JsonInput, builder: FixedBuilder, range: NumberRange, at: number): number {
  const end = scanDecimal(input.bytes, at)
  if (end < 0 || !Number.isFinite(scanned) || !isInRange(input, scanned, range)) return -1
  builder.appendNumber(scanned)
  return end
}

/** Reads an integer, without fraction or exponent, into a column of doubles. */
export function readWholeDouble(
  input: JsonInput,
  builder: FixedBuilder,
  range: NumberRange,
  at: number,
): number {
  const end = scanInteger(input.bytes, at)
  if (end < 0 || end - at > DIGITS_MAX || !isInRange(input, scanned, range)) return -1
  builder.appendNumber(scanned)
  return end
}

/** Reads a number into a column of floats. */
export function readFloat(input: JsonInput, builder: FixedBuilder, range: NumberRange, at: number): number {
  const end = scanDecimal(input.bytes, at)
  if (end < 0 || !Number.isFinite(Math.fround(scanned)) || !isInRange(input, scanned, range)) return -1
  builder.appendNumber(scanned)
  return end
}

/**
 * Returns the end of the number at `at`, or -1; `scanned` is its value. Digits that are an integer below 2^53 are divided by
 * a power of ten of at most 22 zeros: both operands are exact, so the result is correctly rounded. Integers of 19 digits and
 * more are not read, because one that 64 bits do not hold may change the type of its column.
 */
export function scanDecimal(bytes: Uint8Array, at: number): number {
  const isNegative = bytes[at] === MINUS
  const first = isNegative ? at + 1 : at
  let end = first
  let number = 0
  let digit = (bytes[end] as number) - ZERO
  while (digit >= 0 && digit <= 9) {
    number = number * 10 + digit
    digit = (bytes[++end] as number) - ZERO
  }
  const whole = end - first
  if (whole === 0 || (whole > 1 && bytes[first] === ZERO)) return -1
  let fraction = 0
  if (digit === DOT - ZERO) {
    digit = (bytes[++end] as number) - ZERO
    while (digit >= 0 && digit <= 9) {
      number = number * 10 + digit
      digit = (bytes[++end] as number) - ZERO
    }
    fraction = end - first - whole - 1
    if (fraction === 0) return -1
  }
  const hasExponent = digit === 0x65 - ZERO || digit === 0x45 - ZERO
  if (fraction === 0 && !hasExponent && whole >= LONG_DIGITS_MAX) return -1
  if (hasExponent || number >= TWO_53 || fraction > 22) return parseNumber(bytes, at)
  if (fraction > 0) number /= POWERS_OF_TEN[fraction] as number
  scanned = isNegative ? -number : number
  return end
}

/** Returns the value of the number that `scanDecimal` found last. */
export function scannedNumber(): number {
  return scanned
}

function parseNumber(bytes: Uint8Array, at: number): number {
  const end = skipNumber(bytes, at)
  if (end >= 0)
    scanned = Number(Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1'))
  return end
}

/** Returns true when the number in `[at, end)` has neither sign of a fraction nor an exponent. */
export function isWhole(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = bytes[at] === MINUS ? at + 1 : at; i < end; i++) if (!isDigit(bytes[i])) return false
  return true
}
