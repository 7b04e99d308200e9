import { quotedTextOf, type JsonInput } from './json-bytes.ts'
import { isNullAt, skipSpace, skipValue } from './scan.ts'
import type { ObjectPlan, UnknownFields, UnknownMembers } from './plan.ts'

/** Number of unknown names that are remembered for one object; objects with others are parsed. */
const NAMES_MAX = 1_024

/** Returns what becomes of unknown fields of one object. */
export function unknownMembers(
  fields: UnknownFields,
  {
    path,
    names,
    allowed,
    inferred,
  }: {
    readonly path: string
    readonly names: ReadonlySet<string>
    readonly allowed: boolean
    readonly inferred: boolean
  },
): UnknownMembers {
  const { policy } = fields
  // Even a name without a value can make inference take an object for text.
  const refuses = !allowed || (policy === 'leave' && inferred)
  const use = refuses ? 'refuse' : policy === 'leave' ? 'blank' : policy
  return { fields, use, path, names }
}

/**
 * Returns the index of a new member for the unknown field whose name is in `[at, end)`, or -1 when the record must be
 * parsed.
 */
export function addUnknown(plan: ObjectPlan, bytes: Uint8Array, at: number, end: number): number {
  const { members, known, unknown } = plan
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 2).toString('utf8')
  const folded = name.toLowerCase()
  if (members.length - known >= NAMES_MAX || unknown.names.has(folded)) return -1
  if (unknown.use === 'count') unknown.fields.paths.add(unknown.path + folded)
  const index = members.length
  members.push({ required: false, name: quotedTextOf(name), value: undefined })
  if (plan.seenIn.length <= index) {
    const seenIn = new Float64Array(2 * members.length)
    seenIn.set(plan.seenIn)
    plan.seenIn = seenIn
    const successors = Int32Array.from({ length: seenIn.length + 1 }, (_, i) => i)
    successors.set(plan.successors)
    plan.successors = successors
  }
  return index
}

/** Skips the value at `at` of an unknown field that is remembered. Returns the position after it, or -1. */
export function readUnknown(input: JsonInput, { fields, use }: UnknownMembers, at: number): number {
  const { bytes } = input
  if (use === 'count') {
    fields.dropped++
    return skipValue(bytes, at)
  }
  if (isNullAt(bytes, at)) return at + 4
  const close = bytes[at] === 0x7b ? 0x7d : bytes[at] === 0x5b ? 0x5d : 0
  if (fields.ignoresEmpty && close !== 0) {
    const end = skipSpace(bytes, at + 1)
    if (bytes[end] === close) return end + 1
  }
  input.slow = 'field'
  return -1
}
