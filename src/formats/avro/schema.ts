import { PipelineError } from '../../core/errors.ts'

/** Describes a logical type that maps to a column type of its own. */
export type AvroLogical =
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number }
  | {
      readonly name:
        | 'date'
        | 'uuid'
        | 'timestamp-millis'
        | 'timestamp-micros'
        | 'local-timestamp-millis'
        | 'local-timestamp-micros'
    }

/** Names the primitive types. */
type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

/**
 * Describes a schema whose names are resolved. A named type is the same object wherever it is used, also within itself.
 */
export type AvroNode =
  | { readonly kind: AvroPrimitive; readonly logical?: AvroLogical }
  | AvroFixed
  | AvroEnum
  | { readonly kind: 'array'; readonly items: AvroNode }
  | { readonly kind: 'map'; readonly values: AvroNode }
  | { readonly kind: 'union'; readonly branches: readonly AvroNode[] }
  | AvroRecord

/**
 * Describes a named type: `name` includes the namespace, and `aliases` are further names under which it can be read.
 */
interface AvroNamed {
  readonly name: string
  readonly aliases?: readonly string[]
}

/** Describes a byte sequence of fixed length. */
interface AvroFixed extends AvroNamed {
  readonly kind: 'fixed'
  readonly size: number
  readonly logical?: AvroLogical
}

/** Describes an enum. `default` replaces symbols of a writer that are not in the list. */
export interface AvroEnum extends AvroNamed {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  readonly default?: string
}

/** Describes a record with its fields in order. */
export interface AvroRecord extends AvroNamed {
  readonly kind: 'record'
  readonly fields: readonly AvroField[]
}

/** Describes a field of a record. */
export interface AvroField {
  readonly name: string
  readonly node: AvroNode
  readonly aliases?: readonly string[]
  /** The value, as JSON, for records of writers that lack the field. */
  readonly default?: { readonly json: unknown }
}

