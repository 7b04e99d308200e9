import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructType } from '../../core/schema.ts'
import { acceptsJsonType, DELTA_TYPE_KEYWORD, parsePrimitiveType } from '../json-schema/delta-type.ts'
import { applicableSchemas } from './flatten.ts'
import { isJsonObject, extendPointer } from '../json-schema/json-schema.ts'
import type { JsonSchemaFault, JsonType } from '../json-schema/json-schema.ts'
import { SchemaReferences, ROOT_CONTRACT_URI } from '../json-schema/references.ts'
import { structTypeOf } from './to-struct.ts'
import { addFault } from '../json-schema/walk.ts'
import type { SchemaPart, SchemaWalk } from '../json-schema/walk.ts'

/**
 * Returns the table schema that a contract describes: string → string, integer → long, number → double, boolean →
 * boolean, `date-time` → timestamp, `date` → date, base64 content → binary, an object with properties → struct, an
 * object with only `additionalProperties` → map, array → array; `x-delta-type` names any other primitive type. If it
 * names `string` and no other keyword restricts the kind of value, the column accepts any value and stores values other
 * than text as their JSON.
 *
 * Every column, element and map value is nullable, including required properties: NOT NULL would bind every other
 * writer of the table, and the contract already refuses records without them.
 *
 * `type` is undefined when there are faults. `references` resolves the references of the schema; by default it knows
 * only the schema itself.
 */
export function deriveTableSchema(
  schema: unknown,
  references?: SchemaReferences,
): { type: StructType | undefined; faults: readonly JsonSchemaFault[] } {
  const faults: JsonSchemaFault[] = []
  if (!isJsonObject(schema)) {
    faults.push({ at: '', message: 'expected a JSON Schema object' })
    return { type: undefined, faults }
  }
  const walk: SchemaWalk = {
    references: references ?? new SchemaReferences([{ uri: ROOT_CONTRACT_URI, name: '', schema }], '2020-12'),
    faults,
    typeOf: (parts, at) => dataTypeOf(parts, at, walk),
    acceptsAnyJson: (parts) => partsAcceptAnyJson(parts, walk),
  }
  const type = dataTypeOf([{ schema, at: '', refs: [schema] }], '', walk)
  if (type !== undefined && (typeof type === 'string' || type.type !== 'struct')) {
    faults.push({ at: '', message: 'a row is an object with properties, so the contract must describe one' })
  }
  return { type: faults.length === 0 ? (type as StructType) : undefined, faults }
}

/** Returns the error that lists all faults of a contract. */
export function invalidContractError(faults: readonly JsonSchemaFault[], source: string): PipelineError {
  const list = faults.map((fault) => `${fault.at === '' ? '/' : fault.at}: ${fault.message}`).join('; ')
  return new PipelineError('KD_CONTRACT_INVALID', list, { source })
}

/** Returns the error for a contract that nests too deeply for the stack; any other error is returned unchanged. */
export function namedNestingError(error: unknown, source: string): unknown {
  if (!(error instanceof RangeError)) return error
  const detail = 'schemas nest too deeply, or refer to each other through too many references'
  return new PipelineError('KD_CONTRACT_INVALID', detail, { source }, { cause: error })
}

function dataTypeOf(parts: readonly SchemaPart[], at: string, walk: SchemaWalk): DataType | undefined {
  const faultsBefore = walk.faults.length
  const flat = parts.flatMap((part) => applicableSchemas(part, walk))
  if (walk.faults.length > faultsBefore) return undefined
  const kinds = jsonTypesOf(flat)
  const named = flat.find((part) => Object.hasOwn(part.schema, DELTA_TYPE_KEYWORD))
  if (named !== undefined) return namedType(named, kinds, walk)
  const [kind, ...others] = kinds
  if (kind === undefined) {
    return addFault(
      walk,
      at,
      `has no type from which a column type follows; add a type or ${DELTA_TYPE_KEYWORD}`,
    )
  }
  if (others.length > 0) {
    return addFault(walk, at, `mixes the types ${kinds.join(' and ')}; a column has one type`)
  }
  switch (kind) {
    case 'object':
      return structTypeOf(flat, at, walk)
    case 'array':
      return arrayOf(flat, at, walk)
    case 'string':
      return textOf(flat)
    case 'integer':
      return 'long'
    case 'number':
      return 'double'
    case 'boolean':
      return 'boolean'
  }
}

