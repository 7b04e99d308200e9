import type { FixedBuilder } from '../../arrow/fixed-builder.ts'

const TWO_32 = 4_294_967_296
/** Number of digits that a double always holds exactly. */
const EXACT_DIGITS_MAX = 15
/** Digits that are added to the words at once: the product of a word and their power of ten is exact. */
const CHUNK_DIGITS = 6
/** Digits that four words hold, with their sign. */
const WORDS_DIGITS_MAX = 38
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, exponent) => Number(`1e${exponent}`))
const DOT = 0x2e
const ZERO = 0x30

/** Hold what `scanNumber` found last: returning an object for each would cost more. */
let isNegative = false
/** The digits as a number; exact for at most 15 of them. */
let scanned = 0
/** Digits without leading zeros. */
let digits = 0
/** Digits after the point. */
let fraction = 0
/** Position of the first digit that counts. */
let first = 0

const words = new Float64Array(4)

/**
 * Finds the number in `bytes[at..end)`, with an optional sign and an optional point before or after its digits. Returns
 * false for everything else, exponents included.
 */
function scanNumber(bytes: Uint8Array, at: number, end: number): boolean {
  const sign = bytes[at]
  isNegative = sign === 0x2d
  if (isNegative || sign === 0x2b) at++
  scanned = 0
  digits = 0
  first = at
  let point = -1
  let all = 0
  for (; at < end; at++) {
    const byte = bytes[at] as number
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) {
      all++
      scanned = scanned * 10 + digit
      if (digits > 0 || digit > 0) {
        if (digits === 0) first = at
        digits++
      }
    } else if (byte === DOT && point < 0) point = at
    else return false
  }
  fraction = point < 0 ? 0 : end - point - 1
  return all > 0
}

/** Appends the integer in `bytes[at..end)` to a column of 8 to 64 bits. Returns false when bytes alone do not prove it. */
export function appendInteger(
  builder: FixedBuilder,
  range: { readonly minimum: number; readonly maximum: number },
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  // A point is no part of an integer, even at its end.
  if (end - at > WORDS_DIGITS_MAX || bytes[end - 1] === DOT || !scanNumber(bytes, at, end) || fraction > 0)
    return false
  if (digits > EXACT_DIGITS_MAX) return builder.words === 2 && appendLongDigits(builder, bytes, end)
  const value = isNegative ? -scanned : scanned
  if (value < range.minimum || value > range.maximum) return false
  if (builder.words === 2) builder.appendSafe(value)
  else builder.appendNumber(value)
  return true
}

function appendLongDigits(builder: FixedBuilder, bytes: Uint8Array, end: number): boolean {
  readWords(bytes, end)
  if (words[3] !== 0 || words[2] !== 0 || (words[1] as number) >= TWO_32 / 2) return false
  if (isNegative) negateWords()
  builder.appendPair(words[0] as number, words[1] as number)
  return true
}

/** Appends the number in `bytes[at..end)` to a column of doubles or floats. Returns false when bytes alone do not prove it. */
export function appendDouble(builder: FixedBuilder, bytes: Uint8Array, at: number, end: number): boolean {
  if (scanNumber(bytes, at, end) && digits <= EXACT_DIGITS_MAX && fraction <= EXACT_DIGITS_MAX) {
    // Both operands are exact, so the quotient is correctly rounded.
    if (fraction > 0) scanned /= POWERS_OF_TEN[fraction] as number
    builder.appendNumber(isNegative ? -scanned : scanned)
    return true
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1')
  if (!DECIMAL.test(text)) return false
  const value = Number(text)
  const stored = builder.type === 'float' ? Math.fround(value) : value
  if (!Number.isFinite(stored)) return false
  builder.appendNumber(value)
  return true
}

/** Matches the numbers that a field of CSV may be. */
export const DECIMAL = /^[+-]?(?:\d{1,200}\.?\d{0,200}|\.\d{1,200})(?:[eE][+-]?\d{1,3})?$/

/**
 * Appends the number in `bytes[at..end)` to a column of decimals. Returns false when bytes alone do not prove that the
 * column holds it exactly.
 */
export function appendDecimal(
  builder: FixedBuilder,
  { precision, scale }: { readonly precision: number; readonly scale: number },
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (end - at > 2 * WORDS_DIGITS_MAX || !scanNumber(bytes, at, end)) return false
  const zeros = scale - fraction
  if (zeros < 0 || (digits > 0 && digits + zeros > Math.min(precision, WORDS_DIGITS_MAX))) return false
  if (digits + zeros <= EXACT_DIGITS_MAX) {
    const value = scanned * (POWERS_OF_TEN[zeros] as number)
    const signed = isNegative ? -value : value
    const high = Math.floor(signed / TWO_32)
    const sign = signed < 0 ? -1 : 0
    builder.appendWords((signed - high * TWO_32) | 0, high | 0, sign, sign)
    return true
  }
  readWords(bytes, end)
  for (let left = digits === 0 ? 0 : zeros; left > 0; left -= CHUNK_DIGITS)
    multiplyWords(POWERS_OF_TEN[Math.min(left, CHUNK_DIGITS)] as number, 0)
  if (isNegative) negateWords()
  builder.appendWords(
    (words[0] as number) | 0,
    (words[1] as number) | 0,
    (words[2] as number) | 0,
    (words[3] as number) | 0,
  )
  return true
}

/** Reads the digits from `first` to `end` into the words, lowest first. */
function readWords(bytes: Uint8Array, end: number): void {
  words.fill(0)
  let chunk = 0
  let count = 0
  for (let at = first; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === DOT) continue
    chunk = chunk * 10 + (byte - ZERO)
    if (++count < CHUNK_DIGITS) continue
    multiplyWords(POWERS_OF_TEN[CHUNK_DIGITS] as number, chunk)
    chunk = 0
    count = 0
  }
  if (count > 0) multiplyWords(POWERS_OF_TEN[count] as number, chunk)
}

function multiplyWords(factor: number, carry: number): void {
  for (let i = 0; i < words.length; i++) {
    const product = (words[i] as number) * factor + carry
    carry = Math.floor(product / TWO_32)
    words[i] = product - carry * TWO_32
  }
}

/** Makes the words the two's complement of themselves. */
function negateWords(): void {
  let carry = 1
  for (let i = 0; i < words.length; i++) {
    const sum = TWO_32 - 1 - (words[i] as number) + carry
    carry = sum === TWO_32 ? 1 : 0
    words[i] = carry === 1 ? 0 : sum
  }
}
