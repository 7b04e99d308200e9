import type { AnyBuilder, MapBuilder, StructBuilder } from '../../../arrow/builder.ts'
import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { PlainContract, PlainValue } from '../../../contract/columns/plain.ts'
import { decimalOf, typeName, type DataType, type StructField } from '../../../core/schema.ts'
import type { FormatOptions, ObjectReason } from '../../format.ts'
import { checkedRulesOf } from './checked-plan.ts'
import { memberNameOf, quotedTextOf } from './json-bytes.ts'
import { MemberNames } from './member-names.ts'
import type { MemberPlan, NumberRange, ObjectPlan, UnknownFields, ValuePlan } from './plan.ts'
import type { SourceTaps } from './source-taps.ts'
import { unknownMembers } from './unknown-fields.ts'

/** Holds what the plans of all columns have in common. */
interface PlanContext {
  readonly options: Pick<FormatOptions, 'storesJsonText' | 'isInferred'>
  readonly unknown: UnknownFields
  readonly reasons: ObjectReason[]
  readonly taps: SourceTaps | undefined
}

/** Describes where in the columns a plan is made. */
interface Place {
  /** Names joined by dots; empty for the record itself. */
  readonly path: string
  /** True when text in the column, at any depth, may be the JSON of another value. */
  readonly jsonText: boolean
  /** True when the type of the column is inferred from messages. */
  readonly inferred: boolean
}

const ROOT: Place = { path: '', jsonText: false, inferred: false }
const UNLIMITED: NumberRange = {
  minimum: -Infinity,
  maximum: Infinity,
  exclusiveMinimum: -Infinity,
  exclusiveMaximum: Infinity,
}
const INTEGER_BITS: Readonly<Record<string, number>> = { byte: 8, short: 16, integer: 32 }
/** Number of fields beyond which inference takes an object for text. */
const INFERRED_FIELDS_MAX = 200

/**
 * Returns the plan of a contract's object, or one reason for each column whose types or rules bytes alone cannot prove.
 */
export function planRecord(
  contract: PlainContract,
  builder: StructBuilder,
  options: PlanContext['options'],
  unknown: UnknownFields,
  taps?: SourceTaps,
): ObjectPlan | readonly ObjectReason[] {
  const context: PlanContext = { options, unknown, reasons: [], taps }
  const plan = planObject(contract, builder, context, ROOT)
  return plan ?? context.reasons
}

function planObject(
  contract: PlainContract | undefined,
  builder: StructBuilder,
  context: PlanContext,
  { path, jsonText, inferred }: Place,
): ObjectPlan | undefined {
  const { options, unknown, reasons, taps } = context
  const fields = new Map(contract?.fields.map((field) => [field.name, field]))
  const members: MemberPlan[] = []
  let isWhole = true
  for (const [index, child] of builder.children.entries()) {
    const column = builder.fields[index] as StructField
    const rules = contract === undefined ? anyValueOf(column) : fields.get(column.name)
    const place = {
      path: path === '' ? column.name : `${path}.${column.name}`,
      jsonText: jsonText || options.storesJsonText?.(column) === true,
      inferred: inferred || options.isInferred?.(column) === true,
    }
    const value =
      rules === undefined
        ? addReason(context, place.path, 'the contract does not describe the column')
        : planValue(rules, child, context, place, column.nullable)
    if (rules === undefined || value === undefined) isWhole = false
    else {
      const required =
        'required' in rules && rules.required
          ? true
          : !column.nullable && !(path === '' && builder.hasAbsentValue(index))
      members.push({ required, ...memberNameOf(column.name), value })
    }
  }
  if (!isWhole || reasons.length > 0) return undefined
  const columns = members.length
  const place = { fields: unknown, path: path === '' ? '' : `${path.toLowerCase()}.` }
  const allowed = contract?.additionalProperties ?? true
  const added = taps?.addTo(members, builder, { ...place, allowed, inferred }) ?? []
  const names = new Set(
    [...builder.fields.map(({ name }) => name), ...added].map((name) => name.toLowerCase()),
  )
  return {
    members,
    required: members.flatMap(({ required }, index) => (required ? [index] : [])),
    names: new MemberNames(members),
    lagging: builder.letNullsLag(),
    columns,
    known: members.length,
    successors: Int32Array.from({ length: members.length + 1 }, (_, i) => i),
    seenIn: new Float64Array(members.length),
    objects: 0,
    unknown: unknownMembers(unknown, {
      path: place.path,
      names,
      allowed,
      inferred,
    }),
    fieldsMax: inferred ? INFERRED_FIELDS_MAX : Infinity,
    check:
      contract?.rules &&
      checkedRulesOf(
        contract.rules,
        contract.fields.map(({ name }) => name),
      ),
  }
}

