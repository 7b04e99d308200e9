import type { ListBuilder, MapBuilder, StructBuilder } from '../../../arrow/builder.ts'
import { isTextAt, readCount, readInt, readLength, type AvroInput } from './input.ts'
import type {
  AvroPlan,
  DroppedFields,
  EntryRules,
  ItemRules,
  MemberRules,
  RarePlan,
  RecordRules,
} from './plan.ts'
import {
  readAvroBoolean,
  readAvroBytes,
  readDays,
  readAvroDecimal,
  readAvroDouble,
  readAvroFloat,
  readAvroInteger,
  readInts,
  readLongs,
  readMicros,
  readMillis,
  readAvroNumber,
  readAvroSymbol,
  readAvroText,
  readUuid,
  readWholeDecimal,
} from './read-scalar.ts'
import { skipAvroValue } from './skip.ts'

/**
 * Reads the Avro value at `at` into its column. Returns the position after it, or -1 when the object reader must read the
 * record. After -1 the column may contain a part of the value, which the caller truncates.
 */
export function readValue(input: AvroInput, plan: AvroPlan, at: number): number {
  switch (plan.kind) {
    case 'text':
      return readAvroText(input, plan.builder, at)
    case 'long':
      return readLongs(input, plan.builder, at)
    case 'union':
      return readUnion(input, plan.rules, at)
    case 'null':
      plan.builder.appendNull()
      return at
    case 'integer':
      return readAvroInteger(input, plan.builder, plan.rules, at)
    case 'double':
      return readAvroDouble(input, plan.builder, false, at)
    case 'enum':
      return readAvroSymbol(input, plan.builder, plan.rules, at)
    case 'micros':
      return readMicros(input, plan.builder, at)
    case 'millis':
      return readMillis(input, plan.builder, at)
    case 'decimal':
      return readAvroDecimal(input, plan.builder, plan.rules, at)
    case 'boolean':
      return readAvroBoolean(input, plan.builder, at)
    case 'record':
      return readRecord(input, plan.builder, plan.rules, at)
    case 'list':
      return readList(input, plan.builder, plan.rules, at)
    case 'map':
      return readMap(input, plan.builder, plan.rules, at)
    case 'dropped':
      return dropField(input, plan.rules, at)
    default:
      return readRareValue(input, plan, at)
  }
}

/** Reads values of the types that are rare, so that the function above stays small. */
function readRareValue(input: AvroInput, plan: RarePlan, at: number): number {
  switch (plan.kind) {
    case 'date':
      return readDays(input, plan.builder, at)
    case 'int':
      return readInts(input, plan.builder, at)
    case 'float':
      return readAvroFloat(input, plan.builder, at)
    case 'bytes':
      return readAvroBytes(input, plan.builder, -1, at)
    case 'fixedBytes':
      return readAvroBytes(input, plan.builder, plan.rules, at)
    case 'uuid':
      return readUuid(input, plan.builder, at)
    case 'number':
      return readAvroNumber(input, plan.builder, plan.rules, at)
    case 'doubleAsFloat':
      return readAvroDouble(input, plan.builder, true, at)
    case 'wholeDecimal':
      return readWholeDecimal(input, plan.builder, plan.rules, at)
    case 'presence':
      plan.builder.appendNumber(1)
      return skipAvroValue(input, plan.rules, at)
    case 'member':
      return readMember(input, plan.builder, plan.rules, at)
    case 'skip':
      return skipAvroValue(input, plan.rules, at)
    case 'refused':
      input.reason = plan.rules
      return -1
  }
}

function readUnion(input: AvroInput, branches: readonly AvroPlan[], at: number): number {
  at = readInt(input, at)
  const branch = at < 0 || input.low < 0 ? undefined : branches[input.low]
  return branch === undefined ? -1 : readValue(input, branch, at)
}

function readMember(
  input: AvroInput,
  builder: StructBuilder,
  { value, others }: MemberRules,
  at: number,
): number {
  at = readValue(input, value, at)
  if (at < 0) return -1
  for (const other of others) other.appendNull()
  builder.endCompleteRow()
  return at
}

/** Reads the fields of a record into the children of `builder`, as `readValue` does. */
function readRecord(input: AvroInput, builder: StructBuilder, rules: RecordRules, at: number): number {
  const { steps, missing, constants } = rules
  for (let i = 0; i < steps.length; i++) {
    at = readValue(input, steps[i] as AvroPlan, at)
    if (at < 0) return -1
  }
  for (let i = 0; i < missing.length; i++) missing[i]?.appendNull()
  for (const constant of constants) if (constant.builder.append(constant.value) !== undefined) return -1
  for (const fields of rules.dropped) countDropped(input, fields)
  if (!rules.hasAbsent) builder.endCompleteRow()
  else if (!builder.endRow()) return -1
  return at
}

function readList(
  input: AvroInput,
  builder: ListBuilder,
  { value, bytesMin }: ItemRules,
  at: number,
): number {
  for (;;) {
    at = readCount(input, bytesMin, at)
    if (at < 0) return -1
    let count = input.low
    if (count === 0) break
    while (count-- > 0) {
      at = readValue(input, value, at)
      if (at < 0) return -1
    }
  }
  builder.end(1)
  return at
}

function readMap(
  input: AvroInput,
  builder: MapBuilder,
  { keys, value, seen }: EntryRules,
  at: number,
): number {
  seen.start()
  for (;;) {
    at = readCount(input, 1, at)
    if (at < 0) return -1
    let count = input.low
    if (count === 0) break
    while (count-- > 0) {
      at = readLength(input, at)
      if (at < 0) return -1
      const end = at + input.low
      if (!isTextAt(input, at, end) || !seen.add(input.bytes, at, end)) return -1
      keys.appendRange(input.view, at, end)
      at = readValue(input, value, end)
      if (at < 0) return -1
    }
  }
  builder.end(1)
  return at
}

function dropField(input: AvroInput, fields: DroppedFields, at: number): number {
  at = skipAvroValue(input, fields.skip, at)
  if (at >= 0 && fields.isCounted) countDropped(input, fields)
  return at
}

function countDropped(input: AvroInput, fields: DroppedFields): void {
  input.dropped++
  if (fields.isNoted) return
  fields.isNoted = true
  input.firstDropped.push(fields)
}
