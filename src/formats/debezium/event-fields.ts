import type { JsonInput } from '../json/columns/json-bytes.ts'
import type { FieldBuilder } from './event-batch.ts'
import { isDigit, skipPlainString, startsWith } from '../json/columns/scan.ts'

const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30
/** Number of digits that a double always holds exactly. */
const DIGITS_MAX = 15
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

/**
 * Appends the value of an event field that is not null at `at`. A column of text takes texts, whole numbers and booleans, a
 * column of longs whole numbers. Returns false and appends nothing for other values.
 */
export function readEventField({ bytes, view }: JsonInput, builder: FieldBuilder, at: number): boolean {
  if (builder.kind === 'fixed') {
    const end = integerEnd(bytes, at)
    if (end < 0) return false
    builder.appendSafe(integerIn(bytes, at, end))
    return true
  }
  if (bytes[at] === QUOTE) {
    const end = skipPlainString(bytes, at)
    if (end >= 0) builder.appendRange(view, at + 1, end - 1)
    return end >= 0
  }
  const end = startsWith(bytes, at, TRUE)
    ? at + 4
    : startsWith(bytes, at, FALSE)
      ? at + 5
      : integerEnd(bytes, at)
  if (end >= 0) builder.appendRange(view, at, end)
  return end >= 0
}

/** Returns the end of an integer of at most 15 digits as JSON writes it, or -1. */
function integerEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at
  let end = first
  while (isDigit(bytes[end])) end++
  const isPlain = end > first && end - first <= DIGITS_MAX
  // `-0` has another text.
  if (!isPlain || (bytes[first] === ZERO && (end > first + 1 || first > at))) return -1
  const next = bytes[end]
  return next === 0x2e || next === 0x65 || next === 0x45 ? -1 : end
}

function integerIn(bytes: Uint8Array, at: number, end: number): number {
  const isNegative = bytes[at] === MINUS
  let number = 0
  for (let i = isNegative ? at + 1 : at; i < end; i++) number = number * 10 + ((bytes[i] as number) - ZERO)
  return isNegative ? -number : number
}
