import type { AnyBuilder, ListBuilder, StructBuilder } from '../../arrow/builder.ts'
import type { DroppedPaths } from '../../arrow/rows.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import type { PlainContract, PlainValue } from '../../contract/columns/plain.ts'
import { quotedTextOf, type QuotedText } from './json-input.ts'

/**
 * Describes how one JSON value is read from bytes into its column. `kind` selects the function that reads it: a switch
 * over a few functions is faster than a call through a property, which the compiler cannot inline.
 */
export type ValuePlan =
  | Plan<'text', BytesBuilder, TextLimits>
  | Plan<'enum', BytesBuilder, readonly QuotedText[]>
  | Plan<'boolean' | 'date' | 'timestamp', FixedBuilder, undefined>
  | Plan<'long' | 'integer' | 'float' | 'double', FixedBuilder, NumberRange>
  | Plan<'object', StructBuilder, ObjectPlan>
  | Plan<'list', ListBuilder, ValuePlan>

interface Plan<Kind, Builder, Rules> {
  readonly kind: Kind
  /** True when null is accepted. */
  readonly nullable: boolean
  readonly builder: Builder
  readonly rules: Rules
}

/** Limits the length of a text, in code points. */
export interface TextLimits {
  readonly lengthMin: number
  readonly lengthMax: number
}

/** Limits a number; the bounds of the column type are included. */
export interface NumberRange {
  readonly minimum: number
  readonly maximum: number
  readonly exclusiveMinimum: number
  readonly exclusiveMaximum: number
}

/** Describes one property of an object. */
export interface MemberPlan {
  readonly required: boolean
  readonly name: QuotedText
  readonly value: ValuePlan
}

/** Describes an object and holds what is known of the objects read so far. */
export interface ObjectPlan {
  readonly members: readonly MemberPlan[]
  /** Index of the member that last followed each member; the last element is the first member of an object. */
  readonly successors: Int32Array
  /** Number of the object in which each member was last seen. */
  readonly seenIn: Float64Array
  /** Objects read so far. */
  objects: number
  readonly unknown: UnknownFields
  /** Dotted path of the object in lower case, with a dot at the end; empty for the record itself. */
  readonly path: string
  /** False when an unknown field leaves the record to the contract. */
  readonly skipsUnknown: boolean
  /** Lower-case names, if unknown fields are counted: a name that differs only in case is not unknown. */
  readonly foldedNames: ReadonlySet<string> | undefined
}

/** Counts the fields that the contract allows and does not name, over all objects of a reader. */
export interface UnknownFields {
  readonly policy: 'skip' | 'count' | 'leave'
  /** Number of fields left out, if they are counted. */
  dropped: number
  /** Their names. */
  readonly paths: DroppedPaths
}

const UNLIMITED: NumberRange = {
  minimum: -Infinity,
  maximum: Infinity,
  exclusiveMinimum: -Infinity,
  exclusiveMaximum: Infinity,
}
const INTEGER_BITS: Readonly<Record<string, number>> = { byte: 8, short: 16, integer: 32 }

/** Returns the plan of a contract's object, or `undefined` when bytes alone cannot prove one of its rules or types. */
export function planObject(
  contract: PlainContract,
  builder: StructBuilder,
  unknown: UnknownFields,
  path = '',
): ObjectPlan | undefined {
  const members: MemberPlan[] = []
  for (const [index, child] of builder.children.entries()) {
    const name = builder.fields[index]?.name
    const field = contract.fields.find((candidate) => candidate.name === name)
    const value = field && planValue(field, child, unknown, `${path}${field.name.toLowerCase()}.`)
    if (field === undefined || value === undefined) return undefined
    members.push({ required: field.required, name: quotedTextOf(field.name), value })
  }
  const names = members.map((_, index) => (builder.fields[index]?.name ?? '').toLowerCase())
  return {
    members,
    successors: Int32Array.from({ length: members.length + 1 }, (_, i) => (i + 1) % (members.length + 1)),
    seenIn: new Float64Array(members.length),
    objects: 0,
    unknown,
    path,
    skipsUnknown: contract.additionalProperties && unknown.policy !== 'leave',
    foldedNames: unknown.policy === 'count' ? new Set(names) : undefined,
  }
}

function planValue(
  value: PlainValue,
  builder: AnyBuilder,
  unknown: UnknownFields,
  path: string,
): ValuePlan | undefined {
  const { nullable } = value
  switch (builder.kind) {
    case 'struct': {
      const rules =
        value.json === 'object' && value.object !== undefined
          ? planObject(value.object, builder, unknown, path)
          : undefined
      return rules && { kind: 'object', nullable, builder, rules }
    }
    case 'list': {
      const rules =
        value.json === 'array' && value.items !== undefined
          ? planValue(value.items, builder.child, unknown, `${path}element.`)
          : undefined
      return rules && { kind: 'list', nullable, builder, rules }
    }
    case 'map':
      return undefined
    case 'bytes':
      return planText(value, builder)
    case 'fixed':
      return planFixed(value, builder)
  }
}

function planText(value: PlainValue, builder: BytesBuilder): ValuePlan | undefined {
  const { type, json, format, nullable, minLength, maxLength } = value
  if (type !== 'string' || json !== 'string' || format !== undefined) return undefined
  if (value.enum === undefined)
    return {
      kind: 'text',
      nullable,
      builder,
      rules: { lengthMin: minLength ?? 0, lengthMax: maxLength ?? Infinity },
    }
  // A length combined with an enumeration is too rare to be proven here.
  if (minLength !== undefined || maxLength !== undefined) return undefined
  // Values that JSON writes with escapes are left out; the contract validates records that contain them.
  const plain = value.enum.filter((text) => JSON.stringify(text) === `"${text}"`)
  return { kind: 'enum', nullable, builder, rules: plain.map(quotedTextOf) }
}

function planFixed(value: PlainValue, builder: FixedBuilder): ValuePlan | undefined {
  const { type, json, format, nullable } = value
  if (typeof type !== 'string') return undefined
  if (json === 'boolean' && type === 'boolean')
    return { kind: 'boolean', nullable, builder, rules: undefined }
  if (json === 'number' && (type === 'double' || type === 'float'))
    return { kind: type, nullable, builder, rules: rangeOf(value, UNLIMITED) }
  if (json === 'integer' && type === 'long')
    return { kind: 'long', nullable, builder, rules: rangeOf(value, UNLIMITED) }
  const bits = INTEGER_BITS[type]
  if (json === 'integer' && bits !== undefined) {
    const bound = 2 ** (bits - 1)
    const rules = rangeOf(value, { ...UNLIMITED, minimum: -bound, maximum: bound - 1 })
    return { kind: 'integer', nullable, builder, rules }
  }
  // A length or an enumeration combined with a format is too rare to be proven here.
  const bare = value.enum === undefined && value.minLength === undefined && value.maxLength === undefined
  if (json !== 'string' || !bare) return undefined
  if (type === 'timestamp' && format === 'date-time')
    return { kind: 'timestamp', nullable, builder, rules: undefined }
  if (type === 'date' && format === 'date') return { kind: 'date', nullable, builder, rules: undefined }
  return undefined
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
