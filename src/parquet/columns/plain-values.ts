import { type DataType, decimalOf } from '../../core/schema.ts'
import type { BytesColumn, FixedColumn } from '../../arrow/column.ts'

/** Ids of Parquet's physical types. */
const BOOLEAN = 0
const INT32 = 1
const INT64 = 2
const FLOAT = 4
const DOUBLE = 5
const BYTE_ARRAY = 6

const PHYSICAL: Readonly<Record<string, number>> = {
  boolean: BOOLEAN,
  byte: INT32,
  short: INT32,
  integer: INT32,
  date: INT32,
  long: INT64,
  timestamp: INT64,
  timestamp_ntz: INT64,
  float: FLOAT,
  double: DOUBLE,
  string: BYTE_ARRAY,
  binary: BYTE_ARRAY,
}

/** Returns the id of the physical type of a column whose values `encodePlain` encodes, or `undefined` for other types. */
export function physicalTypeOf(type: DataType): number | undefined {
  return typeof type === 'string' && decimalOf(type) === undefined ? PHYSICAL[type] : undefined
}

/** Encodes the values of a column without nulls. Specification of Parquet: "Plain". */
export function encodePlain(column: FixedColumn | BytesColumn): Uint8Array {
  if (column.kind === 'bytes') return plainBytes(column)
  const { type, values } = column
  if (type === 'boolean') return bits(values)
  const wide = type === 'byte' || type === 'short' ? Int32Array.from(values) : values
  return new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength)
}

function plainBytes({ length, offsets, bytes }: BytesColumn): Uint8Array {
  const encoded = new Uint8Array(4 * length + (offsets[length] as number))
  const view = new DataView(encoded.buffer)
  let to = 0
  for (let i = 0; i < length; i++) {
    const start = offsets[i] as number
    const end = offsets[i + 1] as number
    view.setUint32(to, end - start, true)
    to += 4
    // For short values the loop is faster, as in BytesBuilder.appendBytes.
    if (end - start < 32) for (let at = start; at < end; at++) encoded[to++] = bytes[at] as number
    else {
      encoded.set(bytes.subarray(start, end), to)
      to += end - start
    }
  }
  return encoded
}

function bits(values: ArrayLike<number>): Uint8Array {
  const encoded = new Uint8Array((values.length + 7) >> 3)
  for (let i = 0; i < values.length; i++)
    if (values[i] !== 0) encoded[i >> 3] = (encoded[i >> 3] as number) | (1 << (i & 7))
  return encoded
}
