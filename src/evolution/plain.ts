import type { PlainContract, PlainField, PlainValue } from '../contract/columns/plain.ts'
import { type DataType, type StructField, type StructType, typeName } from '../core/schema.ts'
import type { FormatOptions } from '../formats/format.ts'
import { isUntyped } from './coerce-message.ts'
import type { CoerceValue } from './ingest-values.ts'
import type { SchemaEvolution } from './policy.ts'
import { columnOriginOf } from './table-columns.ts'

/** Text in base64 that is not hexadecimal. */
const BASE64 = 'QUJD'

/**
 * Returns the columns as plain data for formats that decode bytes directly: the contract's rules for its own columns,
 * and the types of the others. Returns `undefined` when the contract has no plain form, when its columns are of another
 * kind, or when `coerceValue` takes text for binary columns for something other than base64, so that rows must be checked
 * one by one. `written` is absent when the table defines the columns.
 */
export function plainContractOf(
  schema: StructType,
  written: { readonly plain: PlainContract | undefined } | undefined,
  coerceValue?: CoerceValue,
): PlainContract | undefined {
  // All other text and numbers that it converts are left to it, since no column accepts them.
  const isBase64 = coerceValue === undefined || coerceValue('binary', BASE64) === BASE64
  if (!isBase64 && hasBinary(schema)) return undefined
  return written === undefined ? plainStructOf(schema) : combineWithContract(schema, written.plain)
}

/** Returns what formats that decode bytes directly do with values beside the columns, so that the policy holds. */
export function messageHandlingOf(
  policy: SchemaEvolution,
  jsonTextColumns: 'none' | 'untyped' | 'all',
  rescues: boolean,
): Pick<FormatOptions, 'unknownFields' | 'keepFractions' | 'storesJsonText' | 'isInferred' | 'ignoresEmpty'> {
  const evolves = policy === 'addNewColumns'
  return {
    unknownFields: policy === 'none' ? 'count' : 'leave',
    // Types of new columns are inferred: `2.0` is a double, as in the first messages of a topic.
    keepFractions: evolves,
    storesJsonText: JSON_TEXT[jsonTextColumns],
    isInferred: evolves ? (field) => columnOriginOf(field) === 'messages' : undefined,
    ignoresEmpty: evolves && !rescues,
  }
}

/** Decides which columns accept other values as JSON text. */
const JSON_TEXT = { none: undefined, untyped: isUntyped, all: () => true } as const

function combineWithContract(
  schema: StructType,
  plain: PlainContract | undefined,
): PlainContract | undefined {
  if (plain === undefined) return undefined
  const fields: PlainField[] = []
  for (const field of schema.fields) {
    const own = plain.fields.find(({ name }) => name === field.name)
    const value =
      columnOriginOf(field) === undefined ? own && withColumnType(own, field.type) : fieldOf(field)
    if (value === undefined) return undefined
    fields.push({ required: false, ...own, ...value, name: field.name })
  }
  // A contract that refuses further properties refuses those that have a column of the table as well.
  const isOwn = ({ name }: PlainField): boolean => plain.fields.some((own) => own.name === name)
  if (!plain.additionalProperties && !fields.every(isOwn)) return undefined
  // The contract has a rule for a property without a column, which only the message itself can show.
  const known = new Set(fields.map(({ name }) => name))
  if (plain.fields.some(({ name }) => !known.has(name))) return undefined
  return { ...plain, fields }
}

/** Returns the contract's rules for a value, adapted to the type of its column. */
function withColumnType(value: PlainValue, type: DataType): PlainValue | undefined {
  if (typeof type === 'string') return typeof value.type === 'string' ? { ...value, type } : undefined
  if (typeName(type) !== typeName(value.type)) return undefined
  if (type.type === 'struct' && value.object !== undefined) {
    const object = combineWithContract(type, value.object)
    return object && { ...value, type, object }
  }
  if (type.type === 'array' && value.items !== undefined) {
    const items = withColumnType(value.items, type.elementType)
    return items && { ...value, type, items }
  }
  if (type.type === 'map' && value.entries !== undefined) {
    const entries = withColumnType(value.entries, type.valueType)
    return entries && { ...value, type, entries }
  }
  return { ...value, type }
}

function plainStructOf(type: StructType): PlainContract {
  return { fields: type.fields.map(fieldOf), additionalProperties: true }
}

/** A column that is NOT NULL refuses nulls itself, and it may have a default. */
function fieldOf({ name, type, nullable }: StructField): PlainField {
  return { name, required: false, ...valueOf(type, nullable) }
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
  timestamp: { json: 'string' },
  date: { json: 'string', format: 'date' },
}

function hasBinary(type: DataType): boolean {
  if (typeof type === 'string') return type === 'binary'
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => hasBinary(field.type))
    case 'array':
      return hasBinary(type.elementType)
    case 'map':
      return hasBinary(type.keyType) || hasBinary(type.valueType)
  }
}
