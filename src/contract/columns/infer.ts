import { ExactNumber } from '../../core/exact.ts'
import {
  columnNameFault,
  decimalOf,
  type DataType,
  type MapType,
  type StructField,
  type StructType,
  typeName,
} from '../../core/schema.ts'
import { isWider } from '../../core/widening.ts'

/** Depth of nested objects and arrays that become structs and arrays. Deeper values become JSON text. */
const DEPTH_MAX = 8
/** Fields of one object that become struct fields. An object with more is used as a map and becomes JSON text. */
const FIELDS_MAX = 200
const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

/**
 * Returns the column type that a JSON value calls for: integer → long, other numbers → double, boolean, string,
 * object → struct, array → array of the merged element types. Text is never taken for a date. Values that no column
 * can represent become JSON text: integers beyond 64 bits, objects with keys that are not valid column names, and
 * values that nest too deeply. Returns `undefined` for null and for values that contain only nulls.
 */
export function inferType(value: unknown, depth = 0): DataType | undefined {
  switch (typeof value) {
    case 'boolean':
      return 'boolean'
    case 'string':
      return 'string'
    case 'number':
      return Number.isSafeInteger(value) ? 'long' : 'double'
    case 'bigint':
      return value >= LONG_MIN && value <= LONG_MAX ? 'long' : 'string'
    case 'object':
      if (value === null) return undefined
      if (value instanceof ExactNumber) return Number.isFinite(Number(value.text)) ? 'double' : 'string'
      if (depth >= DEPTH_MAX) return 'string'
      return Array.isArray(value) ? arrayOf(value, depth) : structOf(value, depth)
    default:
      return undefined
  }
}

function arrayOf(values: readonly unknown[], depth: number): DataType | undefined {
  let elementType: DataType | undefined
  for (const value of values) {
    const type = inferType(value, depth + 1)
    if (type !== undefined) elementType = elementType === undefined ? type : mergeTypes(elementType, type)
    // Merging another type into string gives string again.
    if (elementType === 'string') break
  }
  return elementType === undefined ? undefined : { type: 'array', elementType, containsNull: true }
}

function structOf(value: object, depth: number): DataType | undefined {
  const entries = Object.entries(value)
  if (entries.length > FIELDS_MAX) return 'string'
  const names = new Set<string>()
  const fields: StructField[] = []
  for (const [name, inner] of entries) {
    const folded = name.toLowerCase()
    if (!isColumnName(name) || names.has(folded)) return 'string'
    names.add(folded)
    const type = inferType(inner, depth + 1)
    if (type !== undefined) fields.push({ name, type, nullable: true, metadata: {} })
  }
  return fields.length === 0 ? undefined : { type: 'struct', fields }
}

/** Returns true when a message key is a valid column name in every table. */
export function isColumnName(name: string): boolean {
  return columnNameFault(name) === undefined
}

/**
 * Returns the type that holds the values of both types: the wider of two, double for long and double, structs and
 * arrays member by member, and string (as JSON text) for any other combination. Fields keep the metadata of `a`; a
 * field that only one of the structs has becomes nullable.
 */
export function mergeTypes(a: DataType, b: DataType): DataType {
  if (a === b) return a
  if (typeof a === 'string' || typeof b === 'string') return mergePrimitives(typeName(a), typeName(b), a, b)
  if (a.type === 'struct' && b.type === 'struct') return mergeStructs(a, b)
  if (a.type === 'array' && b.type === 'array') {
    const elementType = mergeTypes(a.elementType, b.elementType)
    const containsNull = a.containsNull || b.containsNull
    return elementType === a.elementType && containsNull === a.containsNull
      ? a
      : { type: 'array', elementType, containsNull }
  }
  if (a.type === 'map' && b.type === 'map') return mergeMaps(a, b)
  return 'string'
}

function mergeMaps(a: MapType, b: MapType): MapType {
  const keyType = mergeTypes(a.keyType, b.keyType)
  const valueType = mergeTypes(a.valueType, b.valueType)
  const valueContainsNull = a.valueContainsNull || b.valueContainsNull
  const same = keyType === a.keyType && valueType === a.valueType && valueContainsNull === a.valueContainsNull
  return same ? a : { type: 'map', keyType, valueType, valueContainsNull }
}

function mergePrimitives(from: string, to: string, a: DataType, b: DataType): DataType {
  if (from === to) return a
  if (isWider(from, to)) return b
  if (isWider(to, from)) return a
  if ((from === 'long' && to === 'double') || (from === 'double' && to === 'long')) return 'double'
  return mergeDecimals(a, b) ?? 'string'
}

function mergeDecimals(a: DataType, b: DataType): DataType | undefined {
  const one = decimalOf(a)
  const other = decimalOf(b)
  if (one === undefined || other === undefined) return undefined
  const scale = Math.max(one.scale, other.scale)
  const precision = scale + Math.max(one.precision - one.scale, other.precision - other.scale)
  return precision <= 38 ? `decimal(${precision},${scale})` : undefined
}

/** Returns the fields of `a` in their order, followed by the fields that only `b` has. */
export function mergeStructs(a: StructType, b: StructType): StructType {
  if (a === b) return a
  const others = new Map(b.fields.map((field) => [field.name.toLowerCase(), field]))
  const shared = a.fields.map((field) => {
    const other = others.get(field.name.toLowerCase())
    others.delete(field.name.toLowerCase())
    const type = other === undefined ? field.type : mergeTypes(field.type, other.type)
    const nullable = field.nullable || (other?.nullable ?? true)
    return type === field.type && nullable === field.nullable ? field : { ...field, type, nullable }
  })
  if (others.size === 0 && shared.every((field, at) => field === a.fields[at])) return a
  const added = [...others.values()].map((field) => ({ ...field, nullable: true }))
  return { type: 'struct', fields: [...shared, ...added] }
}
