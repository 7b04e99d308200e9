import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import { ProtoCursor, VALUES_MAX } from '../cursor.ts'
import {
  DURATION_SECONDS_MAX,
  NANOS_MAX,
  readStructJson,
  SECONDS_MAX,
  SECONDS_MIN,
} from '../protobuf-well-known.ts'
import type { SymbolTexts, TextRange, WireNumberKind } from './value-plan.ts'
import { enterPart, isUtf8Range, readVarint, skipField, type WireInput } from './wire-input.ts'

/*
 * Functions that read one value at `at` and append it to its column. Each returns the position after the value, or -1 when
 * bytes alone cannot prove that it is valid; the column may contain a part of it then, which the caller truncates. A result
 * beyond `end` is invalid as well.
 */

const TWO_32 = 4_294_967_296
const SECONDS_PER_DAY = 86_400

/** Reads a number. Integers have the words of their column: one, two for a long, four for an unsigned one of 64 bits. */
export function readNumber(
  input: WireInput,
  kind: WireNumberKind,
  builder: FixedBuilder,
  at: number,
  end: number,
): number {
  switch (kind) {
    case 'int64':
      at = readVarint(input, at)
      if (at >= 0) appendLong(builder, input.low, input.high)
      return at
    case 'int32':
      at = readVarint(input, at)
      if (at >= 0) appendInteger(builder, input.low)
      return at
    case 'double':
      return readDouble(input, builder, at, end)
    case 'bool':
      at = readVarint(input, at)
      if (at >= 0) builder.appendNumber((input.low | input.high) === 0 ? 0 : 1)
      return at
    case 'sint32':
      at = readVarint(input, at)
      if (at >= 0) appendInteger(builder, (input.low >>> 1) ^ -(input.low & 1))
      return at
    case 'sint64':
      at = readVarint(input, at)
      if (at >= 0) appendZigzag(builder, input.low, input.high)
      return at
    case 'uint32':
      at = readVarint(input, at)
      if (at >= 0) builder.appendPair(input.low, 0)
      return at
    case 'float':
      return readFloat(input, builder, at, end)
    default:
      return readFixed(input, kind, builder, at, end)
  }
}

function readFixed(
  { view }: WireInput,
  kind: 'fixed32' | 'sfixed32' | 'fixed64',
  builder: FixedBuilder,
  at: number,
  end: number,
): number {
  if (end - at < (kind === 'fixed64' ? 8 : 4)) return -1
  const low = view.getInt32(at, true)
  if (kind === 'fixed64') {
    appendLong(builder, low, view.getInt32(at + 4, true))
    return at + 8
  }
  if (kind === 'fixed32') builder.appendPair(low, 0)
  else appendInteger(builder, low)
  return at + 4
}

function appendInteger(builder: FixedBuilder, value: number): void {
  if (builder.words === 1) builder.appendNumber(value)
  else builder.appendPair(value, value >> 31)
}

function appendLong(builder: FixedBuilder, low: number, high: number): void {
  if (builder.words === 2) builder.appendPair(low, high)
  else builder.appendWords(low, high, 0, 0)
}

function appendZigzag(builder: FixedBuilder, low: number, high: number): void {
  const sign = -(low & 1)
  builder.appendPair(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign)
}

function readDouble({ view }: WireInput, builder: FixedBuilder, at: number, end: number): number {
  if (end - at < 8) return -1
  const value = view.getFloat64(at, true)
  if (!Number.isFinite(value)) return -1
  builder.appendNumber(value)
  return at + 8
}

function readFloat({ view }: WireInput, builder: FixedBuilder, at: number, end: number): number {
  if (end - at < 4) return -1
  const value = view.getFloat32(at, true)
  if (!Number.isFinite(value)) return -1
  builder.appendNumber(value)
  return at + 4
}

/** Reads text, which must be UTF-8, or bytes. */
export function readBytes(
  input: WireInput,
  isText: boolean,
  builder: BytesBuilder,
  at: number,
  end: number,
): number {
  at = enterPart(input, at, end)
  if (at < 0) return -1
  const stop = input.low
  if (isText && !isUtf8Range(input, at, stop)) return -1
  builder.appendRange(input.view, at, stop)
  return stop
}

/** Reads a number of an enumeration as its symbol. Numbers without a symbol are left to the slow way. */
export function readSymbol(
  input: WireInput,
  { dense, others, texts }: SymbolTexts,
  builder: BytesBuilder,
  at: number,
): number {
  at = readVarint(input, at)
  if (at < 0) return -1
  const number = input.low
  const position = number >= 0 && number < dense.length ? dense[number] : others.get(number)
  const text = texts[(position ?? 0) - 1]
  if (text === undefined) return -1
  appendText(builder, text)
  return at
}

