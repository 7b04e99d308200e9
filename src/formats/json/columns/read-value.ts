import type { ListBuilder, MapBuilder, StructBuilder } from '../../../arrow/builder.ts'
import { provesRules } from './checked.ts'
import { isSameText, readJsonText } from './canonical.ts'
import { startsWithText, type JsonInput } from './json-bytes.ts'
import { readDecimal } from './read-decimal.ts'
import { readBoolean, readDouble, readFloat, readInteger, readLong, readWholeDouble } from './read-number.ts'
import { readBinary, readEnum, readText } from './read-text.ts'
import { readDate, readDateTime } from './read-time.ts'
import { isNullAt, skipPlainString, skipSpace, skipValue } from './scan.ts'
import { addUnknown, readUnknown } from './unknown-fields.ts'
import type { CheckedPlan, MapPlan, MemberPlan, ObjectPlan, SourceTap, ValuePlan } from './plan.ts'

const QUOTE = 0x22
const COLON = 0x3a
const COMMA = 0x2c
const SPACE = 0x20
const ZERO = 0x30
/** Members that are compared one by one before the name is looked up. */
const STEPS = 3

/**
 * Reads the JSON value at `at` into its column. Returns the position after it, or -1 when bytes alone cannot prove that
 * the value is valid. After -1 the column may contain a part of the value, which the caller truncates.
 */
function readValue(input: JsonInput, plan: ValuePlan, at: number): number {
  if (input.bytes[at] === 0x6e) {
    if (!plan.nullable || !isNullAt(input.bytes, at)) return -1
    plan.builder.appendNull()
    return at + 4
  }
  switch (plan.kind) {
    case 'text':
      return readText(input, plan.builder, plan.rules, at)
    case 'enum':
      return readEnum(input, plan.builder, plan.rules, at)
    case 'long':
      return readLong(input, plan.builder, plan.rules, at)
    case 'integer':
      return readInteger(input, plan.builder, plan.rules, at)
    case 'double':
      return readDouble(input, plan.builder, plan.rules, at)
    case 'time':
      return readDateTime(input, plan.builder, plan.rules, at)
    case 'boolean':
      return readBoolean(input, plan.builder, at)
    case 'list':
      return readList(input, plan.builder, plan.rules, at)
    case 'object':
      return readObject(input, plan.builder, plan.rules, at)
    case 'decimal':
      return readDecimal(input, plan.builder, plan.rules, at)
    case 'date':
      return readDate(input, plan.builder, at)
    case 'map':
      return readMap(input, plan.builder, plan.rules, at)
    case 'jsonText':
      return input.bytes[at] === QUOTE
        ? readText(input, plan.builder, plan.rules, at)
        : readJsonText(input, plan.builder, at)
    case 'source':
      return readSource(input, plan.builder, plan.rules, at)
    case 'float':
      return readFloat(input, plan.builder, plan.rules, at)
    case 'wholeDouble':
      return readWholeDouble(input, plan.builder, plan.rules, at)
    case 'binary':
      return readBinary(input, plan.builder, at)
    case 'checked':
      return readChecked(input, plan.rules, at)
  }
}

function readChecked(input: JsonInput, { inner, check }: CheckedPlan, at: number): number {
  const end = readValue(input, inner, at)
  if (end < 0 || provesRules(check, input.bytes, at, end)) return end
  input.slow = 'contract'
  return -1
}

/** Reads a value of which the tap takes note, into its column if it has one. */
function readSource(input: JsonInput, tap: SourceTap, column: ValuePlan | undefined, at: number): number {
  const end = column === undefined ? skipValue(input.bytes, at) : readValue(input, column, at)
  if (end < 0 || tap.note(input.bytes, at, end)) return end
  input.slow = 'transform'
  return -1
}

function readList(input: JsonInput, builder: ListBuilder, element: ValuePlan, at: number): number {
  const { bytes } = input
  if (bytes[at] !== 0x5b) return -1
  at = next(bytes, at + 1)
  if (bytes[at] === 0x5d) {
    builder.end(1)
    return at + 1
  }
  for (;;) {
    at = readValue(input, element, at)
    if (at < 0) return -1
    at = next(bytes, at)
    const byte = bytes[at]
    if (byte === 0x5d) {
      builder.end(1)
      return at + 1
    }
    if (byte !== COMMA) return -1
    at = next(bytes, at + 1)
  }
}

/** Entries of one map. */
const ENTRIES_MAX = 256
/** The starts of the keys of maps that are not closed yet, those of inner maps last. */
const keyStarts = new Int32Array(8 * ENTRIES_MAX)
let keyCount = 0

/** Reads the object at `at` into a map. Keys that occur twice, and indexes that are not in order, are left to be parsed. */
function readMap(input: JsonInput, builder: MapBuilder, plan: MapPlan, at: number): number {
  const base = keyCount
  const end = readEntries(input, builder, plan, at, base)
  keyCount = base
  return end
}

