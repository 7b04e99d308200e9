import type protobuf from 'protobufjs'
import { narrowInteger } from '../../core/exact.ts'
import { PipelineError } from '../../core/errors.ts'

/** Names the scalar types. */
export type ProtoScalar =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

/** Describes the type of a value. Messages of `google.protobuf` with a meaning of their own have separate kinds. */
export type ProtoNode =
  | { readonly kind: 'scalar'; readonly scalar: ProtoScalar }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: ReadonlyMap<number, string> }
  | { readonly kind: 'timestamp' | 'duration' }
  | { readonly kind: 'json'; readonly of: 'Struct' | 'Value' | 'ListValue' }
  | { readonly kind: 'wrapper'; readonly scalar: ProtoScalar }
  /** A message without fields. */
  | { readonly kind: 'empty'; readonly name: string }
  | ProtoMessage

/** Describes a message with its fields in the order of their declaration; `name` includes the package. */
export interface ProtoMessage {
  readonly kind: 'message'
  readonly name: string
  readonly fields: readonly ProtoField[]
}

/** Describes a field of a message. */
export interface ProtoField {
  readonly name: string
  readonly number: number
  readonly node: ProtoNode
  /** For a map, `node` is the type of its values. */
  readonly label: 'one' | 'many' | 'map'
  /** Key type of a map. */
  readonly key?: ProtoScalar
  /**
   * The value in a message that lacks the field: null when the field tracks presence, otherwise its default. Only for
   * `one`.
   */
  readonly absent: unknown
  readonly required: boolean
  /** True when the field is delimited by a start and an end tag instead of a length. */
  readonly group: boolean
  /** Name of the oneof. Only the last of its fields in the bytes counts. */
  readonly oneof?: string
}

const SCALARS: ReadonlySet<string> = new Set<ProtoScalar>([
  'double',
  'float',
  'int32',
  'uint32',
  'sint32',
  'fixed32',
  'sfixed32',
  'int64',
  'uint64',
  'sint64',
  'fixed64',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])
const WRAPPERS: Readonly<Record<string, ProtoScalar>> = {
  DoubleValue: 'double',
  FloatValue: 'float',
  Int64Value: 'int64',
  UInt64Value: 'uint64',
  Int32Value: 'int32',
  UInt32Value: 'uint32',
  BoolValue: 'bool',
  StringValue: 'string',
  BytesValue: 'bytes',
}

/**
 * Returns a message type. What it contains is read when its fields are first asked for, so that it may contain itself.
 * @throws KD_CONTRACT_INVALID when it has no fields
 */
export function protoMessage(type: protobuf.Type, source: string): ProtoMessage {
  const node = new Reader(source).message(type)
  if (node.kind === 'message') return node
  throw protoSchemaError(source, '', `a row is a message with fields of its own, got ${fullNameOf(type)}`)
}

class Reader {
  readonly #source: string
  readonly #known = new Map<protobuf.Type, ProtoNode>()

  constructor(source: string) {
    this.#source = source
  }

  message(type: protobuf.Type): ProtoNode {
    const name = fullNameOf(type)
    const special = specialOf(name)
    if (special !== undefined) return special
    const known = this.#known.get(type)
    if (known !== undefined) return known
    const node = type.fieldsArray.length === 0 ? ({ kind: 'empty', name } as const) : this.#lazy(type, name)
    this.#known.set(type, node)
    return node
  }

  #lazy(type: protobuf.Type, name: string): ProtoMessage {
    let fields: readonly ProtoField[] | undefined
    const read = (): readonly ProtoField[] => type.fieldsArray.map((field) => this.#field(field.resolve()))
    return {
      kind: 'message',
      name,
      get fields() {
        return (fields ??= read())
      },
    }
  }

  #field(field: protobuf.Field): ProtoField {
    const node = this.#node(field)
    const { name, id: number } = field
    const shared = { name, number, node, required: field.required, group: field.delimited }
    if (field.map) {
      const key = (field as protobuf.Field & { readonly keyType: ProtoScalar }).keyType
      return { ...shared, label: 'map', key, absent: null, required: false, group: false }
    }
    if (field.repeated) return { ...shared, label: 'many', absent: null, required: false }
    const oneof = field.partOf?.name
    const absent = absentOf(field, node)
    return { ...shared, label: 'one', absent, ...(oneof === undefined ? {} : { oneof }) }
  }

  #node({ type, resolvedType }: protobuf.Field): ProtoNode {
    if (resolvedType === null) {
      if (SCALARS.has(type)) return { kind: 'scalar', scalar: type as ProtoScalar }
      throw protoSchemaError(this.#source, '', `${type} is not a known type`)
    }
    if ('fieldsArray' in resolvedType) return this.message(resolvedType)
    const symbols = new Map<number, string>()
    // Of several names for one number the first counts.
    for (const [symbol, value] of Object.entries(resolvedType.values))
      if (!symbols.has(value)) symbols.set(value, symbol)
    return { kind: 'enum', name: fullNameOf(resolvedType), symbols }
  }
}

function specialOf(name: string): ProtoNode | undefined {
  const match = /^google\.protobuf\.(\w+)$/.exec(name)
  const known = match?.[1]
  switch (known) {
    case undefined:
      return undefined
    case 'Timestamp':
      return { kind: 'timestamp' }
    case 'Duration':
      return { kind: 'duration' }
    case 'Struct':
    case 'Value':
    case 'ListValue':
      return { kind: 'json', of: known }
  }
  const scalar = Object.hasOwn(WRAPPERS, known) ? WRAPPERS[known] : undefined
  return scalar === undefined ? undefined : { kind: 'wrapper', scalar }
}

/** Returns the value that stands for an absent field. */
function absentOf(field: protobuf.Field, node: ProtoNode): unknown {
  const given = (field.getOption('default') as unknown) !== undefined
  if (field.partOf !== null || (field.hasPresence && !given)) return null
  const value = field.typeDefault as { toString(): string } | null
  if (node.kind === 'enum') return enumSymbolOf(node.symbols, Number(value))
  if (node.kind !== 'scalar') return null
  if (node.scalar === 'bytes') return Buffer.from((value ?? []) as unknown as Uint8Array).toString('base64')
  if (typeof value !== 'object' || value === null) return value
  return narrowInteger(BigInt(value.toString()))
}

/** Returns the symbol of a number, or its digits when it has none. */
export function enumSymbolOf(symbols: ReadonlyMap<number, string>, value: number): string {
  return symbols.get(value) ?? String(value)
}

/** Returns the full name without the leading dot that protobufjs adds. */
export function fullNameOf(type: { readonly fullName: string }): string {
  return type.fullName.replace(/^\./, '')
}

/** Returns the error for a fault in a schema, with its place. */
export function protoSchemaError(
  source: string,
  at: string,
  message: string,
  cause?: unknown,
): PipelineError {
  const detail = at === '' ? message : `${at}: ${message}`
  return new PipelineError('KD_CONTRACT_INVALID', detail, { source }, cause === undefined ? {} : { cause })
}