/** Appends a text that is known before any record. */
export function appendText(builder: BytesBuilder, { view, start, end }: TextRange): void {
  builder.appendRange(view, start, end)
}

/** Hold what `readSeconds` read last: returning an object for each would cost more. */
let seconds = 0
let nanos = 0

/** Reads the seconds and nanoseconds of a timestamp or a duration, whose parts may be in any order. */
function readSeconds(input: WireInput, at: number, end: number): number {
  at = enterPart(input, at, end)
  if (at < 0) return -1
  const stop = input.low
  seconds = 0
  nanos = 0
  while (at < stop) {
    at = readVarint(input, at)
    const tag = input.low >>> 0
    if (at < 0 || tag < 8) return -1
    if (tag === 8 || tag === 16) {
      at = readVarint(input, at)
      if (at < 0) return -1
      if (tag === 8) seconds = input.high * TWO_32 + (input.low >>> 0)
      else nanos = input.low
    } else {
      if (tag >>> 3 <= 2) return -1
      input.unknownFields++
      at = skipField(input, tag, at, stop)
      if (at < 0) return -1
    }
  }
  return at === stop ? stop : -1
}

/** Reads a `google.protobuf.Timestamp`; nanoseconds are truncated to microseconds. */
export function readWireTimestamp(input: WireInput, builder: FixedBuilder, at: number, end: number): number {
  at = readSeconds(input, at, end)
  if (at < 0 || seconds < SECONDS_MIN || seconds > SECONDS_MAX || nanos < 0 || nanos > NANOS_MAX) return -1
  const days = Math.floor(seconds / SECONDS_PER_DAY)
  builder.appendMicros(days, (seconds - days * SECONDS_PER_DAY) * 1_000_000 + Math.floor(nanos / 1_000))
  return at
}

/** Reads a `google.protobuf.Duration` as nanoseconds, the unscaled integer of its decimal. */
export function readWireDuration(input: WireInput, builder: FixedBuilder, at: number, end: number): number {
  at = readSeconds(input, at, end)
  if (at < 0 || Math.abs(seconds) > DURATION_SECONDS_MAX || Math.abs(nanos) > NANOS_MAX) return -1
  if (seconds !== 0 && nanos !== 0 && seconds > 0 !== nanos > 0) return -1
  const isNegative = seconds < 0 || nanos < 0
  const whole = Math.abs(seconds)
  // The product has up to 69 bits: the seconds are split so that each part is exact.
  const upper = Math.floor(whole / 65_536)
  const lower = (whole - upper * 65_536) * 1_000_000_000 + Math.abs(nanos)
  const middle = upper * 1_000_000_000 + Math.floor(lower / 65_536)
  // The value is middle * 2^16 + lower % 2^16.
  const highest = Math.floor(middle / 65_536)
  const word0 = ((middle % 65_536) * 65_536 + (lower % 65_536)) | 0
  const word1 = highest | 0
  const word2 = Math.floor(highest / TWO_32) | 0
  if (isNegative) appendNegated(builder, word0, word1, word2)
  else builder.appendWords(word0, word1, word2, 0)
  return at
}

/** Appends the negative of an integer of three words. */
function appendNegated(builder: FixedBuilder, word0: number, word1: number, word2: number): void {
  const first = -word0 | 0
  const second = word0 === 0 ? -word1 | 0 : ~word1
  const third = word0 === 0 && word1 === 0 ? -word2 | 0 : ~word2
  builder.appendWords(first, second, third, word0 === 0 && word1 === 0 && word2 === 0 ? 0 : -1)
}

/** Reads a message of arbitrary JSON as its text. Only these values become objects in between. */
export function readStructText(
  input: WireInput,
  of: 'Struct' | 'Value' | 'ListValue',
  builder: BytesBuilder,
  at: number,
  end: number,
): number {
  at = enterPart(input, at, end)
  if (at < 0) return -1
  const stop = input.low
  // Each of its values takes a byte at least.
  input.values += stop - at
  if (input.values > VALUES_MAX) return -1
  try {
    const cursor = new ProtoCursor(input.bytes.subarray(at, stop))
    const text = readStructJson(cursor, of)
    input.unknownFields += cursor.unknownFields
    return builder.append(text) === undefined ? stop : -1
  } catch {
    // The slow way says what is wrong with it.
    return -1
  }
}
