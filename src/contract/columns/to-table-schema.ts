import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructType } from '../../core/schema.ts'
import { canHold, DELTA_TYPE, primitiveOf } from '../json-schema/delta-type.ts'
import { flatten } from './flatten.ts'
import { isObject, pointerTo } from '../json-schema/json-schema.ts'
import type { Fault, JsonKind } from '../json-schema/json-schema.ts'
import { References, ROOT_URI } from '../json-schema/references.ts'
import { structOf } from './to-struct.ts'
import { fault } from '../json-schema/walk.ts'
import type { Part, Walk } from '../json-schema/walk.ts'

/**
 * The table schema that a contract describes: string → string, integer → long, number → double, boolean → boolean,
 * `date-time` → timestamp, `date` → date, base64 content → binary, an object with properties → struct, an object with
 * only `additionalProperties` → map, array → array; `x-delta-type` names any other primitive type. Where that is `string`
 * and no other keyword says of what kind the values are, the column takes all, and what is no text as its JSON.
 *
 * Every column, element and map value is nullable, also those the contract requires: a NOT NULL column is an invariant
 * that binds every later writer of the table, while the contract already refuses such records on their way in.
 * @throws KD_CONTRACT_INVALID with every fault and its JSON pointer.
 */
export function tableSchemaOf(schema: unknown, source = 'contract'): StructType {
  const { type, faults } = mapSchema(schema)
  if (type === undefined) throw contractInvalid(faults, source)
  return type
}

/**
 * As `tableSchemaOf`, with the faults as data; `type` is absent when there is any fault. `references` know the schema and
 * what it refers to; by default there is nothing beside it.
 */
export function mapSchema(
  schema: unknown,
  references?: References,
): { type: StructType | undefined; faults: readonly Fault[] } {
  const faults: Fault[] = []
  if (!isObject(schema)) {
    faults.push({ at: '', message: 'expected a JSON Schema object' })
    return { type: undefined, faults }
  }
  const walk: Walk = {
    references: references ?? new References([{ uri: ROOT_URI, name: '', schema }], '2020-12'),
    faults,
    typeOf: (parts, at) => dataTypeOf(parts, at, walk),
    isLoose: (parts) => isLoose(parts, walk),
  }
  const type = dataTypeOf([{ schema, at: '', refs: [schema] }], '', walk)
  if (type !== undefined && (typeof type === 'string' || type.type !== 'struct')) {
    faults.push({ at: '', message: 'a row is an object with properties, so the contract must describe one' })
  }
  return { type: faults.length === 0 ? (type as StructType) : undefined, faults }
}

/** The error that lists all faults of a contract. */
export function contractInvalid(faults: readonly Fault[], source: string): PipelineError {
  const list = faults.map((fault) => `${fault.at === '' ? '/' : fault.at}: ${fault.message}`).join('; ')
  return new PipelineError('KD_CONTRACT_INVALID', list, { source })
}

function dataTypeOf(parts: readonly Part[], at: string, walk: Walk): DataType | undefined {
  const faultsBefore = walk.faults.length
  const flat = parts.flatMap((part) => flatten(part, walk))
  if (walk.faults.length > faultsBefore) return undefined
  const kinds = kindsOf(flat)
  const named = flat.find((part) => Object.hasOwn(part.schema, DELTA_TYPE))
  if (named !== undefined) return namedType(named, kinds, walk)
  const [kind, ...others] = kinds
  if (kind === undefined) {
    return fault(walk, at, `has no type that a column can take its type from; give it one, or ${DELTA_TYPE}`)
  }
  if (others.length > 0) {
    return fault(walk, at, `mixes the types ${kinds.join(' and ')}; a column has one type`)
  }
  switch (kind) {
    case 'object':
      return structOf(flat, at, walk)
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

function isLoose(parts: readonly Part[], walk: Walk): boolean {
  const flat = parts.flatMap((part) => flatten(part, walk))
  if (flat.some(({ schema }) => schema[DELTA_TYPE] === 'string')) return kindsOf(flat).length === 0
  const below = flat.flatMap(({ schema, at, refs }): Part[] => {
    const inner = schema['items'] ?? (schema['properties'] === undefined && schema['additionalProperties'])
    return isObject(inner) ? [{ schema: inner, at, refs }] : []
  })
  return below.length > 0 && isLoose(below, walk)
}

function textOf(parts: readonly Part[]): DataType {
  if (parts.some(({ schema }) => schema['format'] === 'date-time')) return 'timestamp'
  if (parts.some(({ schema }) => schema['format'] === 'date')) return 'date'
  return parts.some(({ schema }) => schema['contentEncoding'] === 'base64') ? 'binary' : 'string'
}

function namedType(part: Part, kinds: readonly JsonKind[], walk: Walk): DataType | undefined {
  const at = pointerTo(part.at, DELTA_TYPE)
  const text = part.schema[DELTA_TYPE]
  const type = primitiveOf(text)
  if (type === undefined) return fault(walk, at, `${JSON.stringify(text)} is no primitive Delta type`)
  const unfit = kinds.find((kind) => !canHold(type, kind))
  return unfit === undefined ? type : fault(walk, at, `a column of type ${type} cannot hold JSON's ${unfit}`)
}

function arrayOf(parts: readonly Part[], at: string, walk: Walk): DataType | undefined {
  const items: Part[] = []
  for (const part of parts) {
    const item = part.schema['items']
    if (Array.isArray(item) || Object.hasOwn(part.schema, 'prefixItems')) {
      return fault(walk, part.at, 'items that differ by position (a tuple) cannot be one array column')
    }
    if (isObject(item)) {
      items.push({ schema: item, at: pointerTo(part.at, 'items'), refs: part.refs })
    }
  }
  const first = items[0]
  if (first === undefined) return fault(walk, at, 'an array needs `items` with a type')
  const elementType = dataTypeOf(items, first.at, walk)
  return elementType === undefined ? undefined : { type: 'array', elementType, containsNull: true }
}

/** JSON types that all parts together allow, null left out; those of `enum` and `const` where no part has a `type`. */
function kindsOf(parts: readonly Part[]): JsonKind[] {
  const typed = parts.filter(({ schema }) => schema['type'] !== undefined)
  let kinds: JsonKind[] | undefined
  for (const { schema } of typed) {
    const own = (Array.isArray(schema['type']) ? schema['type'] : [schema['type']]) as JsonKind[]
    const next = own.includes('number') && !own.includes('integer') ? [...own, 'integer' as const] : own
    kinds = kinds === undefined ? [...next] : kinds.filter((kind) => next.includes(kind))
  }
  kinds ??= valueKindsOf(parts)
  if (kinds.length === 0 && typed.length === 0) {
    if (parts.some(({ schema }) => isObject(schema['properties']))) kinds = ['object']
  }
  const known = kinds.filter((kind) => (kind as string) !== 'null')
  return known.includes('number') ? known.filter((kind) => kind !== 'integer') : known
}

function valueKindsOf(parts: readonly Part[]): JsonKind[] {
  const kinds = new Set<JsonKind>()
  for (const { schema } of parts) {
    const list: readonly unknown[] = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : []
    for (const value of Object.hasOwn(schema, 'const') ? [schema['const'], ...list] : list) {
      if (value === null) continue
      if (typeof value === 'number') kinds.add(Number.isInteger(value) ? 'integer' : 'number')
      else kinds.add(Array.isArray(value) ? 'array' : (typeof value as JsonKind))
    }
  }
  return [...kinds]
}
