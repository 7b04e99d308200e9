import { decimalText } from '../../arrow/decimal.ts'
import { formatDateTime } from '../../arrow/time.ts'
import { ExactNumber } from '../../core/exact.ts'
import { WIRE_TYPE, type ProtoCursor } from './cursor.ts'

/* Readers for messages of `google.protobuf` with a meaning of their own: timestamps, durations and arbitrary JSON. */

/** Counts the seconds from the epoch back to 0001-01-01, the first timestamp. */
export const SECONDS_MIN = -62_135_596_800
/** Counts the seconds from the epoch to the last second of 9999, the last timestamp. */
export const SECONDS_MAX = 253_402_300_799
/** Counts the seconds of ten thousand years, the range of a duration. */
export const DURATION_SECONDS_MAX = 315_576_000_000
/** Limits the nanoseconds of a timestamp or a duration. */
export const NANOS_MAX = 999_999_999
/** Depth of nested lists and structs. */
const JSON_DEPTH_MAX = 100

/** Reads a `google.protobuf.Timestamp` as ISO 8601 text. Nanoseconds are truncated to microseconds. */
export function readTimestamp(cursor: ProtoCursor): string {
  const { seconds, nanos } = secondsAndNanos(cursor)
  if (!(seconds >= SECONDS_MIN && seconds <= SECONDS_MAX) || nanos < 0 || nanos > NANOS_MAX)
    throw new Error(
      `expected a timestamp of the years 1 to 9999, got ${seconds} seconds and ${nanos} nanoseconds`,
    )
  return formatDateTime(BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanos / 1_000)), true)
}

/** Reads a `google.protobuf.Duration` as seconds with nine fraction digits. */
export function readDuration(cursor: ProtoCursor): ExactNumber {
  const { seconds, nanos } = secondsAndNanos(cursor)
  const fits = seconds >= -DURATION_SECONDS_MAX && seconds <= DURATION_SECONDS_MAX
  const sameSign = Number(seconds) === 0 || nanos === 0 || seconds > 0 === nanos > 0
  if (!fits || !sameSign || Math.abs(nanos) > NANOS_MAX)
    throw new Error(`expected a duration, got ${seconds} seconds and ${nanos} nanoseconds`)
  return new ExactNumber(decimalText(BigInt(seconds) * 1_000_000_000n + BigInt(nanos), 9))
}

function secondsAndNanos(cursor: ProtoCursor): { seconds: number | bigint; nanos: number } {
  let seconds: number | bigint = 0
  let nanos = 0
  while (cursor.bytesLeft > 0) {
    const tag = cursor.tag()
    if (tag === 8) seconds = cursor.int64()
    else if (tag === 16) nanos = cursor.int32()
    else skipOther(cursor, tag, [1, 2])
  }
  return { seconds, nanos }
}

/** Reads a `google.protobuf.Struct`, `Value` or `ListValue` as JSON text. */
export function readStructJson(cursor: ProtoCursor, of: 'Struct' | 'Value' | 'ListValue'): string {
  return JSON.stringify(READERS[of](cursor, 0))
}

const READERS = { Struct: structOf, Value: valueOf, ListValue: listOf } as const

function structOf(cursor: ProtoCursor, depth: number): unknown {
  checkDepth(depth)
  // Without a prototype, so that every key is an ordinary entry.
  const struct = Object.create(null) as Record<string, unknown>
  while (cursor.bytesLeft > 0) {
    const tag = cursor.tag()
    if (tag !== (8 | WIRE_TYPE.bytes)) {
      skipOther(cursor, tag, [1])
      continue
    }
    const outer = cursor.enter()
    let key = ''
    let value: unknown = null
    while (cursor.bytesLeft > 0) {
      const inner = cursor.tag()
      if (inner === (8 | WIRE_TYPE.bytes)) key = cursor.string()
      else if (inner === (16 | WIRE_TYPE.bytes)) value = within(cursor, valueOf, depth)
      else skipOther(cursor, inner, [1, 2])
    }
    cursor.leave(outer)
    struct[key] = value
  }
  return struct
}

function listOf(cursor: ProtoCursor, depth: number): unknown {
  checkDepth(depth)
  const list: unknown[] = []
  while (cursor.bytesLeft > 0) {
    const tag = cursor.tag()
    if (tag === (8 | WIRE_TYPE.bytes)) list.push(within(cursor, valueOf, depth))
    else skipOther(cursor, tag, [1])
  }
  return list
}

function valueOf(cursor: ProtoCursor, depth: number): unknown {
  let value: unknown = null
  while (cursor.bytesLeft > 0) {
    const tag = cursor.tag()
    switch (tag) {
      case (1 << 3) | WIRE_TYPE.varint:
        cursor.int32()
        value = null
        break
      case (2 << 3) | WIRE_TYPE.fixed64:
        value = cursor.double()
        break
      case (3 << 3) | WIRE_TYPE.bytes:
        value = cursor.string()
        break
      case (4 << 3) | WIRE_TYPE.varint:
        value = cursor.bool()
        break
      case (5 << 3) | WIRE_TYPE.bytes:
        value = within(cursor, structOf, depth + 1)
        break
      case (6 << 3) | WIRE_TYPE.bytes:
        value = within(cursor, listOf, depth + 1)
        break
      default:
        skipOther(cursor, tag, [1, 2, 3, 4, 5, 6])
    }
  }
  return value
}

function within(
  cursor: ProtoCursor,
  read: (cursor: ProtoCursor, depth: number) => unknown,
  depth: number,
): unknown {
  cursor.countValues(1)
  const outer = cursor.enter()
  const value = read(cursor, depth)
  cursor.leave(outer)
  return value
}

function checkDepth(depth: number): void {
  if (depth > JSON_DEPTH_MAX)
    throw new Error(`expected at most ${JSON_DEPTH_MAX} nested lists and structs, got more`)
}

/** Skips a field that is not in `known`. Throws for a known field, because its wire type is wrong. */
function skipOther(cursor: ProtoCursor, tag: number, known: readonly number[]): void {
  if (known.includes(tag >>> 3))
    throw new Error(`field ${tag >>> 3} has the wire type ${tag & 7}, expected another`)
  cursor.unknownFields++
  cursor.skip(tag)
}
