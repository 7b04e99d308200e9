import * as arrow from 'apache-arrow'
import { decimalOf, type DataType, type StructField, type StructType } from '../core/schema.ts'
import type { Column, FixedColumn } from './column.ts'

/**
 * Returns the Arrow type that Parquet writers encode as the Delta specification requires: timestamps in microseconds,
 * adjusted to UTC for `timestamp`; lists with `element`, maps with `key_value`. Spec: "Primitive Types".
 */
function toArrowType(type: DataType): arrow.DataType {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return new arrow.Struct(type.fields.map(arrowField))
      case 'array':
        return new arrow.List(arrow.Field.new('element', toArrowType(type.elementType), type.containsNull))
      case 'map': {
        const key = arrow.Field.new('key', toArrowType(type.keyType), false)
        const value = arrow.Field.new('value', toArrowType(type.valueType), type.valueContainsNull)
        return new arrow.Map_(
          arrow.Field.new(
            'key_value',
            new arrow.Struct<{ key: arrow.DataType; value: arrow.DataType }>([key, value]),
            false,
          ),
        )
      }
    }
  }
  const decimal = decimalOf(type)
  if (decimal !== undefined) return new arrow.Decimal(decimal.scale, decimal.precision, 128)
  const make = ARROW_TYPES[type]
  if (make === undefined) throw new Error(`Broken invariant: no Arrow type for ${type}`)
  return make()
}

const ARROW_TYPES: Readonly<Record<string, () => arrow.DataType>> = {
  string: () => new arrow.Utf8(),
  binary: () => new arrow.Binary(),
  boolean: () => new arrow.Bool(),
  byte: () => new arrow.Int8(),
  short: () => new arrow.Int16(),
  integer: () => new arrow.Int32(),
  long: () => new arrow.Int64(),
  float: () => new arrow.Float32(),
  double: () => new arrow.Float64(),
  date: () => new arrow.DateDay(),
  timestamp: () => new arrow.TimestampMicrosecond('UTC'),
  timestamp_ntz: () => new arrow.TimestampMicrosecond(),
}

/** Key under which Arrow keeps the `field_id` that Parquet writes for a column. */
const FIELD_ID = 'PARQUET:field_id'

function arrowField(field: StructField): arrow.Field {
  const id = field.metadata[FIELD_ID]
  const metadata = typeof id === 'string' ? new Map([[FIELD_ID, id]]) : null
  return arrow.Field.new(field.name, toArrowType(field.type), field.nullable, metadata)
}

/** Returns the Arrow schema of a table's columns. */
export function toArrowSchema(schema: StructType): arrow.Schema {
  return new arrow.Schema(schema.fields.map(arrowField))
}

/** Converts equally long columns to an Arrow record batch that shares their buffers. */
export function toRecordBatch(
  schema: arrow.Schema,
  columns: readonly Column[],
  length: number,
): arrow.RecordBatch {
  const children = columns.map((column, index) =>
    dataOf(column, (schema.fields[index] as arrow.Field).type as arrow.DataType),
  )
  return new arrow.RecordBatch(
    schema,
    arrow.makeData({ type: new arrow.Struct(schema.fields), length, nullCount: 0, children }),
  )
}

function dataOf(column: Column, type: arrow.DataType): arrow.Data {
  const { length } = column
  const nullBitmap = column.valid === undefined ? undefined : bitmapOf(column.valid)
  const nullCount = column.valid === undefined ? 0 : countZeros(column.valid)
  const common = { length, nullCount, nullBitmap: nullBitmap ?? null }
  switch (column.kind) {
    case 'fixed':
      return arrow.makeData({ ...common, type: type as arrow.Int32, data: fixedData(column) as Int32Array })
    case 'bytes':
      return arrow.makeData({
        ...common,
        type: type as arrow.Utf8,
        valueOffsets: column.offsets,
        data: column.bytes,
      })
    case 'struct': {
      const fields: readonly arrow.Field<arrow.DataType>[] = (type as arrow.Struct).children
      const children = column.children.map((child, index) =>
        dataOf(child, (fields[index] as arrow.Field<arrow.DataType>).type),
      )
      return arrow.makeData({ ...common, type: type as arrow.Struct, children })
    }
    case 'list': {
      const child = dataOf(column.child, (type as arrow.List<arrow.DataType>).valueType)
      return arrow.makeData({ ...common, type: type as arrow.List, valueOffsets: column.offsets, child })
    }
    case 'map': {
      const entries = type.children[0]?.type as arrow.Struct
      const [key, value] = entries.children
      const child = arrow.makeData({
        type: entries,
        length: column.keys.length,
        nullCount: 0,
        children: [
          dataOf(column.keys, key?.type as arrow.DataType),
          dataOf(column.values, value?.type as arrow.DataType),
        ],
      })
      return arrow.makeData({ ...common, type: type as arrow.Map_, valueOffsets: column.offsets, child })
    }
  }
}

function fixedData(column: FixedColumn): ArrayBufferView {
  const { values, words, type } = column
  if (type === 'boolean') return bitmapOf(values as Uint8Array)
  if (words === 2) return new BigInt64Array(values.buffer, values.byteOffset, column.length)
  if (words === 4) return new Uint32Array(values.buffer, values.byteOffset, values.length)
  return values
}

/** Packs bytes that are 1 or 0 into bits, least significant first. */
function bitmapOf(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(((bytes.length + 63) >> 6) << 3)
  for (let i = 0; i < bytes.length; i++)
    if (bytes[i] !== 0) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7))
  return bits
}

function countZeros(bytes: Uint8Array): number {
  let zeros = 0
  for (const byte of bytes) if (byte === 0) zeros++
  return zeros
}
