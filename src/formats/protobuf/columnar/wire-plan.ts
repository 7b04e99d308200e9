import type { AnyBuilder } from '../../../arrow/builder.ts'
import { decimalOf, type DataType } from '../../../core/schema.ts'
import type { AppendedValues } from '../../contract-rules.ts'
import { fillPlanOf, symbolTextsOf } from './fill-plan.ts'
import type { ProtoField, ProtoMessage, ProtoNode, ProtoScalar } from '../schema.ts'
import { PROTO_BLANKS, PROTO_WIRES } from '../wire-types.ts'
import type { WireNumberKind, WirePlan } from './value-plan.ts'

/** Digits of the largest unsigned integer of 64 bits. */
const UINT64_DIGITS = 20

/**
 * Returns how values other than messages with fields are read into the column, or `undefined` when the column has a type
 * into which they are converted one by one, or not at all.
 */
export function wirePlanOf(
  node: Exclude<ProtoNode, ProtoMessage>,
  field: ProtoField,
  builder: AnyBuilder,
  groupEnd: number,
): WirePlan | undefined {
  const { type } = builder
  if (node.kind === 'scalar') return scalarPlanOf(node.scalar, builder)
  if (node.kind === 'enum')
    return type === 'string' && builder.kind === 'bytes'
      ? { kind: 'enum', builder, groupEnd: 0, rules: symbolTextsOf(node.symbols) }
      : undefined
  if (node.kind === 'empty')
    return type === 'boolean' && builder.kind === 'fixed'
      ? { kind: 'empty', builder, groupEnd, rules: undefined }
      : undefined
  // The object reader expects a length there, whatever the tag says.
  if (field.group) return undefined
  if (node.kind === 'json')
    return type === 'string' && builder.kind === 'bytes'
      ? { kind: 'json', builder, groupEnd: 0, rules: node.of }
      : undefined
  if (node.kind === 'wrapper') return wrapperPlanOf(node.scalar, builder)
  const isFitting = type === (node.kind === 'timestamp' ? 'timestamp' : 'decimal(21,9)')
  return isFitting && builder.kind === 'fixed'
    ? { kind: node.kind, builder, groupEnd: 0, rules: undefined }
    : undefined
}

function wrapperPlanOf(scalar: ProtoScalar, builder: AnyBuilder): WirePlan | undefined {
  const value = scalarPlanOf(scalar, builder)
  if (value === undefined || (builder.kind !== 'fixed' && builder.kind !== 'bytes')) return undefined
  const rules = { tag: 8 | PROTO_WIRES[scalar], value, blank: fillPlanOf(builder, PROTO_BLANKS[scalar]) }
  return { kind: 'wrapper', builder, groupEnd: 0, rules }
}

function scalarPlanOf(scalar: ProtoScalar, builder: AnyBuilder): WirePlan | undefined {
  const { type } = builder
  if (scalar === 'string' || scalar === 'bytes') {
    const isFitting = type === (scalar === 'string' ? 'string' : 'binary')
    return isFitting && builder.kind === 'bytes'
      ? { kind: scalar, builder, groupEnd: 0, rules: undefined }
      : undefined
  }
  const [kind, holds] = NUMBERS[scalar]
  return holds(type) && builder.kind === 'fixed'
    ? { kind, builder, groupEnd: 0, rules: undefined }
    : undefined
}

const isLong = (type: DataType): boolean => type === 'long'
const isInteger = (type: DataType): boolean => type === 'integer' || type === 'long'

function isUnsignedLong(type: DataType): boolean {
  const decimal = decimalOf(type)
  return decimal?.scale === 0 && decimal.precision >= UINT64_DIGITS
}

/** The encoding of each number, and the columns that hold all of its values. */
const NUMBERS: Readonly<
  Record<Exclude<ProtoScalar, 'string' | 'bytes'>, readonly [WireNumberKind, (type: DataType) => boolean]>
> = {
  int32: ['int32', isInteger],
  sint32: ['sint32', isInteger],
  sfixed32: ['sfixed32', isInteger],
  uint32: ['uint32', isLong],
  fixed32: ['fixed32', isLong],
  int64: ['int64', isLong],
  sint64: ['sint64', isLong],
  sfixed64: ['fixed64', isLong],
  uint64: ['int64', isUnsignedLong],
  fixed64: ['fixed64', isUnsignedLong],
  bool: ['bool', (type) => type === 'boolean'],
  float: ['float', (type) => type === 'float' || type === 'double'],
  double: ['double', (type) => type === 'double'],
}

/** Returns what values of this type are to a contract. */
export function appendedValuesOf(node: ProtoNode): AppendedValues {
  switch (node.kind) {
    case 'message':
      return { json: ['object'] }
    case 'empty':
      return { json: ['boolean'] }
    case 'duration':
      return { json: ['number'] }
    case 'scalar':
    case 'wrapper':
      return { json: JSON_TYPES[node.scalar] ?? ['integer', 'number'] }
    default:
      return { json: ['string'] }
  }
}

/** The JSON types of scalars other than integers. */
const JSON_TYPES: Readonly<Partial<Record<ProtoScalar, readonly string[]>>> = {
  double: ['number'],
  float: ['number'],
  bool: ['boolean'],
  string: ['string'],
  bytes: ['string'],
}