const PRIMITIVES = new Set<unknown>(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const FULL_NAME = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/
const DEPTH_MAX = 200
/** Limit of the digits of a decimal that is read; columns hold fewer. */
const DECIMAL_DIGITS_MAX = 1_000
/** Limit of nested types, each counted wherever it is used, because a reader has one part for each. */
const PARTS_MAX = 100_000

/**
 * Parses the schema in `json`. It may use the named types in `known` and adds its own to them.
 * @throws KD_CONTRACT_INVALID for an invalid Avro schema
 */
export function parseAvroSchema(
  json: unknown,
  source: string,
  known: Map<string, AvroNode> = new Map<string, AvroNode>(),
): AvroNode {
  const node = new Parser(source, known).parse(json, '', '', 0)
  if (partsOf(node, new Map<AvroNode, number>()) <= PARTS_MAX) return node
  throw new PipelineError('KD_CONTRACT_INVALID', `/: holds more than ${PARTS_MAX} nested types`, {
    source,
  })
}

function partsOf(node: AvroNode, known: Map<AvroNode, number>): number {
  const before = known.get(node)
  if (before !== undefined) return before
  // A type within itself counts once.
  known.set(node, 1)
  const parts = innerOf(node).reduce((sum, inner) => sum + partsOf(inner, known), 1)
  known.set(node, parts)
  return parts
}

function innerOf(node: AvroNode): readonly AvroNode[] {
  switch (node.kind) {
    case 'record':
      return node.fields.map((field) => field.node)
    case 'array':
      return [node.items]
    case 'map':
      return [node.values]
    case 'union':
      return node.branches
    default:
      return []
  }
}

class Parser {
  readonly #source: string
  readonly #known: Map<string, AvroNode>

  constructor(source: string, known: Map<string, AvroNode>) {
    this.#source = source
    this.#known = known
  }

  parse(json: unknown, namespace: string, at: string, depth: number): AvroNode {
    if (depth > DEPTH_MAX) throw this.#fault(at, 'nests too deeply')
    if (typeof json === 'string') return this.#named(json, namespace, at)
    if (Array.isArray(json)) return this.#union(json, namespace, at, depth)
    if (typeof json !== 'object' || json === null)
      throw this.#fault(at, 'expected a schema, got neither name, list nor object')
    const schema = json as Schema
    const { type } = schema
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(schema, namespace, at, depth)
      case 'enum':
        return this.#enum(schema, namespace, at)
      case 'fixed':
        return this.#fixed(schema, namespace, at)
      case 'array':
        return { kind: 'array', items: this.parse(schema['items'], namespace, `${at}/items`, depth + 1) }
      case 'map':
        return { kind: 'map', values: this.parse(schema['values'], namespace, `${at}/values`, depth + 1) }
    }
    if (!PRIMITIVES.has(type)) return this.parse(type, namespace, `${at}/type`, depth + 1)
    const kind = type as AvroPrimitive
    const logical = this.#logicalOf(kind, schema, at)
    return logical === undefined ? { kind } : { kind, logical }
  }

  #named(name: string, namespace: string, at: string): AvroNode {
    if (PRIMITIVES.has(name)) return { kind: name as AvroPrimitive }
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
    for (const candidate of [full, name]) {
      const found = this.#known.get(candidate)
      if (found !== undefined) return found
    }
    throw this.#fault(at, `${JSON.stringify(full)} is not a known type`)
  }

  #union(branches: readonly unknown[], namespace: string, at: string, depth: number): AvroNode {
    const nodes = branches.map((branch, i) => this.parse(branch, namespace, `${at}/${i}`, depth + 1))
    if (nodes.length === 0) throw this.#fault(at, 'is an empty union')
    const names = nodes.map((node) => ('name' in node ? node.name : node.kind))
    if (nodes.some((node) => node.kind === 'union')) throw this.#fault(at, 'is a union inside a union')
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw this.#fault(at, `has ${JSON.stringify(twice)} twice in one union`)
    return { kind: 'union', branches: nodes }
  }

  #record(schema: Schema, outer: string, at: string, depth: number): AvroNode {
    const { name, namespace } = this.#nameOf(schema, outer, at)
    const list: unknown = schema['fields']
    if (!Array.isArray(list)) throw this.#fault(at, `${name} has no list of fields`)
    const fields: AvroField[] = []
    // Known before its fields, because they may refer to it.
    const node = this.#keep(name, { kind: 'record', name, fields, ...aliasesOf(schema) })
    const seen = new Set<string>()
    for (const [i, field] of list.entries()) {
      const fieldName: unknown = isObject(field) ? field['name'] : undefined
      if (!isObject(field) || typeof fieldName !== 'string' || !NAME.test(fieldName))
        throw this.#fault(`${at}/fields/${i}`, 'expected a field with a name')
      if (seen.has(fieldName)) throw this.#fault(`${at}/${fieldName}`, 'has its name twice')
      seen.add(fieldName)
      const type = this.parse(field.type, namespace, `${at}/${fieldName}`, depth + 1)
      const absent = Object.hasOwn(field, 'default') ? { default: { json: field['default'] } } : {}
      fields.push({ name: fieldName, node: type, ...aliasesOf(field), ...absent })
    }
    return node
  }

  #enum(schema: Schema, outer: string, at: string): AvroNode {
    const { name } = this.#nameOf(schema, outer, at)
    const symbols = schema['symbols']
    if (!Array.isArray(symbols) || symbols.length === 0 || !symbols.every((each) => typeof each === 'string'))
      throw this.#fault(at, `${name} has no list of symbols`)
    const fallback = schema['default']
    const known = typeof fallback === 'string' && symbols.includes(fallback) ? { default: fallback } : {}
    return this.#keep(name, { kind: 'enum', name, symbols, ...aliasesOf(schema), ...known })
  }

  #fixed(schema: Schema, outer: string, at: string): AvroNode {
    const { name } = this.#nameOf(schema, outer, at)
    const size = schema['size']
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw this.#fault(at, `${name} has no size`)
    const logical = this.#logicalOf('fixed', schema, at)
    const node = { kind: 'fixed', name, size: size as number, ...aliasesOf(schema) } as const
    return this.#keep(name, logical === undefined ? node : { ...node, logical })
  }

  #keep(name: string, node: AvroNode): AvroNode {
    this.#known.set(name, node)
    return node
  }

  #nameOf(schema: Schema, outer: string, at: string): { name: string; namespace: string } {
    const { name: own, namespace: given } = schema as { name?: unknown; namespace?: unknown }
    if (typeof own !== 'string' || !FULL_NAME.test(own)) throw this.#fault(at, 'expected a type with a name')
    const namespace = own.includes('.')
      ? own.slice(0, own.lastIndexOf('.'))
      : typeof given === 'string'
        ? given
        : outer
    const short = own.slice(own.lastIndexOf('.') + 1)
    const name = namespace === '' ? short : `${namespace}.${short}`
    if (this.#known.has(name)) throw this.#fault(at, `defines ${JSON.stringify(name)} twice`)
    return { name, namespace }
  }

  /**
   * Returns the logical type if it fits its underlying type. The specification requires other logical types to be
   * ignored.
   */
  #logicalOf(kind: string, schema: Schema, at: string): AvroLogical | undefined {
    const name = schema['logicalType']
    const scale = schema['scale'] ?? 0
    const precision = schema['precision']
    if (name === 'decimal' && (kind === 'bytes' || kind === 'fixed')) {
      if (!isCount(precision) || precision === 0 || !isCount(scale) || scale > precision) return undefined
      if (precision > DECIMAL_DIGITS_MAX)
        throw this.#fault(at, `a decimal of ${precision} digits; at most ${DECIMAL_DIGITS_MAX} can be read`)
      return { name, precision, scale }
    }
    if (name === 'uuid' && (kind === 'string' || (kind === 'fixed' && schema['size'] === 16))) return { name }
    if (name === 'date' && kind === 'int') return { name }
    if (kind !== 'long') return undefined
    return TIMESTAMPS.has(name) ? ({ name } as AvroLogical) : undefined
  }

  #fault(at: string, message: string): PipelineError {
    return new PipelineError('KD_CONTRACT_INVALID', `${at === '' ? '/' : at}: ${message}`, {
      source: this.#source,
    })
  }
}

type Schema = Readonly<Record<string, unknown>> & { readonly type?: unknown }

function aliasesOf(schema: Schema): { readonly aliases?: readonly string[] } {
  const aliases = schema['aliases']
  if (!Array.isArray(aliases) || aliases.length === 0) return {}
  return { aliases: aliases.filter((alias): alias is string => typeof alias === 'string') }
}

const TIMESTAMPS = new Set<unknown>([
  'timestamp-millis',
  'timestamp-micros',
  'local-timestamp-millis',
  'local-timestamp-micros',
])

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
