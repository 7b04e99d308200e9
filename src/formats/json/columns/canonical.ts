import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { JsonInput } from './json-bytes.ts'
import { isNullAt, skipPlainString, startsWith } from './scan.ts'

/*
 * JSON whose text is the one that `JSON.stringify` writes for its value: without white space, escapes, duplicate keys, keys
 * that are indexes, and numbers that are written in another way. Other JSON is left to be parsed and written again.
 */

const DEPTH_MAX = 16
const KEYS_MAX = 64
/** Digits of a number that a double keeps apart from every other number with as many. */
const DIGITS_MAX = 15
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30

/**
 * Reads a value other than text or null into a column of JSON texts. Returns the position after it, or -1 and appends nothing
 * when its text would be written in another way.
 */
export function readJsonText({ bytes, view }: JsonInput, builder: BytesBuilder, at: number): number {
  const end = skipCanonical(bytes, at, 0)
  if (end >= 0) builder.appendRange(view, at, end)
  return end
}

function skipCanonical(bytes: Uint8Array, at: number, depth: number): number {
  const byte = bytes[at] as number
  if (byte === QUOTE) return skipPlainString(bytes, at)
  if (byte === 0x7b) return depth < DEPTH_MAX ? skipObject(bytes, at, depth + 1) : -1
  if (byte === 0x5b) return depth < DEPTH_MAX ? skipArray(bytes, at, depth + 1) : -1
  if (byte === MINUS || (byte >= ZERO && byte <= 0x39)) return skipCanonicalNumber(bytes, at)
  if (startsWith(bytes, at, TRUE) || isNullAt(bytes, at)) return at + 4
  return startsWith(bytes, at, FALSE) ? at + 5 : -1
}

function skipArray(bytes: Uint8Array, at: number, depth: number): number {
  if (bytes[++at] === 0x5d) return at + 1
  for (;;) {
    at = skipCanonical(bytes, at, depth)
    if (at < 0) return -1
    if (bytes[at] === 0x5d) return at + 1
    if (bytes[at] !== COMMA) return -1
    at++
  }
}

/** The starts of the keys of objects that are not closed yet, those of inner objects last. */
const keyStarts = new Int32Array(DEPTH_MAX * KEYS_MAX)

function skipObject(bytes: Uint8Array, at: number, depth: number): number {
  if (bytes[++at] === 0x7d) return at + 1
  const base = (depth - 1) * KEYS_MAX
  for (let count = 0; count < KEYS_MAX; count++) {
    const end = skipPlainString(bytes, at)
    const first = bytes[at + 1] as number
    // Indexes come first in objects, in their order.
    if (end < 0 || bytes[end] !== 0x3a || (first >= ZERO && first <= 0x39)) return -1
    for (let k = base; k < base + count; k++)
      if (isSameText(bytes, keyStarts[k] as number, at, end - at)) return -1
    keyStarts[base + count] = at
    at = skipCanonical(bytes, end + 1, depth)
    if (at < 0) return -1
    if (bytes[at] === 0x7d) return at + 1
    if (bytes[at] !== COMMA) return -1
    at++
  }
  return -1
}

/** Returns true when two ranges of bytes of this size are the same. Quoted texts differ at the latest where the shorter ends. */
export function isSameText(bytes: Uint8Array, a: number, b: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}

/**
 * Returns the position after the number at `at`, or -1. Numbers of at most 15 digits have the text that a double has, if
 * they have no exponent and no zeros that could be left out.
 */
function skipCanonicalNumber(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at
  let end = first
  while (isDigitAt(bytes, end)) end++
  const whole = end - first
  const startsWithZero = bytes[first] === ZERO
  if (whole === 0 || (startsWithZero && whole > 1)) return -1
  const next = bytes[end]
  if (next === 0x65 || next === 0x45) return -1
  if (next !== DOT) return whole > DIGITS_MAX || (startsWithZero && first > at) ? -1 : end
  const start = ++end
  while (bytes[end] === ZERO) end++
  // 0.000001 is the smallest number without an exponent.
  if (startsWithZero && end - start > 5) return -1
  while (isDigitAt(bytes, end)) end++
  if (end === start || bytes[end - 1] === ZERO || end - start + whole > DIGITS_MAX) return -1
  return bytes[end] === 0x65 || bytes[end] === 0x45 ? -1 : end
}

function isDigitAt(bytes: Uint8Array, at: number): boolean {
  const digit = (bytes[at] as number) - ZERO
  return digit >= 0 && digit <= 9
}