/** Returns the rules of a column that accepts every value that fits it. */
function anyValueOf({ type, nullable }: Pick<StructField, 'type' | 'nullable'>): PlainValue {
  return { type, nullable }
}

function addReason({ reasons }: PlanContext, subject: string, reason: string): ValuePlan | undefined {
  reasons.push({ subject, reason })
  return undefined
}

function planValue(
  value: PlainValue,
  builder: AnyBuilder,
  context: PlanContext,
  place: Place,
  allowsNull: boolean,
): ValuePlan | undefined {
  const nullable = value.nullable && allowsNull
  const fitting = planChecked({ ...value, nullable }, builder, context, place)
  if (fitting !== undefined || context.reasons.length > 0) return fitting
  const rules = value.json === undefined ? '' : ` from JSON of type ${value.json}`
  return addReason(
    context,
    place.path,
    `a column of type ${typeName(builder.type)}${rules} with these rules is not read from bytes`,
  )
}

/** Returns the plan of a value together with the rules that its reader does not apply. */
function planChecked(
  { rules, ...value }: PlainValue,
  builder: AnyBuilder,
  context: PlanContext,
  place: Place,
): ValuePlan | undefined {
  if (rules === undefined) return planFitting(value, builder, context, place)
  // Rules compare doubles, and other values than texts have rules of their own before they become JSON text.
  const isTyping = Object.keys(rules).every((rule) => rule === 'types')
  if ((decimalOf(value.type) !== undefined && !isTyping) || place.jsonText) return undefined
  const inner = planFitting(value, builder, context, place)
  if (inner === undefined) return undefined
  const { nullable } = value
  return { kind: 'checked', nullable, builder, rules: { inner, check: checkedRulesOf(rules) } }
}

function planFitting(
  value: PlainValue,
  builder: AnyBuilder,
  context: PlanContext,
  place: Place,
): ValuePlan | undefined {
  const { nullable, json } = value
  switch (builder.kind) {
    case 'struct': {
      if (json !== undefined && (json !== 'object' || value.object === undefined)) return undefined
      const rules = planObject(value.object, builder, context, place)
      return rules && { kind: 'object', nullable, builder, rules }
    }
    case 'list': {
      if (json !== undefined && (json !== 'array' || value.items === undefined)) return undefined
      const { elementType, containsNull } = builder.type
      const items = value.items ?? anyValueOf({ type: elementType, nullable: containsNull })
      const inner = { ...place, path: `${place.path}.element` }
      const rules = planValue(items, builder.child, context, inner, containsNull)
      return rules && { kind: 'list', nullable, builder, rules }
    }
    case 'map':
      if (json !== undefined && (json !== 'object' || value.entries === undefined)) return undefined
      return planMap(value, builder, context, place)
    case 'bytes':
      return planText(value, builder, place)
    case 'fixed':
      return planFixed(value, builder)
  }
}

function planMap(
  { nullable, entries }: PlainValue,
  builder: MapBuilder,
  context: PlanContext,
  place: Place,
): ValuePlan | undefined {
  const { keyType, valueType, valueContainsNull } = builder.type
  const key = planKey(keyType, builder.keys)
  if (key === undefined)
    return addReason(context, place.path, `keys of type ${typeName(keyType)} are not read from text`)
  const values = entries ?? anyValueOf({ type: valueType, nullable: valueContainsNull })
  const inner = { ...place, path: `${place.path}.value` }
  const value = planValue(values, builder.values, context, inner, valueContainsNull)
  return value && { kind: 'map', nullable, builder, rules: { key, value } }
}

/** Keys of JSON are text, whatever the type of the column. */
function planKey(type: DataType, builder: AnyBuilder): ValuePlan | undefined {
  const value = { type, json: 'string', nullable: false } as const
  if (builder.kind === 'bytes') return planText(value, builder, ROOT)
  return builder.kind === 'fixed' ? planFixed(value, builder) : undefined
}

/** Properties of a value that are no rules. */
const TYPING = new Set(['name', 'required', 'type', 'json', 'nullable', 'format'])

