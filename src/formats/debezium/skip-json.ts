import { isDigit, isNullAt, skipNumber, skipSpace, startsWith } from '../json/scan.ts'

/*
 * Functions that find the end of a JSON value. Unlike those that read values into columns, they allow escapes. Everything is
 * checked as a parser does, since an event with a fault in any part of it is refused.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
/** Nesting up to which values are skipped. */
const DEPTH_MAX = 64
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const IS_ESCAPE = new Set(Buffer.from('"\\/bfnrt'))
/** 1 for bytes that stand for themselves in a string. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < 0x20 ? 0 : 1,
)

/** Returns the position of the next token. Most bytes are no white space, and one comparison shows it. */
export function nextToken(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) > 0x20 ? at : skipSpace(bytes, at)
}

/** Returns the position after the JSON value at `at`, or -1 when there is no valid one or it is nested deeply. */
export function skipJson(bytes: Uint8Array, at: number, depth = 0): number {
  const byte = bytes[at] as number
  if (byte === QUOTE) return skipText(bytes, at)
  if (byte === OPEN_OBJECT) return depth < DEPTH_MAX ? skipMembers(bytes, at, depth + 1) : -1
  if (byte === OPEN_ARRAY) return depth < DEPTH_MAX ? skipElements(bytes, at, depth + 1) : -1
  if (byte === 0x2d || isDigit(byte)) return skipNumber(bytes, at)
  if (isNullAt(bytes, at) || startsWith(bytes, at, TRUE)) return at + 4
  return startsWith(bytes, at, FALSE) ? at + 5 : -1
}

function skipMembers(bytes: Uint8Array, at: number, depth: number): number {
  at = nextToken(bytes, at + 1)
  if (bytes[at] === CLOSE_OBJECT) return at + 1
  for (;;) {
    at = skipText(bytes, at)
    if (at < 0) return -1
    at = nextToken(bytes, at)
    if (bytes[at] !== COLON) return -1
    at = skipJson(bytes, nextToken(bytes, at + 1), depth)
    if (at < 0) return -1
    at = nextToken(bytes, at)
    if (bytes[at] === CLOSE_OBJECT) return at + 1
    if (bytes[at] !== COMMA) return -1
    at = nextToken(bytes, at + 1)
  }
}

function skipElements(bytes: Uint8Array, at: number, depth: number): number {
  at = nextToken(bytes, at + 1)
  if (bytes[at] === CLOSE_ARRAY) return at + 1
  for (;;) {
    at = skipJson(bytes, at, depth)
    if (at < 0) return -1
    at = nextToken(bytes, at)
    if (bytes[at] === CLOSE_ARRAY) return at + 1
    if (bytes[at] !== COMMA) return -1
    at = nextToken(bytes, at + 1)
  }
}

/** Returns the position after the string at `at`, or -1 when there is no valid one. */
function skipText(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1
  for (;;) {
    // Beyond the end of the array the byte is `undefined`, which is not plain either.
    do at++
    while (IS_PLAIN[bytes[at] as number] === 1)
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] !== BACKSLASH) return -1
    const escaped = bytes[++at] as number
    if (escaped === 0x75) {
      for (let digit = 0; digit < 4; digit++) if (!isHexDigit(bytes[++at])) return -1
    } else if (!IS_ESCAPE.has(escaped)) return -1
  }
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}
