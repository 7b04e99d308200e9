import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { JsonInput } from './json-bytes.ts'
import type { DecimalRules } from './plan.ts'

const TWO_32 = 4_294_967_296
const QUOTE = 0x22
const DOT = 0x2e
const MINUS = 0x2d
const ZERO = 0x30
/** Bytes of a number, quotes included. Longer ones, mostly zeros, are left to be parsed. */
const BYTES_MAX = 64
/** Digits of which a double holds every one. */
const DIGITS_MAX = 15

/**
 * Reads a number without exponent, or a text with one, into a column of decimals. Returns the position after it, or -1 and
 * appends nothing when the column does not hold it exactly.
 */
export function readDecimal(
  input: JsonInput,
  builder: FixedBuilder,
  { precision, scale, numbers, texts }: DecimalRules,
  at: number,
): number {
  const { bytes } = input
  const isText = bytes[at] === QUOTE
  if (!(isText ? texts : numbers)) return -1
  const start = isText ? at + 1 : at
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  const dot = skipDigits(bytes, first)
  const end = bytes[dot] === DOT ? skipDigits(bytes, dot + 1) : dot
  if (dot === first || end === dot + 1 || end - at >= BYTES_MAX) return -1
  if (!isText && bytes[first] === ZERO && dot > first + 1) return -1
  const next = bytes[end]
  if (isText ? next !== QUOTE : next === 0x65 || next === 0x45) return -1
  // The digits beyond the scale must be zeros, since values are never rounded.
  const fraction = end > dot ? end - dot - 1 : 0
  const kept = Math.min(fraction, scale)
  for (let i = dot + 1 + kept; i < end; i++) if (bytes[i] !== ZERO) return -1
  const zeros = scale - kept
  if (!appendDigits(bytes, builder, first, dot, kept, zeros, precision, isNegative)) return -1
  return isText ? end + 1 : end
}

function skipDigits(bytes: Uint8Array, at: number): number {
  let digit = (bytes[at] as number) - ZERO
  while (digit >= 0 && digit <= 9) digit = (bytes[++at] as number) - ZERO
  return at
}

/** Holds a magnitude of 128 bits in four words, the lowest first. */
const words = new Float64Array(4)

function multiplyAdd(factor: number, addend: number): void {
  for (let i = 0; i < 4; i++) {
    const product = (words[i] as number) * factor + addend
    addend = Math.floor(product / TWO_32)
    words[i] = product - addend * TWO_32
  }
}

/**
 * Appends the digits in `[first, dot)`, `kept` digits after the dot, and `zeros` zeros as one integer. Returns false when
 * it has more than `precision` digits.
 */
function appendDigits(
  bytes: Uint8Array,
  builder: FixedBuilder,
  first: number,
  dot: number,
  kept: number,
  zeros: number,
  precision: number,
  isNegative: boolean,
): boolean {
  const end = kept === 0 ? dot : dot + 1 + kept
  let at = first
  while (at < end && (bytes[at] === ZERO || bytes[at] === DOT)) at++
  const isZero = at === end
  const digits = isZero ? 0 : end - at - (at < dot && end > dot ? 1 : 0) + zeros
  if (digits > precision) return false
  let number = 0
  words.fill(0)
  if (!isZero) {
    const isShort = digits <= DIGITS_MAX
    for (let i = at; i < end + zeros; i++) {
      if (i === dot && i < end) continue
      const digit = i < end ? (bytes[i] as number) - ZERO : 0
      if (isShort) number = number * 10 + digit
      else multiplyAdd(10, digit)
    }
    if (isShort) {
      words[1] = Math.floor(number / TWO_32)
      words[0] = number - words[1] * TWO_32
    }
  }
  if (isNegative) negate()
  builder.appendWords(words[0] as number, words[1] as number, words[2] as number, words[3] as number)
  return true
}

/** Makes the two's complement of the words. */
function negate(): void {
  let carry = 1
  for (let i = 0; i < 4; i++) {
    const word = TWO_32 - 1 - (words[i] as number) + carry
    carry = word >= TWO_32 ? 1 : 0
    words[i] = word - carry * TWO_32
  }
}
