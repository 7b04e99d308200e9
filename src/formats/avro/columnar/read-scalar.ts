import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import { DAY_MICROS } from '../../../arrow/time.ts'
import { isTextAt, readInt, readLength, readAvroLong, type AvroInput } from './input.ts'
import type {
  AvroDecimalRules,
  IntegerRange,
  NumberRules,
  AvroSymbolTexts,
  WholeDecimalRules,
} from './plan.ts'

/*
 * Functions that read one scalar at `at` and append it to its column. Each returns the position after the value, or -1 and
 * appends nothing when the object reader must read the record.
 */

const TWO_32 = 4_294_967_296
/** 0000-01-01 and 9999-12-31 in days since 1970-01-01: the years that ISO 8601 text can have. */
const DAYS_MIN = -719_528
const DAYS_MAX = 2_932_896
/**
 * Bound instants of these years, and are excluded: a double does not distinguish them from their neighbours, so the object
 * reader decides.
 */
const MICROS_MIN = DAYS_MIN * DAY_MICROS
const MICROS_END = (DAYS_MAX + 1) * DAY_MICROS
const DAY_MS = 86_400_000
const DECIMAL_BYTES_MAX = 16

/** Reads text. */
export function readAvroText(input: AvroInput, builder: BytesBuilder, at: number): number {
  at = readLength(input, at)
  if (at < 0) return -1
  const end = at + input.low
  if (!isTextAt(input, at, end)) return -1
  builder.appendRange(input.view, at, end)
  return end
}

/** Reads bytes with their length, or `size` bytes. */
export function readAvroBytes(input: AvroInput, builder: BytesBuilder, size: number, at: number): number {
  let end = at + size
  if (size < 0) {
    at = readLength(input, at)
    if (at < 0) return -1
    end = at + input.low
  } else if (end > input.end) return -1
  builder.appendRange(input.view, at, end)
  return end
}

const HEX = Buffer.from('0123456789abcdef')
const UUID_TEXT = new Uint8Array(36)
const UUID_VIEW = new DataView(UUID_TEXT.buffer)
const UUID_BYTES = 16

/** Reads the sixteen bytes of a UUID as text. */
export function readUuid({ bytes, end }: AvroInput, builder: BytesBuilder, at: number): number {
  if (at + UUID_BYTES > end) return -1
  let to = 0
  for (let i = 0; i < UUID_BYTES; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) UUID_TEXT[to++] = 0x2d
    const byte = bytes[at + i] as number
    UUID_TEXT[to++] = HEX[byte >> 4] as number
    UUID_TEXT[to++] = HEX[byte & 15] as number
  }
  builder.appendRange(UUID_VIEW, 0, to)
  return at + UUID_BYTES
}

/** Reads a symbol of an enum as text. */
export function readAvroSymbol(
  input: AvroInput,
  builder: BytesBuilder,
  texts: AvroSymbolTexts,
  at: number,
): number {
  at = readInt(input, at)
  if (at < 0) return -1
  const index = input.low
  if (texts.isKnown[index] !== 1) return -1
  builder.appendRange(texts.view, texts.starts[index] as number, texts.starts[index + 1] as number)
  return at
}

/** Reads true or false. */
export function readAvroBoolean({ bytes, end }: AvroInput, builder: FixedBuilder, at: number): number {
  if (at >= end) return -1
  const byte = bytes[at] as number
  if (byte > 1) return -1
  builder.appendNumber(byte)
  return at + 1
}

/** Reads a number of 64 bits into a column of them. */
export function readLongs(input: AvroInput, builder: FixedBuilder, at: number): number {
  at = readAvroLong(input, at)
  if (at >= 0) builder.appendPair(input.low, input.high)
  return at
}

/** Reads a number of 32 bits into a column of 64 bits. */
export function readInts(input: AvroInput, builder: FixedBuilder, at: number): number {
  at = readInt(input, at)
  if (at >= 0) builder.appendPair(input.low, input.high)
  return at
}

/** Reads a number into a column of at most 32 bits. */
export function readAvroInteger(
  input: AvroInput,
  builder: FixedBuilder,
  { minimum, maximum }: IntegerRange,
  at: number,
): number {
  at = readInt(input, at)
  if (at < 0 || input.low < minimum || input.low > maximum) return -1
  builder.appendNumber(input.low)
  return at
}

/** Returns the number that `readAvroLong` read last; rounded to the nearest double, as it is added up from two exact halves. */
function numberOf({ low, high }: AvroInput): number {
  return high * TWO_32 + (low >>> 0)
}

/** Reads a whole number into a column of floats or doubles. */
export function readAvroNumber(
  input: AvroInput,
  builder: FixedBuilder,
  { isInt, isRounded }: NumberRules,
  at: number,
): number {
  at = isInt ? readInt(input, at) : readAvroLong(input, at)
  if (at < 0) return -1
  const number = numberOf(input)
  builder.appendNumber(isRounded ? Math.fround(number) : number)
  return at
}

/** Reads a float into a column of floats or doubles. */
export function readAvroFloat({ view, end }: AvroInput, builder: FixedBuilder, at: number): number {
  if (at + 4 > end) return -1
  const value = view.getFloat32(at, true)
  if (!Number.isFinite(value)) return -1
  builder.appendNumber(value)
  return at + 4
}

