import { decimalOf } from '../../core/schema.ts'
import type { DataType, PrimitiveName, StructField } from '../../core/schema.ts'
import type { JsonType } from './json-schema.ts'

/**
 * The extension keyword that names a column's Delta type where JSON Schema cannot: `decimal(18,2)`, `integer`,
 * `short`, `byte`, `float`, `binary`, `timestamp_ntz` or any other primitive type.
 */
export const DELTA_TYPE_KEYWORD = 'x-delta-type'

/** Metadata key of a string field that accepts any JSON value: values other than text are stored as their JSON. */
const ANY_JSON_KEY = 'kafka-delta.loose'

/** The metadata of a string field that accepts any JSON value. */
export const ANY_JSON_METADATA: StructField['metadata'] = { [ANY_JSON_KEY]: true }

/** Returns true when a field, or the elements of its array or map, are text that accepts any JSON value. */
export function acceptsAnyJson({ metadata }: StructField): boolean {
  return metadata[ANY_JSON_KEY] === true
}

/** Returns the type without the metadata that only the pipeline uses, as it is written to the table. */
export function withoutInternalMetadata<T extends DataType>(type: T): T {
  return strip(type) as T
}

function strip(type: DataType): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: strip(type.elementType) }
  if (type.type === 'map') return { ...type, valueType: strip(type.valueType) }
  const fields = type.fields.map((field) => {
    const metadata = Object.fromEntries(
      Object.entries(field.metadata).filter(([key]) => key !== ANY_JSON_KEY),
    )
    return { ...field, type: strip(field.type), metadata }
  })
  return { type: 'struct', fields }
}

const NUMBERS = ['long', 'integer', 'short', 'byte', 'float', 'double']
const TEXTS = ['string', 'binary', 'date', 'timestamp', 'timestamp_ntz']

/** Returns the Delta type that `text` names, in the spelling of the Delta log, or `undefined` when it names none. */
export function parsePrimitiveType(text: unknown): PrimitiveName | undefined {
  if (typeof text !== 'string') return undefined
  if ([...NUMBERS, ...TEXTS, 'boolean'].includes(text)) return text as PrimitiveName
  const match = /^decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)$/.exec(text)
  if (match === null) return undefined
  const precision = Number(match[1])
  const scale = Number(match[2])
  return precision >= 1 && precision <= 38 && scale <= precision
    ? `decimal(${precision},${scale})`
    : undefined
}

/**
 * Returns true when values of a JSON type can fill a column of a Delta type. Decimals are read from numbers and from
 * text.
 */
export function acceptsJsonType(type: PrimitiveName, kind: JsonType): boolean {
  const decimal = decimalOf(type) !== undefined
  switch (kind) {
    case 'string':
      return decimal || TEXTS.includes(type)
    case 'integer':
      return decimal || NUMBERS.includes(type)
    case 'number':
      return decimal || type === 'double' || type === 'float'
    case 'boolean':
      return type === 'boolean'
    case 'object':
    case 'array':
      return false
  }
}