function readEntries(
  input: JsonInput,
  builder: MapBuilder,
  { key, value }: MapPlan,
  at: number,
  base: number,
): number {
  const { bytes } = input
  if (bytes[at] !== 0x7b) return -1
  at = next(bytes, at + 1)
  if (bytes[at] === 0x7d) {
    builder.end(1)
    return at + 1
  }
  // Objects have their indexes first, in their order.
  let lastIndex = -1
  for (;;) {
    const end = skipPlainString(bytes, at)
    if (end < 0 || keyCount === keyStarts.length || keyCount - base === ENTRIES_MAX) return -1
    const index = indexIn(bytes, at + 1, end - 1)
    if (index >= 0 && index <= lastIndex) return -1
    lastIndex = index < 0 ? Infinity : index
    for (let k = base; k < keyCount; k++)
      if (isSameText(bytes, keyStarts[k] as number, at, end - at)) return -1
    keyStarts[keyCount++] = at
    if (readValue(input, key, at) !== end) return -1
    at = next(bytes, end)
    if (bytes[at] !== COLON) return -1
    at = readValue(input, value, next(bytes, at + 1))
    if (at < 0) return -1
    at = next(bytes, at)
    if (bytes[at] === 0x7d) {
      builder.end(1)
      return at + 1
    }
    if (bytes[at] !== COMMA) return -1
    at = next(bytes, at + 1)
  }
}

/** Returns the array index that the key in `[start, end)` is, or -1. */
function indexIn(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || end - start > 10 || (bytes[start] === ZERO && end - start > 1)) return -1
  let index = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    index = index * 10 + digit
  }
  return index < 4_294_967_295 ? index : -1
}

/** Reads the object at `at` into a row, as `readObject` does. A record that threw may have left keys behind. */
export function readRow(input: JsonInput, builder: StructBuilder, plan: ObjectPlan, at: number): number {
  keyCount = 0
  return readObject(input, builder, plan, at)
}

/**
 * Reads the object at `at` into the children of `builder`. It expects that the keys follow each other as they did in the
 * previous object. Returns the position after it, or -1 as `readValue` does.
 */
function readObject(input: JsonInput, builder: StructBuilder, plan: ObjectPlan, at: number): number {
  const { bytes, view } = input
  const { members, columns } = plan
  if (bytes[at] !== 0x7b) return -1
  const start = at
  at = next(bytes, at + 1)
  const turn = ++plan.objects
  let count = 0
  let previous = 0
  if (bytes[at] !== 0x7d)
    for (;;) {
      let index = plan.successors[previous] as number
      let member = members[index]
      if (member !== undefined && startsWithText(view, at, member.key)) at += member.key.size
      else {
        index = memberAt(plan, view, at, previous)
        if (index < 0 && plan.unknown.use !== 'skip') {
          index = unknownAt(input, plan, at)
          if (index < 0) return -1
        }
        member = members[index]
        at = member === undefined ? skipPlainString(bytes, at) : at + member.name.size
        if (at < 0) return -1
        at = next(bytes, at)
        if (bytes[at] !== COLON) return -1
        at++
      }
      at = next(bytes, at)
      if (member === undefined) at = skipValue(bytes, at)
      else {
        // With a duplicate key the last value counts, which this reader does not support.
        if (plan.seenIn[index] === turn) return -1
        plan.seenIn[index] = turn
        previous = index + 1
        if (member.value === undefined) at = readUnknown(input, plan.unknown, member, at)
        else {
          if (index < columns) {
            count++
            const lagging = plan.lagging[index]
            if (lagging !== undefined && lagging.length < builder.length) lagging.padTo(builder.length)
          }
          at = readValue(input, member.value, at)
        }
      }
      if (at < 0) return -1
      at = next(bytes, at)
      const byte = bytes[at]
      if (byte === 0x7d) break
      if (byte !== COMMA) return -1
      at = next(bytes, at + 1)
    }
  if (count > plan.fieldsMax) return -1
  if (plan.check !== undefined && !provesRules(plan.check, bytes, start, at + 1)) {
    input.slow = 'contract'
    return -1
  }
  if (count === columns) builder.endCompleteRow()
  else if (!isComplete(input, plan, turn) || !builder.endRow()) return -1
  return at + 1
}

/** Returns the position of the next token. Most bytes are no white space, and one comparison shows it. */
function next(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) > SPACE ? at : skipSpace(bytes, at)
}

/** Returns the index of the member whose name is at `at`, or -1; the members after `previous` are tried first. */
function memberAt(plan: ObjectPlan, view: DataView, at: number, previous: number): number {
  const { members, successors } = plan
  for (let index = previous; index < previous + STEPS && index < members.length; index++) {
    const member = members[index] as MemberPlan
    if (!startsWithText(view, at, member.name)) continue
    successors[previous] = index
    return index
  }
  const index = plan.names.find(view, at)
  if (index >= 0) successors[previous] = index
  return index
}

/**
 * Returns the index of a new member for the unknown name at `at`, or -1 when the record must be parsed. A name with escapes
 * may be a known one.
 */
function unknownAt(input: JsonInput, plan: ObjectPlan, at: number): number {
  const { bytes } = input
  const end = skipPlainString(bytes, at)
  if (end < 0) return -1
  input.slow = plan.unknown.use === 'refuse' ? 'field' : 'value'
  return plan.unknown.use === 'refuse' ? -1 : addUnknown(plan, bytes, at, end)
}

function isComplete(input: JsonInput, { required, seenIn }: ObjectPlan, turn: number): boolean {
  for (const index of required)
    if (seenIn[index] !== turn) {
      input.slow = 'contract'
      return false
    }
  return true
}
