import { memberNameOf, type JsonInput } from './json-bytes.ts'
import { isNullAt, skipSpace, skipValue } from './scan.ts'
import type { MemberPlan, ObjectPlan, UnknownFields, UnknownMembers } from './plan.ts'

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
  const index = members.length
  const path = unknown.use === 'count' ? unknown.path + folded : undefined
  members.push({ required: false, ...memberNameOf(name), value: undefined, path })
  plan.names.add(index)
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
export function readUnknown(
  input: JsonInput,
  { fields, use }: UnknownMembers,
  member: MemberPlan,
  at: number,
): number {
  const { bytes } = input
  if (use === 'count') {
    fields.dropped++
    if (member.path !== undefined) fields.named.push(member)
    return skipValue(bytes, at)
  }
  if (isNullAt(bytes, at)) return at + 4
  const close = bytes[at] === 0x7b ? 0x7d : bytes[at] === 0x5b ? 0x5d : 0
  if (fields.ignoresEmpty && close !== 0) {
    const end = skipSpace(bytes, at + 1)
    if (bytes[end] === close) {
      fields.hasIgnored = true
      return end + 1
    }
  }
  input.slow = 'field'
  return -1
}

/** Keeps the names of the unknown fields of a record that became a row, or forgets those of one that did not. */
export function settleNames({ named, paths }: UnknownFields, isRow: boolean): void {
  if (isRow)
    for (const member of named) {
      if (member.path !== undefined) paths.add(member.path)
      member.path = undefined
    }
  named.length = 0
}