/** Returns true when a value has no other rules than its type and its format. */
function isBare(value: PlainValue): boolean {
  return Object.entries(value).every(([key, rule]) => rule === undefined || TYPING.has(key))
}

function planText(value: PlainValue, builder: BytesBuilder, { jsonText }: Place): ValuePlan | undefined {
  const { type, json, format, nullable, minLength, maxLength } = value
  if ((json !== undefined && json !== 'string') || format !== undefined) return undefined
  if (type === 'binary')
    return isBare(value) ? { kind: 'binary', nullable, builder, rules: undefined } : undefined
  if (type !== 'string') return undefined
  const rules = { lengthMin: minLength ?? 0, lengthMax: maxLength ?? Infinity }
  if (jsonText) return isBare(value) ? { kind: 'jsonText', nullable, builder, rules } : undefined
  if (value.enum === undefined) return { kind: 'text', nullable, builder, rules }
  // A length combined with an enumeration is too rare to be proven here.
  if (minLength !== undefined || maxLength !== undefined) return undefined
  // Values that JSON writes with escapes are left out; the contract validates records that contain them.
  const plain = value.enum.filter((text) => JSON.stringify(text) === `"${text}"`)
  return { kind: 'enum', nullable, builder, rules: plain.map((text) => quotedTextOf(text)) }
}

function planFixed(value: PlainValue, builder: FixedBuilder): ValuePlan | undefined {
  const { type, json, format, nullable } = value
  if (typeof type !== 'string') return undefined
  const decimal = decimalOf(type)
  if (decimal !== undefined) return planDecimal(value, builder, decimal)
  switch (type) {
    case 'boolean':
      return json === undefined || json === 'boolean'
        ? { kind: 'boolean', nullable, builder, rules: undefined }
        : undefined
    case 'timestamp':
    case 'timestamp_ntz': {
      if ((json !== undefined && json !== 'string') || !isBare(value)) return undefined
      const zoned = type === 'timestamp'
      // The format requires a zone.
      if (format !== undefined && (format !== 'date-time' || !zoned)) return undefined
      const rules = { zoned, needsSeconds: format !== undefined }
      return { kind: 'time', nullable, builder, rules }
    }
    case 'date':
      return (json === undefined || json === 'string') && format !== 'date-time' && isBare(value)
        ? { kind: 'date', nullable, builder, rules: undefined }
        : undefined
    default:
      return planNumber(value, builder)
  }
}

function planNumber(value: PlainValue, builder: FixedBuilder): ValuePlan | undefined {
  const { json, nullable } = value
  const type = value.type as string
  if (json !== undefined && json !== 'integer' && json !== 'number') return undefined
  if (type === 'float' && json === 'integer') return undefined
  if (type === 'float' || type === 'double') {
    const kind = json === 'integer' ? 'wholeDouble' : type
    return { kind, nullable, builder, rules: rangeOf(value, UNLIMITED) }
  }
  if (type === 'long') return { kind: 'long', nullable, builder, rules: rangeOf(value, UNLIMITED) }
  const bits = INTEGER_BITS[type]
  if (bits === undefined) return undefined
  const bound = 2 ** (bits - 1)
  const rules = rangeOf(value, { ...UNLIMITED, minimum: -bound, maximum: bound - 1 })
  return { kind: 'integer', nullable, builder, rules }
}

function planDecimal(
  value: PlainValue,
  builder: FixedBuilder,
  { precision, scale }: { readonly precision: number; readonly scale: number },
): ValuePlan | undefined {
  const { json, nullable } = value
  // Rules compare doubles, and texts have other rules than numbers.
  if (!isBare(value) || value.format !== undefined || scale < 0 || precision > 38) return undefined
  if (json !== undefined && json !== 'string' && json !== 'number') return undefined
  const rules = { precision, scale, numbers: json !== 'string', texts: json !== 'number' }
  return { kind: 'decimal', nullable, builder, rules }
}

/** Returns the intersection of a contract's range with the range of the column type. */
function rangeOf(value: PlainValue, type: NumberRange): NumberRange {
  return {
    minimum: Math.max(value.minimum ?? -Infinity, type.minimum),
    maximum: Math.min(value.maximum ?? Infinity, type.maximum),
    exclusiveMinimum: value.exclusiveMinimum ?? -Infinity,
    exclusiveMaximum: value.exclusiveMaximum ?? Infinity,
  }
}
