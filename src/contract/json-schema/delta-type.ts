import { decimalOf } from '../../core/schema.ts'
import type { DataType, PrimitiveName, StructField } from '../../core/schema.ts'
import type { JsonKind } from './json-schema.ts'

/**
 * The extension keyword that names a column's Delta type where JSON Schema cannot: `decimal(18,2)`, `integer`,
 * `short`, `byte`, `float`, `binary`, `timestamp_ntz` or any other primitive type.
 */
export const DELTA_TYPE = 'x-delta-type'

/** Marks a field whose text takes values of every kind: what is no text is kept as its JSON. */
const LOOSE = 'kafka-delta.loose'

/** The metadata of a field whose text takes values of every kind. */
export const LOOSE_METADATA: StructField['metadata'] = { [LOOSE]: true }

/** Whether the text of a field, or of the elements of its array or map, takes values of every kind. */
export function isLoose({ metadata }: StructField): boolean {
  return metadata[LOOSE] === true
}

/** The type as a table has it: without our marks. */
export function withoutMarks<T extends DataType>(type: T): T
export function withoutMarks(type: DataType): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: withoutMarks(type.elementType) }
  if (type.type === 'map') return { ...type, valueType: withoutMarks(type.valueType) }
  const fields = type.fields.map((field) => {
    const metadata = Object.fromEntries(Object.entries(field.metadata).filter(([key]) => key !== LOOSE))
    return { ...field, type: withoutMarks(field.type), metadata }
  })
  return { type: 'struct', fields }
}

const NUMBERS = ['long', 'integer', 'short', 'byte', 'float', 'double']
const TEXTS = ['string', 'binary', 'date', 'timestamp', 'timestamp_ntz']

/** The Delta type that `text` names, spelled as the log spells it, or `undefined` where it names none. */
export function primitiveOf(text: unknown): PrimitiveName | undefined {
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

/** Whether values of a JSON type can fill a column of a Delta type. Decimals come as numbers or as text. */
export function canHold(type: PrimitiveName, kind: JsonKind): boolean {
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
