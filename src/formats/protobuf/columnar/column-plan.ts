import { builderOf, type AnyBuilder, type StructBuilder } from '../../../arrow/builder.ts'
import type { PlainContract, PlainValue } from '../../../contract/columns/plain.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../../format.ts'
import { contractHasObjectRules, unfitType } from '../../contract-rules.ts'
import { protoWriterSchema } from '../columns.ts'
import { columnPositionsOf } from './column-positions.ts'
import { MESSAGES_DEPTH_MAX, WIRE_TYPE } from '../cursor.ts'
import { fillPlanOf, textRangeOf } from './fill-plan.ts'
import { appendedValuesOf, wirePlanOf } from './wire-plan.ts'
import type { ProtoField, ProtoMessage, ProtoNode } from '../schema.ts'
import { blankValueOf, PROTO_BLANKS, PROTO_WIRES, protoWireOf } from '../wire-types.ts'
import {
  MapKeys,
  type FieldPlan,
  type MapFieldPlan,
  type MessagePlan,
  type WireKeyKind,
  type WirePlan,
} from './value-plan.ts'

/** Largest tag of a field that is looked up in an array. */
const NEAR_TAGS_MAX = 2048

/** Holds the plan of a message type for one set of columns. */
export interface MessageColumnPlan {
  readonly root: MessagePlan
  /** Builders of fields without a column, whose values are read because they must be valid, and dropped after each record. */
  readonly discarded: readonly AnyBuilder[]
  /** The messages at any depth that have such fields and count them. */
  readonly dropping: readonly MessagePlan[]
}

/** Says why records of a message type need objects. */
export interface NoPlan {
  readonly slow: SlowReason
  readonly reasons: readonly ObjectReason[]
}

/** Returns the plan that reads messages into `builder`, or why bytes alone cannot prove that their rows are valid. */
export function columnPlanOf(
  message: ProtoMessage,
  builder: StructBuilder,
  options: FormatOptions,
): MessageColumnPlan | NoPlan {
  const planning = new Planning(options)
  const root = planning.message(message, builder, options.plain, { path: '', depth: 0, isDiscarded: false })
  const { discarded, dropping, reasons } = planning
  const [first] = reasons
  if (root === null || first !== undefined)
    return {
      slow: first?.slow ?? 'value',
      reasons: reasons.map(({ subject, reason }) => ({ subject, reason })),
    }
  return { root, discarded, dropping }
}

const WIDE = 'the contract has rules for objects as a whole, and the columns are not all that the message has'

/** Locates a message in the row. */
interface Place {
  /** Dotted path with a dot at the end; empty for the row itself. */
  readonly path: string
  readonly depth: number
  /** True within a field without a column. */
  readonly isDiscarded: boolean
}

/** Makes the plans of one message type, and collects the reasons why it can have none. */
class Planning {
  readonly reasons: (ObjectReason & { readonly slow: SlowReason })[] = []
  readonly discarded: AnyBuilder[] = []
  readonly dropping: MessagePlan[] = []
  readonly #options: FormatOptions

  constructor(options: FormatOptions) {
    this.#options = options
  }

  message(
    message: ProtoMessage,
    builder: StructBuilder,
    rules: PlainContract | undefined,
    place: Place,
  ): MessagePlan | null {
    if (place.depth > MESSAGES_DEPTH_MAX) return this.#refuse('value', place.path, 'nested too deeply')
    const { unknownFields = 'skip' } = this.#options
    const isWide = contractHasObjectRules(rules)
    const renames = unknownFields !== 'skip' && (rules?.additionalProperties ?? true) && !isWide
    const positions = columnPositionsOf(message, builder.type, renames)
    if (positions === undefined)
      return this.#refuse('value', place.path, 'columns have names that differ only in case')
    const oneofs = [...new Set(message.fields.flatMap(({ oneof }) => (oneof === undefined ? [] : [oneof])))]
    const droppedPaths: string[] = []
    const fields = message.fields.map((field): FieldPlan | null => {
      const position = positions.get(field)
      const oneof = field.oneof === undefined ? -1 : oneofs.indexOf(field.oneof)
      if (position !== undefined) return this.#column(field, builder, position, rules, place, oneof)
      droppedPaths.push(`${place.path}${field.name}`.toLowerCase())
      return this.#dropped(field, rules, place, oneof)
    })
    const hasOtherColumns = this.#checkOthers(new Set(positions.values()), builder, rules, place)
    if (!isWhole(fields)) return null
    const isCounting = unknownFields === 'count' && droppedPaths.length > 0 && !place.isDiscarded
    const plan: MessagePlan = {
      builder,
      fields,
      ...tagsOf(message),
      seenIn: new Float64Array(fields.length + oneofs.length),
      turn: 0,
      turnsCounted: 0,
      hasOtherColumns,
      droppedPaths: isCounting ? droppedPaths : [],
    }
    if (isCounting) this.dropping.push(plan)
    return plan
  }