/** Reads a double into a column of doubles or, with `isFloat`, of floats. */
export function readAvroDouble(
  { view, end }: AvroInput,
  builder: FixedBuilder,
  isFloat: boolean,
  at: number,
): number {
  if (at + 8 > end) return -1
  const value = view.getFloat64(at, true)
  if (!Number.isFinite(isFloat ? Math.fround(value) : value)) return -1
  builder.appendNumber(value)
  return at + 8
}

/** Reads days since 1970-01-01 of the years 0 to 9999. */
export function readDays(input: AvroInput, builder: FixedBuilder, at: number): number {
  at = readInt(input, at)
  if (at < 0 || input.low < DAYS_MIN || input.low > DAYS_MAX) return -1
  builder.appendNumber(input.low)
  return at
}

/** Reads microseconds since 1970-01-01 within the years 0 to 9999. */
export function readMicros(input: AvroInput, builder: FixedBuilder, at: number): number {
  at = readAvroLong(input, at)
  if (at < 0) return -1
  const micros = numberOf(input)
  if (!(micros > MICROS_MIN && micros < MICROS_END)) return -1
  builder.appendPair(input.low, input.high)
  return at
}

/** Reads milliseconds since 1970-01-01 within the years 0 to 9999. */
export function readMillis(input: AvroInput, builder: FixedBuilder, at: number): number {
  at = readAvroLong(input, at)
  if (at < 0) return -1
  const ms = numberOf(input)
  const micros = ms * 1000
  if (Number.isSafeInteger(micros)) builder.appendSafe(micros)
  else {
    const days = Math.floor(ms / DAY_MS)
    if (days < DAYS_MIN || days > DAYS_MAX) return -1
    builder.appendMicros(days, (ms - days * DAY_MS) * 1000)
  }
  return at
}

/** Reads a whole number into a column of decimals. */
export function readWholeDecimal(
  input: AvroInput,
  builder: FixedBuilder,
  { isInt, factor, limit }: WholeDecimalRules,
  at: number,
): number {
  at = isInt ? readInt(input, at) : readAvroLong(input, at)
  if (at < 0) return -1
  const unscaled = numberOf(input) * factor
  if (!(Math.abs(unscaled) < limit)) return -1
  const high = Math.floor(unscaled / TWO_32)
  const sign = unscaled < 0 ? -1 : 0
  builder.appendWords((unscaled - high * TWO_32) | 0, high | 0, sign, sign)
  return at
}

/** Reads a decimal of the scale of its column: a big-endian number in two's complement. */
export function readAvroDecimal(
  input: AvroInput,
  builder: FixedBuilder,
  rules: AvroDecimalRules,
  at: number,
): number {
  let end = at + rules.size
  if (rules.size < 0) {
    at = readLength(input, at)
    if (at < 0) return -1
    end = at + input.low
  } else if (end > input.end) return -1
  const { bytes } = input
  const sign = at < end && (bytes[at] as number) >= 0x80 ? -1 : 0
  // Bytes that only repeat the sign.
  while (end - at > DECIMAL_BYTES_MAX && bytes[at] === (sign & 0xff)) at++
  if (end - at > DECIMAL_BYTES_MAX) return -1
  const first = wordBefore(bytes, at, end, sign)
  const second = wordBefore(bytes, at, end - 4, sign)
  if (end - at <= 8) {
    const unscaled = second * TWO_32 + (first >>> 0)
    if (!(Math.abs(unscaled) < rules.limitNumber)) return -1
    builder.appendWords(first, second, sign, sign)
    return end
  }
  const third = wordBefore(bytes, at, end - 8, sign)
  const fourth = wordBefore(bytes, at, end - 12, sign)
  // The sign of what is left may differ from that of the bytes that were dropped.
  if (fourth >> 31 !== sign || !isBelow(first, second, third, fourth, rules)) return -1
  builder.appendWords(first, second, third, fourth)
  return end
}

/** Returns the four bytes before `end` as a number; bytes before `start` repeat the sign. */
function wordBefore(bytes: Uint8Array, start: number, end: number, sign: number): number {
  let word = 0
  for (let i = 1; i <= 4; i++) {
    const at = end - i
    const byte = at < start ? sign & 0xff : (bytes[at] as number)
    word |= byte << (8 * (i - 1))
  }
  return word
}

/** Returns true when the absolute value of the four words is below the limit. */
function isBelow(
  first: number,
  second: number,
  third: number,
  fourth: number,
  { limit, limitBelow }: AvroDecimalRules,
): boolean {
  // The complement of a negative number is its absolute value less one.
  return fourth < 0
    ? isLess(~first, ~second, ~third, ~fourth, limitBelow)
    : isLess(first, second, third, fourth, limit)
}

function isLess(first: number, second: number, third: number, fourth: number, limit: Uint32Array): boolean {
  if (fourth >>> 0 !== limit[3]) return fourth >>> 0 < (limit[3] as number)
  if (third >>> 0 !== limit[2]) return third >>> 0 < (limit[2] as number)
  if (second >>> 0 !== limit[1]) return second >>> 0 < (limit[1] as number)
  return first >>> 0 < (limit[0] as number)
}
