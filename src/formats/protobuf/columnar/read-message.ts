import type { AnyBuilder } from '../../../arrow/builder.ts'
import { VALUES_MAX } from '../cursor.ts'
import {
  appendText,
  readBytes,
  readStructText,
  readNumber,
  readSymbol,
  readWireDuration,
  readWireTimestamp,
} from './read-scalar.ts'
import { appendKey } from './read-key.ts'
import type { FieldPlan, FillPlan, MapFieldPlan, MessagePlan, WirePlan, WrapperPlan } from './value-plan.ts'
import { enterPart, readVarint, skipField, type WireInput } from './wire-input.ts'

/**
 * Reads the message at `at` into the children of its builder, up to `end` or, if it is a group, to the tag `groupEnd`.
 * Returns the position after it, or -1 when bytes alone cannot prove that it is valid. After -1 the columns may contain a
 * part of it, which the caller truncates.
 */
export function readMessage(
  input: WireInput,
  plan: MessagePlan,
  at: number,
  end: number,
  groupEnd: number,
): number {
  const { bytes } = input
  const { fields, tags, seenIn } = plan
  const turn = ++plan.turn
  input.values += fields.length
  if (input.values > VALUES_MAX) return -1
  while (at < end) {
    let tag = bytes[at] as number
    if (tag < 0x80) at++
    else {
      at = readVarint(input, at)
      tag = input.low >>> 0
    }
    if (at < 0 || tag < 8) return -1
    const position = tag < tags.length ? (tags[tag] as number) : (plan.farTags.get(tag) ?? 0)
    const field = fields[position - 1]
    if (field !== undefined) {
      // With a second value the last one counts, or messages are merged, which this reader does not support.
      if (
        field.label === 'one' &&
        !isFirst(seenIn, position - 1, field.oneof + fields.length, field.oneof, turn)
      )
        return -1
      at =
        field.label === 'one'
          ? readWireValue(input, field.value, at, end)
          : readRepeated(input, plan, field, position - 1, tag, at, end)
    } else if (tag === groupEnd) return endMessage(input, plan, turn) ? at : -1
    else at = skipUndeclared(input, plan, tag, at, end)
    if (at < 0 || at > end) return -1
  }
  return groupEnd === 0 && input.values <= VALUES_MAX && endMessage(input, plan, turn) ? at : -1
}

/** Notes that a field, and its oneof, have a value in this message. Returns false when they had one before. */
function isFirst(seenIn: Float64Array, index: number, oneofAt: number, oneof: number, turn: number): boolean {
  if (seenIn[index] === turn) return false
  seenIn[index] = turn
  if (oneof < 0) return true
  if (seenIn[oneofAt] === turn) return false
  seenIn[oneofAt] = turn
  return true
}

function skipUndeclared(
  input: WireInput,
  { numbers }: MessagePlan,
  tag: number,
  at: number,
  end: number,
): number {
  if (numbers.has(tag >>> 3)) return -1
  input.unknownFields++
  return skipField(input, tag, at, end)
}

/** Reads a value into its column. */
function readWireValue(input: WireInput, plan: WirePlan, at: number, end: number): number {
  switch (plan.kind) {
    case 'string':
      return readBytes(input, true, plan.builder, at, end)
    case 'message':
      return readInner(input, plan.rules, at, end, plan.groupEnd)
    case 'enum':
      return readSymbol(input, plan.rules, plan.builder, at)
    case 'timestamp':
      return readWireTimestamp(input, plan.builder, at, end)
    case 'bytes':
      return readBytes(input, false, plan.builder, at, end)
    case 'wrapper':
      return readWrapper(input, plan.builder, plan.rules, at, end)
    case 'duration':
      return readWireDuration(input, plan.builder, at, end)
    case 'json':
      return readStructText(input, plan.rules, plan.builder, at, end)
    case 'empty':
      plan.builder.appendNumber(1)
      // The tag of the start of a group has the same field number as that of its end.
      return skipField(input, plan.groupEnd === 0 ? 2 : plan.groupEnd - 1, at, end)
    default:
      return readNumber(input, plan.kind, plan.builder, at, end)
  }
}

function readInner(input: WireInput, plan: MessagePlan, at: number, end: number, groupEnd: number): number {
  if (groupEnd !== 0) return readMessage(input, plan, at, end, groupEnd)
  at = enterPart(input, at, end)
  return at < 0 ? -1 : readMessage(input, plan, at, input.low, 0)
}