function partsAcceptAnyJson(parts: readonly SchemaPart[], walk: SchemaWalk): boolean {
  const flat = parts.flatMap((part) => applicableSchemas(part, walk))
  if (flat.some(({ schema }) => schema[DELTA_TYPE_KEYWORD] === 'string'))
    return jsonTypesOf(flat).length === 0
  const below = flat.flatMap(({ schema, at, refs }): SchemaPart[] => {
    const inner = schema['items'] ?? (schema['properties'] === undefined && schema['additionalProperties'])
    return isJsonObject(inner) ? [{ schema: inner, at, refs }] : []
  })
  return below.length > 0 && partsAcceptAnyJson(below, walk)
}

function textOf(parts: readonly SchemaPart[]): DataType {
  if (parts.some(({ schema }) => schema['format'] === 'date-time')) return 'timestamp'
  if (parts.some(({ schema }) => schema['format'] === 'date')) return 'date'
  return parts.some(({ schema }) => schema['contentEncoding'] === 'base64') ? 'binary' : 'string'
}

function namedType(part: SchemaPart, kinds: readonly JsonType[], walk: SchemaWalk): DataType | undefined {
  const at = extendPointer(part.at, DELTA_TYPE_KEYWORD)
  const text = part.schema[DELTA_TYPE_KEYWORD]
  const type = parsePrimitiveType(text)
  if (type === undefined) return addFault(walk, at, `${JSON.stringify(text)} is not a primitive Delta type`)
  const unfit = kinds.find((kind) => !acceptsJsonType(type, kind))
  return unfit === undefined
    ? type
    : addFault(walk, at, `a column of type ${type} cannot hold a JSON ${unfit}`)
}

function arrayOf(parts: readonly SchemaPart[], at: string, walk: SchemaWalk): DataType | undefined {
  const items: SchemaPart[] = []
  for (const part of parts) {
    const item = part.schema['items']
    if (Array.isArray(item) || Object.hasOwn(part.schema, 'prefixItems')) {
      return addFault(walk, part.at, 'items that differ by position (a tuple) cannot be one array column')
    }
    if (isJsonObject(item)) {
      items.push({ schema: item, at: extendPointer(part.at, 'items'), refs: part.refs })
    }
  }
  const first = items[0]
  if (first === undefined) return addFault(walk, at, 'an array needs `items` with a type')
  const elementType = dataTypeOf(items, first.at, walk)
  return elementType === undefined ? undefined : { type: 'array', elementType, containsNull: true }
}

/**
 * Returns the JSON types that all parts together allow, without null; when no part has a `type`, the types of the
 * values in `enum` and `const`.
 */
export function jsonTypesOf(parts: readonly Pick<SchemaPart, 'schema'>[]): JsonType[] {
  const typed = parts.filter(({ schema }) => schema['type'] !== undefined)
  let kinds: JsonType[] | undefined
  for (const { schema } of typed) {
    const own = (Array.isArray(schema['type']) ? schema['type'] : [schema['type']]) as JsonType[]
    const next = own.includes('number') && !own.includes('integer') ? [...own, 'integer' as const] : own
    kinds = kinds === undefined ? [...next] : kinds.filter((kind) => next.includes(kind))
  }
  kinds ??= valueKindsOf(parts)
  if (kinds.length === 0 && typed.length === 0) {
    if (parts.some(({ schema }) => isJsonObject(schema['properties']))) kinds = ['object']
  }
  const known = kinds.filter((kind) => (kind as string) !== 'null')
  return known.includes('number') ? known.filter((kind) => kind !== 'integer') : known
}

function valueKindsOf(parts: readonly Pick<SchemaPart, 'schema'>[]): JsonType[] {
  const kinds = new Set<JsonType>()
  for (const { schema } of parts) {
    const list: readonly unknown[] = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : []
    for (const value of Object.hasOwn(schema, 'const') ? [schema['const'], ...list] : list) {
      if (value === null) continue
      if (typeof value === 'number') kinds.add(Number.isInteger(value) ? 'integer' : 'number')
      else kinds.add(Array.isArray(value) ? 'array' : (typeof value as JsonType))
    }
  }
  return [...kinds]
}