  /** Plans a field that fills the column at `position`. */
  #column(
    field: ProtoField,
    struct: StructBuilder,
    position: number,
    rules: PlainContract | undefined,
    place: Place,
    oneof: number,
  ): FieldPlan | null {
    const column = struct.fields[position]
    const builder = struct.children[position]
    if (column === undefined || builder === undefined) return null
    const rule = rules?.fields.find(({ name }) => name === column.name)
    const at = `${place.path}${field.name}`
    if (rules !== undefined && rule === undefined)
      return this.#refuse('contract', at, 'the contract has no plain rule for the column')
    // A contract sees the names of the message.
    if (rule?.required === true && field.name !== column.name)
      return this.#refuse('contract', at, 'a required column has a name in another case')
    const isNullable = column.nullable && rule?.nullable !== false
    return this.#field(field, builder, rule, { ...place, path: at }, isNullable, oneof)
  }

  /** Plans a field without a column: it is read, because its bytes must be valid, and dropped. */
  #dropped(
    field: ProtoField,
    rules: PlainContract | undefined,
    place: Place,
    oneof: number,
  ): FieldPlan | null {
    const at = `${place.path}${field.name}`
    if (this.#options.unknownFields === 'leave' && !place.isDiscarded)
      return this.#refuse('schema', at, 'rows do not have the column yet')
    if (contractHasObjectRules(rules)) return this.#refuse('contract', at, WIDE)
    if (rules?.additionalProperties === false)
      return this.#refuse('field', at, 'the contract does not allow the field')
    const alone = protoWriterSchema({ kind: 'message', name: '', fields: [field] })
    const [column] = alone.columns.fields
    const [fault] = alone.columnFaults ?? []
    if (column === undefined || fault !== undefined)
      return this.#refuse('field', at, fault?.message ?? 'cannot be a column')
    const builder = builderOf(column.type)
    this.discarded.push(builder)
    return this.#field(field, builder, undefined, { ...place, path: at, isDiscarded: true }, true, oneof)
  }

  #field(
    field: ProtoField,
    builder: AnyBuilder,
    rule: PlainValue | undefined,
    place: Place,
    isNullable: boolean,
    oneof: number,
  ): FieldPlan | null {
    const { label, node } = field
    const shared = { label, oneof, list: undefined, map: undefined, absent: { kind: 'refused' } } as const
    if (label === 'many') {
      if (builder.kind !== 'list') return this.#refuse('value', place.path, 'the column is not a list')
      const missing = rule && unfitType({ json: ['array'] }, rule)
      if (missing !== undefined) return this.#refuse('contract', place.path, missing)
      const inside = { ...place, path: `${place.path}.element` }
      const value = this.#value(node, field, builder.child, rule?.items, inside)
      return value && { ...shared, value, list: builder }
    }
    if (label === 'map') return this.#map(field, builder, rule, place, shared)
    const value = this.#value(node, field, builder, rule, place)
    if (value === null) return null
    if (field.absent !== null) return { ...shared, value, absent: fillPlanOf(builder, field.absent) }
    return { ...shared, value, absent: { kind: field.required || !isNullable ? 'refused' : 'null' } }
  }

  #map(
    field: ProtoField,
    builder: AnyBuilder,
    rule: PlainValue | undefined,
    place: Place,
    shared: Omit<FieldPlan, 'value' | 'map'>,
  ): FieldPlan | null {
    const { node, key = 'string' } = field
    if (builder.kind !== 'map' || builder.type.keyType !== 'string')
      return this.#refuse('value', place.path, 'the column is not a map with text as keys')
    const missing = rule && unfitType({ json: ['object'] }, rule)
    if (missing !== undefined) return this.#refuse('contract', place.path, missing)
    const inside = { ...place, path: `${place.path}.value` }
    const value = this.#value(node, { ...field, group: false }, builder.values, rule?.entries, inside)
    if (value === null) return null
    const map: MapFieldPlan = {
      builder,
      key: KEY_KINDS[key] ?? (key as WireKeyKind),
      keyTag: (1 << 3) | PROTO_WIRES[key],
      valueTag: (2 << 3) | protoWireOf(node),
      blankKey: textRangeOf(String(PROTO_BLANKS[key])),
      blankValue: node.kind === 'message' ? { kind: 'blankMessage' } : blankOf(node, value),
      keys: new MapKeys(),
    }
    return { ...shared, value, map }
  }

  #value(
    node: ProtoNode,
    field: ProtoField,
    builder: AnyBuilder,
    rule: PlainValue | undefined,
    place: Place,
  ): WirePlan | null {
    const missing = rule && unfitType(appendedValuesOf(node), rule)
    if (missing !== undefined) return this.#refuse('contract', place.path, missing)
    const groupEnd = field.group ? ((field.number << 3) | WIRE_TYPE.groupEnd) >>> 0 : 0
    if (node.kind === 'message') {
      if (builder.kind !== 'struct') return this.#refuse('value', place.path, 'the column is not a struct')
      const inside = { ...place, path: `${place.path}.`, depth: place.depth + 1 }
      const rules = this.message(node, builder, rule?.object, inside)
      return rules && { kind: 'message', builder, groupEnd, rules }
    }
    const plan = wirePlanOf(node, field, builder, groupEnd)
    return plan ?? this.#refuse('value', place.path, `the column has another type than the field`)
  }

  /** Checks the columns that no field fills; returns true when there are some. */
  #checkOthers(
    filled: ReadonlySet<number>,
    builder: StructBuilder,
    rules: PlainContract | undefined,
    { path }: Place,
  ): boolean {
    const isWide = contractHasObjectRules(rules)
    const required = new Set(rules?.fields.filter((field) => field.required).map(({ name }) => name))
    const others = [...builder.fields.entries()].filter(([index]) => !filled.has(index))
    for (const [index, { name, nullable }] of others) {
      if (!nullable || required.has(name))
        this.#refuse(
          'contract',
          `${path}${name}`,
          'the column needs a value, and the message has no such field',
        )
      else if (isWide && builder.hasAbsentValue(index)) this.#refuse('contract', `${path}${name}`, WIDE)
    }
    return others.length > 0
  }

  #refuse(slow: SlowReason, path: string, reason: string): null {
    this.reasons.push({ slow, subject: `columns.${path}`.replace(/\.$/, ''), reason })
    return null
  }
}