function readRepeated(
  input: WireInput,
  plan: MessagePlan,
  field: FieldPlan,
  index: number,
  tag: number,
  at: number,
  end: number,
): number {
  if (field.map !== undefined) {
    // The keys of the message before are forgotten with the first entry.
    if (plan.seenIn[index] !== plan.turn) field.map.keys.clear()
    plan.seenIn[index] = plan.turn
    return readEntry(input, field.value, field.map, at, end)
  }
  if (!plan.packed.has(tag)) {
    input.values++
    return readWireValue(input, field.value, at, end)
  }
  at = enterPart(input, at, end)
  if (at < 0) return -1
  const stop = input.low
  while (at < stop) {
    input.values++
    at = readWireValue(input, field.value, at, stop)
    if (at < 0) return -1
  }
  return at === stop ? at : -1
}

/** Reads an entry of a map: a message with a key and a value, of which each may be absent. */
function readEntry(input: WireInput, value: WirePlan, map: MapFieldPlan, at: number, end: number): number {
  input.values++
  at = enterPart(input, at, end)
  if (at < 0) return -1
  const stop = input.low
  const { builder, keyTag, valueTag } = map
  const length = builder.keys.length
  while (at < stop) {
    at = readVarint(input, at)
    const tag = input.low >>> 0
    if (at < 0 || tag < 8) return -1
    if (tag === keyTag) {
      if (builder.keys.length !== length) return -1
      at = appendKey(input, map, at, stop)
    } else if (tag === valueTag) {
      if (builder.values.length !== length) return -1
      at = readWireValue(input, value, at, stop)
    } else {
      if (tag >>> 3 <= 2) return -1
      input.unknownFields++
      at = skipField(input, tag, at, stop)
    }
    if (at < 0 || at > stop) return -1
  }
  if (builder.keys.length === length && !appendBlankKey(map)) return -1
  if (builder.values.length === length && !fill(input, builder.values, map.blankValue, value)) return -1
  return at
}

function appendBlankKey({ builder, blankKey, keys }: MapFieldPlan): boolean {
  if (builder.keys.kind !== 'bytes') return false
  appendText(builder.keys, blankKey)
  return keys.add(blankKey.bytes, blankKey.start, blankKey.end)
}

/** Reads the message around a single value, which is its type's default when absent. */
function readWrapper(
  input: WireInput,
  builder: AnyBuilder,
  { tag: expected, value, blank }: WrapperPlan,
  at: number,
  end: number,
): number {
  at = enterPart(input, at, end)
  if (at < 0) return -1
  const stop = input.low
  const { length } = builder
  while (at < stop) {
    at = readVarint(input, at)
    const tag = input.low >>> 0
    if (at < 0 || tag < 8) return -1
    if (tag === expected) {
      if (builder.length !== length) return -1
      at = readWireValue(input, value, at, stop)
    } else {
      if (tag >>> 3 === 1) return -1
      input.unknownFields++
      at = skipField(input, tag, at, stop)
    }
    if (at < 0 || at > stop) return -1
  }
  return builder.length !== length || fill(input, builder, blank, value) ? at : -1
}

/** Ends the message: fields without a value get their defaults. Returns false when one has none that its column takes. */
function endMessage(input: WireInput, plan: MessagePlan, turn: number): boolean {
  const { fields, seenIn, builder } = plan
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as FieldPlan
    if (field.list !== undefined) field.list.end(1)
    else if (field.map !== undefined) field.map.builder.end(1)
    else if (seenIn[index] !== turn && !fill(input, field.value.builder, field.absent, field.value))
      return false
  }
  if (plan.hasOtherColumns) return builder.endRow()
  builder.endCompleteRow()
  return true
}

/** Appends a value that is known before any record. */
function fill(input: WireInput, builder: AnyBuilder, plan: FillPlan, value: WirePlan): boolean {
  switch (plan.kind) {
    case 'null':
      builder.appendNull()
      return true
    case 'words':
      if (builder.kind !== 'fixed') return false
      if (builder.words === 2) builder.appendPair(plan.low, plan.high)
      else builder.appendWords(plan.low, plan.high, plan.high >> 31, plan.high >> 31)
      return true
    case 'number':
      if (builder.kind !== 'fixed') return false
      builder.appendNumber(plan.value)
      return true
    case 'text':
      if (builder.kind !== 'bytes') return false
      appendText(builder, plan.text)
      return true
    case 'blankMessage':
      return value.kind === 'message' && readMessage(input, value.rules, 0, 0, 0) === 0
    case 'refused':
      return false
  }
}
