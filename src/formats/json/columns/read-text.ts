import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import { startsWithText, type JsonInput, type QuotedText } from './json-bytes.ts'
import { ESCAPES, hexAt, skipPlainString } from './scan.ts'
import type { TextLimits } from './plan.ts'

/*
 * Functions that read one string at `at` and append it to its column. Each returns the position after the value, or -1 and
 * appends nothing when bytes alone cannot prove that the value is valid.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const EQUALS = 0x3d
const LETTER_U = 0x75

/** Reads a string. */
export function readText(input: JsonInput, builder: BytesBuilder, limits: TextLimits, at: number): number {
  const { bytes, view } = input
  if (bytes[at] !== QUOTE) return -1
  const end = builder.appendQuoted(view, at + 1)
  if (end < 0) return readEscaped(input, builder, limits, at)
  return isLengthIn(input, bytes, at + 1, end, limits) ? end + 1 : -1
}

/** A code point takes one to four bytes: they are counted only where the size leaves the answer open. */
function isLengthIn(
  input: JsonInput,
  bytes: Uint8Array,
  start: number,
  end: number,
  { lengthMin, lengthMax }: TextLimits,
): boolean {
  const size = end - start
  if (size <= lengthMax && size >= 4 * lengthMin) return true
  const length = codePoints(bytes, start, end)
  if (length >= lengthMin && length <= lengthMax) return true
  input.slow = 'contract'
  return false
}

function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) count++
  return count
}

/** Reads a string with escapes: their text goes into the column. Half of a surrogate pair has no place in UTF-8. */
function readEscaped(input: JsonInput, builder: BytesBuilder, limits: TextLimits, at: number): number {
  const { bytes } = input
  const end = endOfString(bytes, at)
  if (end < 0) return -1
  // An escape is longer than what it stands for.
  const target = builder.startRange(end - at)
  const start = builder.used
  let to = start
  for (let i = at + 1; i < end - 1; i++) {
    const byte = bytes[i] as number
    if (byte !== BACKSLASH) {
      if (byte < 0x20) return -1
      target[to++] = byte
      continue
    }
    const letter = bytes[++i] as number
    if (letter !== LETTER_U) {
      const meaning = ESCAPES[letter] as number
      if (meaning === 0) return -1
      target[to++] = meaning
      continue
    }
    let code = hexAt(bytes, i + 1)
    i += 4
    if (code >= 0xd800 && code < 0xe000) {
      const second =
        code < 0xdc00 && bytes[i + 1] === BACKSLASH && bytes[i + 2] === LETTER_U ? hexAt(bytes, i + 3) : -1
      if (second < 0xdc00 || second > 0xdfff) return -1
      code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00)
      i += 6
    }
    if (code < 0) return -1
    to = writeCodePoint(target, to, code)
  }
  if (!isLengthIn(input, target, start, to, limits)) return -1
  builder.endRange(to)
  return end
}

/** Returns the position after the string at `at`, whose escapes are not checked, or -1. */
function endOfString(bytes: Uint8Array, at: number): number {
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) return i + 1
    // A newline follows each record.
    if (byte === 0x0a) return -1
    if (byte === BACKSLASH) i++
  }
  return -1
}

function writeCodePoint(target: Uint8Array, to: number, code: number): number {
  if (code < 0x80) {
    target[to++] = code
    return to
  }
  if (code < 0x800) target[to++] = 0xc0 | (code >> 6)
  else {
    if (code < 0x10000) target[to++] = 0xe0 | (code >> 12)
    else {
      target[to++] = 0xf0 | (code >> 18)
      target[to++] = 0x80 | ((code >> 12) & 0x3f)
    }
    target[to++] = 0x80 | ((code >> 6) & 0x3f)
  }
  target[to++] = 0x80 | (code & 0x3f)
  return to
}

/** Reads one of the given texts. */
export function readEnum(
  input: JsonInput,
  builder: BytesBuilder,
  texts: readonly QuotedText[],
  at: number,
): number {
  const { view } = input
  // Most texts differ in their first bytes.
  const first = at + 4 <= view.byteLength ? view.getInt32(at, true) : 0
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as QuotedText
    if ((text.words.length > 1 && text.words[0] !== first) || !startsWithText(view, at, text)) continue
    const end = at + text.size
    builder.appendRange(view, at + 1, end - 1)
    return end
  }
  input.slow = 'contract'
  return -1
}

/** The value of each character of base64; 255 for others. */
const BASE64 = new Uint8Array(256).fill(255)
for (const [value, letter] of Buffer.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries())
  BASE64[letter] = value

/** Reads a string in base64, with its padding, into a column of binary. */
export function readBinary({ bytes }: JsonInput, builder: BytesBuilder, at: number): number {
  const end = skipPlainString(bytes, at)
  const size = end - at - 2
  if (end < 0 || size % 4 !== 0) return -1
  const stop = end - 1
  const padding = size > 0 && bytes[stop - 1] === EQUALS ? (bytes[stop - 2] === EQUALS ? 2 : 1) : 0
  const target = builder.startRange((size / 4) * 3)
  let to = builder.used
  for (let i = at + 1; i < stop; i += 4) {
    const last = i + 4 === stop ? padding : 0
    const first = BASE64[bytes[i] as number] as number
    const second = BASE64[bytes[i + 1] as number] as number
    const third = last > 1 ? 0 : (BASE64[bytes[i + 2] as number] as number)
    const fourth = last > 0 ? 0 : (BASE64[bytes[i + 3] as number] as number)
    if ((first | second | third | fourth) > 63) return -1
    target[to++] = (first << 2) | (second >> 4)
    if (last < 2) target[to++] = (second << 4) | (third >> 2)
    if (last < 1) target[to++] = (third << 6) | fourth
  }
  builder.endRange(to)
  return end
}
