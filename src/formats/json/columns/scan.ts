/**
 * Functions that scan JSON bytes. Positions are indexes; -1 means that the bytes are not plain enough to decide. A
 * newline follows every record, so no loop needs a bounds check: no token but white space extends beyond it.
 */

/** Nesting up to which `skipValue` follows values. */
const DEPTH_MAX = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a

/** Returns the first position at or after `at` that is not white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at]
  return at
}

/** 1 for bytes that stand for themselves in a string: all but quotes, backslashes and control characters. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < 0x20 ? 0 : 1,
)

/** Returns the position after the string that starts at `at`, or -1 when there is none or it contains an escape. */
export function skipPlainString(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1
  // Beyond the end of the array the byte is `undefined`, which is not plain either.
  do at++
  while (IS_PLAIN[bytes[at] as number] === 1)
  return bytes[at] === QUOTE ? at + 1 : -1
}

/** Returns the position after the string that starts at `at`, with or without escapes, or -1 when there is none. */
export function skipString(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1
  at++
  for (;;) {
    while (IS_PLAIN[bytes[at] as number] === 1) at++
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] !== BACKSLASH) return -1
    const letter = bytes[at + 1] as number
    if (letter === 0x75) {
      if (hexAt(bytes, at + 2) < 0) return -1
      at += 6
    } else if (ESCAPES[letter] !== 0) at += 2
    else return -1
  }
}

/** Has what the letter after a backslash stands for; 0 for none. */
export const ESCAPES = new Uint8Array(256)
for (const pair of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  ESCAPES[pair.charCodeAt(0)] = pair.charCodeAt(1)

/** Returns the number of the four hexadecimal digits at `at`, or -1. */
export function hexAt(bytes: Uint8Array, at: number): number {
  let code = 0
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] as number
    const lower = byte | 0x20
    let digit = -1
    if (byte >= 0x30 && byte <= 0x39) digit = byte - 0x30
    else if (lower >= 0x61 && lower <= 0x66) digit = lower - 0x57
    if (digit < 0) return -1
    code = code * 16 + digit
  }
  return code
}

/** Returns the position after the JSON number that starts at `at`, or -1 when there is none. */
export function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x2d) at++
  const first = at
  at = skipDigits(bytes, at)
  if (at === first || (bytes[first] === 0x30 && at > first + 1)) return -1
  if (bytes[at] === 0x2e) {
    const fraction = skipDigits(bytes, at + 1)
    if (fraction === at + 1) return -1
    at = fraction
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++
    const exponent = skipDigits(bytes, at)
    if (exponent === at) return -1
    at = exponent
  }
  return at
}

function skipDigits(bytes: Uint8Array, at: number): number {
  while (isDigit(bytes[at])) at++
  return at
}

/** Returns true when the byte is an ASCII digit. */
export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

/** Returns true when `text` starts at `at`. */
export function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** Returns true when `null` is at `at`. */
export function isNullAt(bytes: Uint8Array, at: number): boolean {
  return startsWith(bytes, at, NULL)
}

/** Returns the position after `true`, `false` or `null` at `at`, or -1 when there is none. */
function skipLiteral(bytes: Uint8Array, at: number): number {
  if (startsWith(bytes, at, TRUE) || isNullAt(bytes, at)) return at + 4
  return startsWith(bytes, at, FALSE) ? at + 5 : -1
}

/**
 * Returns the position after the JSON value at `at`, or -1 when it is not plainly valid: faults, deep nesting.
 */
export function skipValue(bytes: Uint8Array, at: number, depth = 0): number {
  const byte = bytes[at] as number
  if (byte === QUOTE) return skipString(bytes, at)
  if (byte === 0x7b) return depth < DEPTH_MAX ? skipMembers(bytes, at, depth + 1, 0x7d) : -1
  if (byte === 0x5b) return depth < DEPTH_MAX ? skipMembers(bytes, at, depth + 1, 0x5d) : -1
  if (byte === 0x2d || isDigit(byte)) return skipNumber(bytes, at)
  return skipLiteral(bytes, at)
}

function skipMembers(bytes: Uint8Array, at: number, depth: number, close: number): number {
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === close) return at + 1
  for (;;) {
    if (close === 0x7d) {
      at = skipString(bytes, at)
      if (at < 0) return -1
      at = skipSpace(bytes, at)
      if (bytes[at] !== COLON) return -1
      at = skipSpace(bytes, at + 1)
    }
    at = skipValue(bytes, at, depth)
    if (at < 0) return -1
    at = skipSpace(bytes, at)
    if (bytes[at] === close) return at + 1
    if (bytes[at] !== COMMA) return -1
    at = skipSpace(bytes, at + 1)
  }
}
