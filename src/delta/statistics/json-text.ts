import { type Data, Type } from 'apache-arrow'
import type { DataType, StructType } from '../../core/schema.ts'
import { BY_NAME, type ColumnMapping, type FileField } from '../schema/column-mapping.ts'
import { notReadable, primitiveText, type TextAt } from './json-primitives.ts'

/**
 * How the values of one Arrow column become JSON text under a Delta type: longs and decimals as exact numbers, decimals
 * with their scale; timestamps ISO 8601 with six fraction digits, `Z` where they are adjusted to UTC; dates ISO; binary
 * base64; NaN and infinities as strings; maps with string keys as objects, others as arrays of [key, value].
 * Values of a narrower type than the table's come in the table's; fields of structs are found by `mapping`.
 * Throws `KD_PARQUET_FAILED` for a column that the type cannot be read from.
 */
export function textAt(data: Data | undefined, type: DataType, mapping: ColumnMapping = BY_NAME): TextAt {
  if (data === undefined || data.typeId === Type.Null) return () => 'null'
  const text = valueText(data, type, mapping)
  return data.nullCount === 0 ? text : (row) => (data.getValid(row) ? text(row) : 'null')
}

/** The Arrow types that a file may hold for each nested type. */
const NESTED: Readonly<Record<'struct' | 'array' | 'map', readonly Type[]>> = {
  struct: [Type.Struct],
  array: [Type.List, Type.LargeList],
  map: [Type.Map],
}

function valueText(data: Data, type: DataType, mapping: ColumnMapping): TextAt {
  if (data.typeId === Type.Dictionary) return dictionaryText(data, type, mapping)
  if (typeof type === 'string') return primitiveText(data, type)
  if (!NESTED[type.type].includes(data.typeId)) throw notReadable(data.type, type)
  switch (type.type) {
    case 'struct':
      return structText(data, type, mapping)
    case 'array': {
      const element = textAt(data.children[0], type.elementType, mapping)
      return (row) => `[${rangeText(data, row, element)}]`
    }
    case 'map': {
      const [keys, values] = data.children[0]?.children ?? []
      const key = textAt(keys, type.keyType, mapping)
      const value = textAt(values, type.valueType, mapping)
      return type.keyType === 'string'
        ? (row) => `{${rangeText(data, row, (entry) => `${key(entry)}:${value(entry)}`)}}`
        : (row) => `[${rangeText(data, row, (entry) => `[${key(entry)},${value(entry)}]`)}]`
    }
  }
}

function structText(data: Data, type: StructType, mapping: ColumnMapping): TextAt {
  const held = (data.type as { children: FileField[] }).children
  const fields = type.fields.map((field) => {
    const child = data.children[mapping.indexIn(held, field)]
    return { key: `${JSON.stringify(field.name)}:`, text: textAt(child, field.type, mapping) }
  })
  return (row) => `{${fields.map(({ key, text }) => key + text(row)).join(',')}}`
}

function dictionaryText(data: Data, type: DataType, mapping: ColumnMapping): TextAt {
  const [dictionary, ...more] = data.dictionary?.data ?? []
  if (dictionary === undefined || more.length > 0) throw notReadable(data.type, type)
  const text = textAt(dictionary as Data, type, mapping)
  const indices = data.values as Int32Array
  return (row) => text(indices[row] as number)
}

function rangeText(data: Data, row: number, text: TextAt): string {
  const parts: string[] = []
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  const end = Number(offsets[row + 1])
  for (let i = Number(offsets[row]); i < end; i++) parts.push(text(i))
  return parts.join(',')
}
