import type { PlainContract, PlainField, PlainValue } from '../contract/columns/plain.ts'
import { type DataType, type StructField, type StructType, typeName } from '../core/schema.ts'
import { originOf } from './known.ts'

/**
 * The columns as plain data for a reader of bytes: what the contract says of its own, and of the others their types.
 * `undefined` where the contract is not plain, or where its columns are not of its types or not nullable, which rows must
 * be held to one by one. `written` is absent where the table takes the contract's place.
 */
export function plainColumns(
  schema: StructType,
  written: { readonly plain: PlainContract | undefined } | undefined,
): PlainContract | undefined {
  if (written === undefined) return structOf(schema)
  return written.plain === undefined ? undefined : joined(schema, written.plain)
}

function joined(schema: StructType, plain: PlainContract): PlainContract | undefined {
  const fields: PlainField[] = []
  for (const field of schema.fields) {
    const own = plain.fields.find(({ name }) => name === field.name)
    const value = originOf(field) === undefined ? own && withColumn(own, field) : fieldOf(field)
    if (value === undefined) return undefined
    fields.push({ required: false, ...own, ...value, name: field.name })
  }
  // What the contract asks of a property without a column shows in the message only.
  const known = new Set(fields.map(({ name }) => name))
  if (plain.fields.some(({ name }) => !known.has(name))) return undefined
  return { fields, additionalProperties: plain.additionalProperties }
}

/** What the contract says of a value, for the column that it goes to. */
function withColumn(
  value: PlainValue,
  { type, nullable }: Pick<StructField, 'type' | 'nullable'>,
): PlainValue | undefined {
  if (!nullable || typeName(type) !== typeName(value.type)) return undefined
  if (typeof type === 'string') return { ...value, type }
  if (type.type === 'struct' && value.object !== undefined) {
    const object = joined(type, value.object)
    return object && { ...value, type, object }
  }
  if (type.type === 'array' && value.items !== undefined) {
    const items = withColumn(value.items, { type: type.elementType, nullable: type.containsNull })
    return items && { ...value, type, items }
  }
  return { ...value, type }
}

function structOf(type: StructType): PlainContract {
  return { fields: type.fields.map(fieldOf), additionalProperties: true }
}

function fieldOf({ name, type, nullable }: StructField): PlainField {
  return { name, required: !nullable, ...valueOf(type, nullable) }
}

function valueOf(type: DataType, nullable: boolean): PlainValue {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return { type, nullable, json: 'object', object: structOf(type) }
      case 'array':
        return { type, nullable, json: 'array', items: valueOf(type.elementType, type.containsNull) }
      case 'map':
        return { type, nullable }
    }
  }
  return { type, nullable, ...JSON_OF[type] }
}

/** The JSON that reads as a value of the type without a doubt; types that are not here are left to their columns. */
const JSON_OF: Readonly<Record<string, Pick<PlainValue, 'json' | 'format'>>> = {
  string: { json: 'string' },
  boolean: { json: 'boolean' },
  long: { json: 'integer' },
  double: { json: 'number' },
  timestamp: { json: 'string', format: 'date-time' },
  date: { json: 'string', format: 'date' },
}