/** Names the readers of keys that differ from those of values, where a decimal's column tells unsigned numbers. */
const KEY_KINDS: Readonly<Record<string, WireKeyKind>> = {
  uint64: 'uint64',
  fixed64: 'ufixed64',
  sfixed64: 'fixed64',
}

function blankOf(node: Exclude<ProtoNode, ProtoMessage>, { builder }: WirePlan): FieldPlan['absent'] {
  // Text of a time becomes a number only through the slow way; the epoch is zero.
  return fillPlanOf(builder, node.kind === 'timestamp' ? 0 : blankValueOf(node))
}

function isWhole(fields: readonly (FieldPlan | null)[]): fields is readonly FieldPlan[] {
  return !fields.includes(null)
}

function tagsOf({ fields }: ProtoMessage): Pick<MessagePlan, 'tags' | 'farTags' | 'packed' | 'numbers'> {
  const positions = new Map<number, number>()
  const packed = new Set<number>()
  for (const [index, { number, label, node, group }] of fields.entries()) {
    const wire = label === 'map' ? WIRE_TYPE.bytes : group ? WIRE_TYPE.groupStart : protoWireOf(node)
    positions.set(((number << 3) | wire) >>> 0, index + 1)
    if (label !== 'many' || wire === WIRE_TYPE.bytes || wire === WIRE_TYPE.groupStart) continue
    const tag = ((number << 3) | WIRE_TYPE.bytes) >>> 0
    positions.set(tag, index + 1)
    packed.add(tag)
  }
  const near = [...positions].filter(([tag]) => tag < NEAR_TAGS_MAX)
  const tags = new Uint16Array(near.reduce((most, [tag]) => Math.max(most, tag + 1), 0))
  for (const [tag, position] of near) tags[tag] = position
  return {
    tags,
    farTags: new Map([...positions].filter(([tag]) => tag >= NEAR_TAGS_MAX)),
    packed,
    numbers: new Set(fields.map(({ number }) => number)),
  }
}
