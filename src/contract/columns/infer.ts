import { Exact } from '../../core/exact.ts'
import {
  decimalOf,
  REFUSED_IN_NAMES,
  type DataType,
  type MapType,
  type StructField,
  type StructType,
  typeName,
} from '../../core/schema.ts'
import { isWider } from '../../core/widening.ts'

/** Objects and arrays within each other that become structs and arrays; what is deeper is JSON text. */
const DEPTH_MAX = 8
/** Fields of one object that become fields of a struct; an object with more is a map in disguise and becomes JSON text. */
const FIELDS_MAX = 200
const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

/**
 * The column type that a JSON value asks for: integer → long, other numbers → double, boolean, string, object → struct,
 * array → array of what all its elements are. Text is never taken for a date. What no column can hold as it is becomes
 * JSON text: integers beyond 64 bits, objects whose keys are no column names, what nests too
 * deeply. `undefined` where the value says nothing yet: null, and what holds nothing but nulls.
 */
export function typeOfValue(value: unknown, depth = 0): DataType | undefined {
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
      if (value instanceof Exact) return Number.isFinite(Number(value.text)) ? 'double' : 'string'
      if (depth >= DEPTH_MAX) return 'string'
      return Array.isArray(value) ? arrayOf(value, depth) : structOf(value, depth)
    default:
      return undefined
  }
}

function arrayOf(values: readonly unknown[], depth: number): DataType | undefined {
  let elementType: DataType | undefined
  for (const value of values) {
    const type = typeOfValue(value, depth + 1)
    if (type !== undefined) elementType = elementType === undefined ? type : unite(elementType, type)
    // No other value can make it anything else.
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
    if (!canName(name) || names.has(folded)) return 'string'
    names.add(folded)
    const type = typeOfValue(inner, depth + 1)
    if (type !== undefined) fields.push({ name, type, nullable: true, metadata: {} })
  }
  return fields.length === 0 ? undefined : { type: 'struct', fields }
}

/** Whether a key of a message can name a column of any table. */
export function canName(name: string): boolean {
  return name !== '' && name !== '__proto__' && !REFUSED_IN_NAMES.test(name)
}

/**
 * The type that holds the values of both: the wider of two, double for long and double, structs and arrays by their parts,
 * string (as JSON text) for any other mix. Fields keep the metadata of `a`, and are nullable where one of both lacks them.
 */
export function unite(a: DataType, b: DataType): DataType {
  if (a === b) return a
  if (typeof a === 'string' || typeof b === 'string') return unitePrimitives(typeName(a), typeName(b), a, b)
  if (a.type === 'struct' && b.type === 'struct') return uniteStructs(a, b)
  if (a.type === 'array' && b.type === 'array') {
    const elementType = unite(a.elementType, b.elementType)
    const containsNull = a.containsNull || b.containsNull
    return elementType === a.elementType && containsNull === a.containsNull
      ? a
      : { type: 'array', elementType, containsNull }
  }
  if (a.type === 'map' && b.type === 'map') return uniteMaps(a, b)
  return 'string'
}

function uniteMaps(a: MapType, b: MapType): MapType {
  const keyType = unite(a.keyType, b.keyType)
  const valueType = unite(a.valueType, b.valueType)
  const valueContainsNull = a.valueContainsNull || b.valueContainsNull
  const same = keyType === a.keyType && valueType === a.valueType && valueContainsNull === a.valueContainsNull
  return same ? a : { type: 'map', keyType, valueType, valueContainsNull }
}

function unitePrimitives(from: string, to: string, a: DataType, b: DataType): DataType {
  if (from === to) return a
  if (isWider(from, to)) return b
  if (isWider(to, from)) return a
  if ((from === 'long' && to === 'double') || (from === 'double' && to === 'long')) return 'double'
  return uniteDecimals(a, b) ?? 'string'
}

function uniteDecimals(a: DataType, b: DataType): DataType | undefined {
  const one = decimalOf(a)
  const other = decimalOf(b)
  if (one === undefined || other === undefined) return undefined
  const scale = Math.max(one.scale, other.scale)
  const precision = scale + Math.max(one.precision - one.scale, other.precision - other.scale)
  return precision <= 38 ? `decimal(${precision},${scale})` : undefined
}

/** The fields of `a` in their order, then those that only `b` has. */
export function uniteStructs(a: StructType, b: StructType): StructType {
  if (a === b) return a
  const others = new Map(b.fields.map((field) => [field.name.toLowerCase(), field]))
  const shared = a.fields.map((field) => {
    const other = others.get(field.name.toLowerCase())
    others.delete(field.name.toLowerCase())
    const type = other === undefined ? field.type : unite(field.type, other.type)
    const nullable = field.nullable || (other?.nullable ?? true)
    return type === field.type && nullable === field.nullable ? field : { ...field, type, nullable }
  })
  if (others.size === 0 && shared.every((field, at) => field === a.fields[at])) return a
  const added = [...others.values()].map((field) => ({ ...field, nullable: true }))
  return { type: 'struct', fields: [...shared, ...added] }
}
