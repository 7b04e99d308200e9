import { parsePrimitiveType } from '../contract/json-schema/delta-type.ts'
import { PipelineError } from '../core/errors.ts'
import { findNameFault, type DataType, type StructField, type StructType } from '../core/schema.ts'
import type {
  ColumnType,
  FieldType,
  FieldTypes,
  RowInputOf,
  RowOf,
  RowSchema,
  ValueInputOf,
  ValueOf,
} from './row-types.ts'

/** Limits the depth of nested types. */
const DEPTH_MAX = 100

/**
 * Returns the schema with these fields, in this order. It is a Delta struct type that knows the type of its rows, and serves
 * as contract of messages and as columns of a table.
 * @throws KD_CONTRACT_INVALID with the path of the field, for an unknown type or a name that no column can have
 */
export function columns<const F extends FieldTypes>(fields: F): RowSchema<RowOf<F>, RowInputOf<F>> {
  const schema = structOf(fields, '', 0)
  const fault = findNameFault(schema)
  if (fault !== undefined) throw invalid(fault.path, `the name ${fault.fault}`)
  return schema
}

/** Returns the type of arrays of `element`. */
export function list<const E extends FieldType>(
  element: E,
): ColumnType<readonly ValueOf<E>[], readonly ValueInputOf<E>[]> {
  const { type, nullable } = typeOf(element, 'element', 0)
  return { columnType: { type: 'array', elementType: type, containsNull: nullable }, nullable: false }
}

/** Returns the type of structs with these fields. */
export function struct<const F extends FieldTypes>(fields: F): ColumnType<RowOf<F>, RowInputOf<F>> {
  return { columnType: structOf(fields, '', 0), nullable: false }
}

/**
 * Returns the type of maps. Maps with keys of text are objects, and operators may return a `Map` for them; maps with other
 * keys are a `Map`.
 * @throws KD_CONTRACT_INVALID for keys that may be null
 */
export function mapOf<const K extends FieldType, const V extends FieldType>(
  key: K,
  value: V,
): ColumnType<MapValue<K, ValueOf<K>, ValueOf<V>>, MapInput<K, ValueInputOf<K>, ValueInputOf<V>>> {
  const keys = typeOf(key, 'key', 0)
  if (keys.nullable) throw invalid('key', 'keys of a map cannot be null')
  const { type, nullable } = typeOf(value, 'value', 0)
  return {
    columnType: { type: 'map', keyType: keys.type, valueType: type, valueContainsNull: nullable },
    nullable: false,
  }
}

/** Selects the type of a map as operators see it, by the type of its keys. */
export type MapValue<K, Key, Value> = K extends 'string'
  ? Readonly<Record<string, Value>>
  : ReadonlyMap<Key, Value>

/** Selects the type of a map as operators may return it, by the type of its keys. */
export type MapInput<K, Key, Value> = K extends 'string'
  ? Readonly<Record<string, Value>> | ReadonlyMap<string, Value>
  : ReadonlyMap<Key, Value>

/** Returns the type whose values may also be null, as `?` does at the end of a primitive type. */
export function nullable<const F extends FieldType>(
  type: F,
): ColumnType<ValueOf<F> | null, ValueInputOf<F> | null> {
  return { columnType: typeOf(type, 'value', 0).type, nullable: true }
}

interface CompiledType {
  readonly type: DataType
  readonly nullable: boolean
}

function structOf(fields: FieldTypes, path: string, depth: number): StructType {
  const made = Object.entries(fields).map(([name, given]): StructField => {
    const { type, nullable: isNullable } = typeOf(given, path === '' ? name : `${path}.${name}`, depth + 1)
    return { name, type, nullable: isNullable, metadata: {} }
  })
  if (made.length === 0) throw invalid(path, 'a struct needs at least one field')
  return { type: 'struct', fields: made }
}

/** Returns the type that `given` describes. It may come from JavaScript, so it is checked. */
function typeOf(given: FieldType | null | undefined, path: string, depth: number): CompiledType {
  if (depth > DEPTH_MAX) throw invalid(path, `types are nested more than ${DEPTH_MAX} deep`)
  if (typeof given === 'string') return primitiveOf(given, path)
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid(path, `expected a type, got ${given === null ? 'null' : typeof given}`)
  if (isColumnType(given)) return { type: given.columnType, nullable: given.nullable }
  if (isRowSchema(given)) return { type: given, nullable: false }
  return { type: structOf(given, path, depth), nullable: false }
}

function primitiveOf(text: string, path: string): CompiledType {
  const isNullable = text.endsWith('?')
  const type = parsePrimitiveType(isNullable ? text.slice(0, -1) : text)
  if (type === undefined)
    throw invalid(
      path,
      `unknown type ${JSON.stringify(text)}; types are boolean, byte, short, integer, long, float, double, decimal(precision,scale), string, binary, date, timestamp and timestamp_ntz`,
    )
  return { type, nullable: isNullable }
}

function isColumnType(given: object): given is ColumnType {
  return 'columnType' in given && 'nullable' in given && typeof given.nullable === 'boolean'
}

function isRowSchema(given: object): given is RowSchema<object> {
  return 'type' in given && given.type === 'struct' && 'fields' in given && Array.isArray(given.fields)
}

function invalid(path: string, fault: string): PipelineError {
  return new PipelineError('KD_CONTRACT_INVALID', path === '' ? fault : `${path}: ${fault}`, {
    source: 'columns()',
  })
}
