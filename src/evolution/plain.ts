import type { PlainContract, PlainField, PlainValue } from '../contract/columns/plain.ts'
import { type DataType, type StructField, type StructType, typeName } from '../core/schema.ts'
import { columnOriginOf } from './table-columns.ts'

/**
 * Returns the columns as plain data for formats that decode bytes directly: the contract's rules for its own columns,
 * and the types of the others. Returns `undefined` when the contract has no plain form, or when its columns differ in
 * type or nullability, so that rows must be checked one by one. `written` is absent when the table defines the
 * columns.
 */
export function plainContractOf(
  schema: StructType,
  written: { readonly plain: PlainContract | undefined } | undefined,
): PlainContract | undefined {
  if (written === undefined) return plainStructOf(schema)
  return written.plain === undefined ? undefined : combineWithContract(schema, written.plain)
}

function combineWithContract(schema: StructType, plain: PlainContract): PlainContract | undefined {
  const fields: PlainField[] = []
  for (const field of schema.fields) {
    const own = plain.fields.find(({ name }) => name === field.name)
    const value = columnOriginOf(field) === undefined ? own && withColumnType(own, field) : fieldOf(field)
    if (value === undefined) return undefined
    fields.push({ required: false, ...own, ...value, name: field.name })
  }
  // The contract has a rule for a property without a column, which only the message itself can show.
  const known = new Set(fields.map(({ name }) => name))
  if (plain.fields.some(({ name }) => !known.has(name))) return undefined
  return { fields, additionalProperties: plain.additionalProperties }
}

/** Returns the contract's rules for a value, adapted to the type of its column. */
function withColumnType(
  value: PlainValue,
  { type, nullable }: Pick<StructField, 'type' | 'nullable'>,
): PlainValue | undefined {
  if (!nullable || typeName(type) !== typeName(value.type)) return undefined
  if (typeof type === 'string') return { ...value, type }
  if (type.type === 'struct' && value.object !== undefined) {
    const object = combineWithContract(type, value.object)
    return object && { ...value, type, object }
  }
  if (type.type === 'array' && value.items !== undefined) {
    const items = withColumnType(value.items, { type: type.elementType, nullable: type.containsNull })
    return items && { ...value, type, items }
  }
  return { ...value, type }
}

function plainStructOf(type: StructType): PlainContract {
  return { fields: type.fields.map(fieldOf), additionalProperties: true }
}

function fieldOf({ name, type, nullable }: StructField): PlainField {
  return { name, required: !nullable, ...valueOf(type, nullable) }
}

function valueOf(type: DataType, nullable: boolean): PlainValue {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return { type, nullable, json: 'object', object: plainStructOf(type) }
      case 'array':
        return { type, nullable, json: 'array', items: valueOf(type.elementType, type.containsNull) }
      case 'map':
        return { type, nullable }
    }
  }
  return { type, nullable, ...JSON_OF[type] }
}

/** JSON types that convert to a column type unambiguously; for other types the column itself decides. */
const JSON_OF: Readonly<Record<string, Pick<PlainValue, 'json' | 'format'>>> = {
  string: { json: 'string' },
  boolean: { json: 'boolean' },
  long: { json: 'integer' },
  double: { json: 'number' },
  timestamp: { json: 'string', format: 'date-time' },
  date: { json: 'string', format: 'date' },
}
