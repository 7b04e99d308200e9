import type { ListBuilder, StructBuilder } from '../../arrow/builder.ts'
import { startsWithText, type JsonInput } from './json-input.ts'
import {
  readBoolean,
  readDate,
  readDouble,
  readEnum,
  readFloat,
  readInteger,
  readLong,
  readText,
  readDateTime,
} from './read-scalar.ts'
import { isNullAt, skipPlainString, skipSpace, skipValue } from './scan.ts'
import type { ObjectPlan, ValuePlan } from './value-plan.ts'

const COLON = 0x3a
const COMMA = 0x2c
const SPACE = 0x20

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
    case 'float':
      return readFloat(input, plan.builder, plan.rules, at)
    case 'timestamp':
      return readDateTime(input, plan.builder, at)
    case 'date':
      return readDate(input, plan.builder, at)
    case 'boolean':
      return readBoolean(input, plan.builder, at)
    case 'list':
      return readList(input, plan.builder, plan.rules, at)
    case 'object':
      return readObject(input, plan.builder, plan.rules, at)
  }
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

/**
 * Reads the object at `at` into the children of `builder`. It expects that the keys follow each other as they did in the
 * previous object. Returns the position after it, or -1 as `readValue` does.
 */
export function readObject(input: JsonInput, builder: StructBuilder, plan: ObjectPlan, at: number): number {
  const { bytes, view } = input
  const { members, successors, seenIn } = plan
  if (bytes[at] !== 0x7b) return -1
  at = next(bytes, at + 1)
  const turn = ++plan.objects
  let count = 0
  let previous = members.length
  if (bytes[at] !== 0x7d)
    for (;;) {
      const expected = successors[previous] as number
      const name = members[expected]?.name
      const index =
        name !== undefined && startsWithText(view, at, name) ? expected : memberAt(plan, view, at, previous)
      const member = members[index]
      at = member === undefined ? skipUnknown(plan, bytes, at) : at + member.name.size
      if (at < 0) return -1
      at = next(bytes, at)
      if (bytes[at] !== COLON) return -1
      at = next(bytes, at + 1)
      if (member === undefined) at = skipValue(bytes, at)
      else {
        // With a duplicate key the last value counts, which this reader does not support.
        if (seenIn[index] === turn) return -1
        seenIn[index] = turn
        count++
        previous = index
        at = readValue(input, member.value, at)
      }
      if (at < 0) return -1
      at = next(bytes, at)
      const byte = bytes[at]
      if (byte === 0x7d) break
      if (byte !== COMMA) return -1
      at = next(bytes, at + 1)
    }
  if (count === members.length) builder.endCompleteRow()
  else if (!isComplete(plan, turn) || !builder.endRow()) return -1
  return at + 1
}

/** Returns the position of the next token. Most bytes are no white space, and one comparison shows it. */
function next(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) > SPACE ? at : skipSpace(bytes, at)
}

/** Returns the index of the member whose name is at `at`, or -1; members after `previous` are tried first. */
function memberAt({ members, successors }: ObjectPlan, view: DataView, at: number, previous: number): number {
  const { length } = members
  for (let step = 1; step <= length; step++) {
    const index = (previous + step) % (length + 1)
    const member = members[index]
    if (member === undefined || !startsWithText(view, at, member.name)) continue
    successors[previous] = index
    return index
  }
  const own = members[previous]
  return own !== undefined && startsWithText(view, at, own.name) ? previous : -1
}

/** Skips a key that the contract does not name. A key with escapes may be a known name, so only plain keys are skipped. */
function skipUnknown(
  { skipsUnknown, foldedNames, unknown, path }: ObjectPlan,
  bytes: Uint8Array,
  at: number,
): number {
  const end = skipsUnknown ? skipPlainString(bytes, at) : -1
  if (end < 0 || foldedNames === undefined) return end
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 2).toString('utf8')
  const folded = name.toLowerCase()
  if (foldedNames.has(folded)) return -1
  unknown.dropped++
  unknown.paths.add(path === '' ? folded : path + folded)
  return end
}

function isComplete({ members, seenIn }: ObjectPlan, turn: number): boolean {
  for (const [index, member] of members.entries()) if (member.required && seenIn[index] !== turn) return false
  return true
}
