import { isUtf8 } from 'node:buffer'
import type { SlowReason } from '../../format.ts'

/** From this size on, one native call checks a text faster than a loop does. */
const NATIVE_BYTES_MIN = 256
const WORD_BYTES = 4
/** The highest bit of each of four bytes: none is set in ASCII. */
const HIGH_BITS = 0x80808080 | 0

/** Names a field without a column. */
export interface DroppedPath {
  /** Dotted path in lower case. */
  readonly path: string
  /** True once a record with the field was read. */
  isNoted: boolean
}

/**
 * Holds the bytes that records are read from, and what reading one value found: returning an object for each would cost
 * more.
 */
export class AvroInput {
  bytes: Uint8Array = new Uint8Array(0)
  view = new DataView(this.bytes.buffer)
  /** Position after the record that is being read. */
  end = 0
  /** The two halves of the number that `readAvroLong` read last. */
  low = 0
  high = 0
  /** Why the last record was left. */
  reason: SlowReason = 'value'
  /** Number of fields without a column in all records so far, if they are counted. */
  dropped = 0
  /** The fields without a column that were found for the first time in the present record. */
  readonly firstDropped: DroppedPath[] = []

  /** Reads from `bytes` from now on. */
  open(bytes: Uint8Array): void {
    if (this.bytes === bytes) return
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}

/**
 * Reads a zigzag-encoded number of up to 64 bits into `low` and `high`. Returns the position after it, or -1 when there
 * is none.
 */
export function readAvroLong(input: AvroInput, at: number): number {
  if (at >= input.end) return -1
  const byte = input.bytes[at] as number
  if (byte >= 0x80) return readLongOfBytes(input, at)
  const low = (byte >>> 1) ^ -(byte & 1)
  input.low = low
  input.high = low >> 31
  return at + 1
}

function readLongOfBytes(input: AvroInput, at: number): number {
  const { bytes, end } = input
  let low = 0
  let high = 0
  for (let shift = 0; shift <= 63; shift += 7) {
    if (at >= end) return -1
    const byte = bytes[at++] as number
    const bits = byte & 0x7f
    if (shift < 28) low |= bits << shift
    else if (shift === 28) {
      low |= bits << 28
      high = bits >>> 4
    } else if (shift < 63) high |= bits << (shift - 32)
    else {
      // Only one of 64 bits is left.
      if (byte > 1) return -1
      high |= byte << 31
    }
    if (byte < 0x80) {
      const sign = -(low & 1)
      input.low = ((low >>> 1) | (high << 31)) ^ sign
      input.high = (high >>> 1) ^ sign
      return at
    }
  }
  return -1
}

/** Reads a number of 32 bits into `low`, as `readAvroLong` does. */
export function readInt(input: AvroInput, at: number): number {
  at = readAvroLong(input, at)
  return at >= 0 && input.high === input.low >> 31 ? at : -1
}

/**
 * Reads the length of bytes, into `low`, and returns the position of the first of them; -1 when the record does not hold
 * as many.
 */
export function readLength(input: AvroInput, at: number): number {
  at = readAvroLong(input, at)
  return at >= 0 && input.high === 0 && input.low >= 0 && input.low <= input.end - at ? at : -1
}

/**
 * Reads the number of items in the next block of an array or a map into `low`, and skips the size of the block that may
 * follow it. Returns the position after them; -1 when the record cannot hold as many items of `bytesMin` bytes.
 */
export function readCount(input: AvroInput, bytesMin: number, at: number): number {
  at = readAvroLong(input, at)
  if (at < 0) return -1
  let count = input.low
  if (input.high !== count >> 31) return -1
  if (count < 0) {
    at = readAvroLong(input, at)
    if (at < 0 || input.high < 0 || input.high > 0xfffff) return -1
    count = -count
    input.low = count
  }
  // Items without bytes are limited for all values together, which only the object reader counts.
  if (count !== 0 && (bytesMin === 0 || count < 0 || count * bytesMin > input.end - at)) return -1
  return at
}

/** Returns true when the bytes are valid UTF-8. */
export function isTextAt(input: AvroInput, start: number, end: number): boolean {
  const { bytes, view } = input
  if (end - start >= NATIVE_BYTES_MIN) return isUtf8(bytes.subarray(start, end))
  let bits = 0
  let at = start
  for (; at + WORD_BYTES <= end; at += WORD_BYTES) bits |= view.getInt32(at, true)
  for (; at < end; at++) bits |= bytes[at] as number
  return (bits & HIGH_BITS) === 0 || isUnicodeAt(bytes, start, end)
}

/** Returns true for valid UTF-8. Unicode, table 3-7: "Well-Formed UTF-8 Byte Sequences". */
function isUnicodeAt(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const byte = bytes[at++] as number
    if (byte < 0x80) continue
    if (byte < 0xc2 || byte > 0xf4) return false
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    if (at + more > end) return false
    const second = bytes[at] as number
    if (second < secondMin(byte) || second > secondMax(byte)) return false
    for (let i = 1; i < more; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}

function secondMin(first: number): number {
  return first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
}

function secondMax(first: number): number {
  return first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
}
