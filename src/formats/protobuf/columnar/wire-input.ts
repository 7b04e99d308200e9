import { GROUPS_MAX, WIRE_TYPE } from '../cursor.ts'

/**
 * Holds the bytes of a batch in two views, and what functions over them return beside a position: objects for each value
 * would cost more than reading it.
 */
export class WireInput {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Low half of the integer that was read last, or the end of the part that was entered last. */
  low = 0
  /** High half of that integer. */
  high = 0
  /** Start of the part that was entered last. */
  partStart = 0
  /** Number of fields of the present record that no message declares. */
  unknownFields = 0
  /** Values in the present record, including the defaults of absent fields. */
  values = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}

/*
 * The functions below read at `at` and return the position after what they read, or -1 when it is invalid. Numbers of seven
 * bits per byte are read without a look at the end of the record, because another byte follows each value; callers compare
 * the position with the end.
 */

/** Reads an integer of up to ten bytes into `low` and `high`. */
export function readVarint(input: WireInput, at: number): number {
  const { bytes } = input
  let byte = bytes[at++] as number
  let low = byte & 0x7f
  let high = 0
  if (byte >= 0x80) {
    let shift = 7
    do {
      if (shift === 70) return -1
      byte = bytes[at++] as number
      const bits = byte & 0x7f
      if (shift < 32) low |= bits << shift
      if (shift === 28) high = bits >>> 4
      else if (shift > 28) high |= bits << (shift - 32)
      shift += 7
    } while (byte >= 0x80)
  }
  input.low = low
  input.high = high
  return at
}

/** Reads the length of a part and returns the start of the part; `low` is its end. */
export function enterPart(input: WireInput, at: number, end: number): number {
  at = readVarint(input, at)
  if (at < 0 || at > end || input.high !== 0 || input.low < 0 || input.low > end - at) return -1
  input.low += at
  input.partStart = at
  return at
}

/** Skips a field that is not declared. */
export function skipField(input: WireInput, tag: number, at: number, end: number, depth = 0): number {
  switch (tag & 7) {
    case WIRE_TYPE.varint:
      return readVarint(input, at)
    case WIRE_TYPE.fixed64:
      return at + 8
    case WIRE_TYPE.bytes:
      return enterPart(input, at, end) < 0 ? -1 : input.low
    case WIRE_TYPE.fixed32:
      return at + 4
    case WIRE_TYPE.groupStart:
      return depth >= GROUPS_MAX ? -1 : skipGroup(input, tag, at, end, depth)
    default:
      return -1
  }
}

function skipGroup(input: WireInput, tag: number, at: number, end: number, depth: number): number {
  const groupEnd = ((tag & ~7) | WIRE_TYPE.groupEnd) >>> 0
  for (;;) {
    at = readVarint(input, at)
    if (at < 0 || at > end) return -1
    const inner = input.low >>> 0
    if (inner < 8) return -1
    if (inner === groupEnd) return at
    at = skipField(input, inner, at, end, depth + 1)
    if (at < 0 || at > end) return -1
  }
}

/** Returns true when the bytes are valid UTF-8. */
export function isUtf8Range({ bytes, view }: WireInput, at: number, end: number): boolean {
  for (; at + 4 <= end; at += 4) if ((view.getInt32(at, true) & 0x80808080) !== 0) break
  for (; at < end; at++) if ((bytes[at] as number) >= 0x80) return isMultibyteRange(bytes, at, end)
  return true
}

/** Checks the sequences of two to four bytes, as the Unicode standard tables them: table 3-7, "Well-Formed UTF-8". */
function isMultibyteRange(bytes: Uint8Array, at: number, end: number): boolean {
  while (at < end) {
    const first = bytes[at++] as number
    if (first < 0x80) continue
    if (first < 0xc2 || first > 0xf4) return false
    let rest = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
    if (at + rest > end) return false
    const second = bytes[at] as number
    const isShort = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90)
    const isBeyond = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f)
    if (isShort || isBeyond) return false
    for (; rest > 0; rest--) if (((bytes[at++] as number) & 0xc0) !== 0x80) return false
  }
  return true
}
