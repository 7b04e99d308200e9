import { type Data, Type } from 'apache-arrow'
import type { DataType, StructType } from '../../core/schema.ts'
import { BY_NAME, type ColumnMapping, type FileField } from '../schema/column-mapping.ts'
import { unreadableTypeError, primitiveTextReaderOf, type JsonTextReader } from './json-primitives.ts'

/**
 * Returns a reader for the values of an Arrow column as JSON text of a Delta type: longs and decimals as exact numbers,
 * decimals with their scale; timestamps ISO 8601 with six fraction digits, and `Z` if they are adjusted to UTC; dates
 * ISO; binary base64; NaN and infinities as strings; maps with string keys as objects, others as arrays of [key,
 * value]. Values of a narrower type are widened to `type`; fields of structs are found by `mapping`; an absent column
 * reads as null.
 * @throws KD_PARQUET_FAILED if the column cannot be read as the type
 */
export function jsonTextReaderOf(
  data: Data | undefined,
  type: DataType,
  mapping: ColumnMapping = BY_NAME,
): JsonTextReader {
  if (data === undefined || data.typeId === Type.Null) return () => 'null'
  const text = valueText(data, type, mapping)
  return data.nullCount === 0 ? text : (row) => (data.getValid(row) ? text(row) : 'null')
}

/** Arrow types that a file may use for each nested type. */
const NESTED: Readonly<Record<'struct' | 'array' | 'map', readonly Type[]>> = {
  struct: [Type.Struct],
  array: [Type.List, Type.LargeList],
  map: [Type.Map],
}

function valueText(data: Data, type: DataType, mapping: ColumnMapping): JsonTextReader {
  if (data.typeId === Type.Dictionary) return dictionaryText(data, type, mapping)
  if (typeof type === 'string') return primitiveTextReaderOf(data, type)
  if (!NESTED[type.type].includes(data.typeId)) throw unreadableTypeError(data.type, type)
  switch (type.type) {
    case 'struct':
      return structText(data, type, mapping)
    case 'array': {
      const element = jsonTextReaderOf(data.children[0], type.elementType, mapping)
      return (row) => `[${rangeText(data, row, element)}]`
    }
    case 'map': {
      const [keys, values] = data.children[0]?.children ?? []
      const key = jsonTextReaderOf(keys, type.keyType, mapping)
      const value = jsonTextReaderOf(values, type.valueType, mapping)
      return type.keyType === 'string'
        ? (row) => `{${rangeText(data, row, (entry) => `${key(entry)}:${value(entry)}`)}}`
        : (row) => `[${rangeText(data, row, (entry) => `[${key(entry)},${value(entry)}]`)}]`
    }
  }
}

function structText(data: Data, type: StructType, mapping: ColumnMapping): JsonTextReader {
  const held = (data.type as { children: FileField[] }).children
  const fields = type.fields.map((field) => {
    const child = data.children[mapping.indexIn(held, field)]
    return { key: `${JSON.stringify(field.name)}:`, text: jsonTextReaderOf(child, field.type, mapping) }
  })
  return (row) => `{${fields.map(({ key, text }) => key + text(row)).join(',')}}`
}

function dictionaryText(data: Data, type: DataType, mapping: ColumnMapping): JsonTextReader {
  const [dictionary, ...more] = data.dictionary?.data ?? []
  if (dictionary === undefined || more.length > 0) throw unreadableTypeError(data.type, type)
  const text = jsonTextReaderOf(dictionary as Data, type, mapping)
  const indices = data.values as Int32Array
  return (row) => text(indices[row] as number)
}

function rangeText(data: Data, row: number, text: JsonTextReader): string {
  const parts: string[] = []
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  const end = Number(offsets[row + 1])
  for (let i = Number(offsets[row]); i < end; i++) parts.push(text(i))
  return parts.join(',')
}
