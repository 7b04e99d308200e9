import { type Data, type Decimal, type FixedSizeBinary, TimeUnit, type Timestamp, Type } from 'apache-arrow'
import { PipelineError } from '../core/errors.ts'
import type { DataType, StructType } from '../core/schema.ts'
import { dateText, decimalText, timestampText } from './partition-values.ts'

/** JSON text of value `row` of a column. */
export type TextAt = (row: number) => string

const DAY_MS = 86_400_000

/**
 * How the values of one Arrow column become JSON text under a Delta type: longs and decimals as exact numbers, decimals
 * with their scale; timestamps ISO 8601 with six fraction digits, `Z` where they are adjusted to UTC; dates ISO; binary
 * base64; NaN and infinities as strings; maps with string keys as objects, others as arrays of [key, value].
 * Throws `KD_PARQUET_FAILED` for a column that the type cannot be read from.
 */
export function textAt(data: Data | undefined, type: DataType): TextAt {
  if (data === undefined || data.typeId === Type.Null) return () => 'null'
  const text = valueText(data, type)
  return data.nullCount === 0 ? text : (row) => (data.getValid(row) ? text(row) : 'null')
}

/** A double as a JSON number, or as a string where JSON has none. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function valueText(data: Data, type: DataType): TextAt {
  if (data.typeId === Type.Dictionary) return dictionaryText(data, type)
  if (typeof type === 'string') return primitiveText(data, type)
  switch (type.type) {
    case 'struct':
      return structText(data, type)
    case 'array': {
      const element = textAt(data.children[0], type.elementType)
      return (row) => `[${rangeText(data, row, element)}]`
    }
    case 'map': {
      const [keys, values] = data.children[0]?.children ?? []
      const key = textAt(keys, type.keyType)
      const value = textAt(values, type.valueType)
      return type.keyType === 'string'
        ? (row) => `{${rangeText(data, row, (entry) => `${key(entry)}:${value(entry)}`)}}`
        : (row) => `[${rangeText(data, row, (entry) => `[${key(entry)},${value(entry)}]`)}]`
    }
  }
}

function primitiveText(data: Data, type: Extract<DataType, string>): TextAt {
  const { values } = data as { values: unknown }
  switch (data.typeId) {
    case Type.Bool:
      return (row) => (((values as Uint8Array)[row >> 3] as number) & (1 << (row & 7)) ? 'true' : 'false')
    case Type.Int:
      return (row) => String((values as Int32Array | BigInt64Array)[row])
    case Type.Float:
      return (row) => doubleText((values as Float64Array)[row] as number)
    case Type.Decimal: {
      const { scale } = data.type as Decimal
      return (row) => decimalText(int128(values as Uint32Array, row), scale)
    }
    case Type.Date:
      return dayText(data)
    case Type.Timestamp: {
      const zone = type === 'timestamp' ? 'Z' : ''
      const { unit } = data.type as Timestamp
      const longs = values as BigInt64Array
      return (row) => `"${timestampText(microsOf(longs[row] as bigint, unit), 'T', 'always')}${zone}"`
    }
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Binary:
    case Type.LargeBinary:
      return bytesText(data, type)
    case Type.FixedSizeBinary: {
      const { byteWidth } = data.type as FixedSizeBinary
      const bytes = bufferOf(values as Uint8Array)
      return (row) => `"${bytes.toString('base64', row * byteWidth, (row + 1) * byteWidth)}"`
    }
    default:
      throw notReadable(data.type, type)
  }
}

function bytesText(data: Data, type: DataType): TextAt {
  const bytes = bufferOf(data.values as Uint8Array)
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  const start = (row: number): number => Number(offsets[row])
  if (type === 'binary') return (row) => `"${bytes.toString('base64', start(row), start(row + 1))}"`
  return (row) => JSON.stringify(bytes.toString('utf8', start(row), start(row + 1)))
}

function dayText(data: Data): TextAt {
  const values = data.values as Int32Array | BigInt64Array
  // Date32 counts days, Date64 milliseconds.
  return values instanceof Int32Array
    ? (row) => `"${dateText(values[row] as number)}"`
    : (row) => `"${dateText(Math.floor(Number(values[row]) / DAY_MS))}"`
}

function structText(data: Data, type: StructType): TextAt {
  const names = (data.type as { children: { name: string }[] }).children.map((field) => field.name)
  const fields = type.fields.map((field) => {
    const child = data.children[names.indexOf(field.name)]
    return { key: `${JSON.stringify(field.name)}:`, text: textAt(child, field.type) }
  })
  return (row) => `{${fields.map(({ key, text }) => key + text(row)).join(',')}}`
}

function dictionaryText(data: Data, type: DataType): TextAt {
  const [dictionary, ...more] = data.dictionary?.data ?? []
  if (dictionary === undefined || more.length > 0) throw notReadable(data.type, type)
  const text = textAt(dictionary as Data, type)
  const indices = data.values as Int32Array
  return (row) => text(indices[row] as number)
}

function rangeText(data: Data, row: number, text: TextAt): string {
  const parts: string[] = []
  const offsets = data.valueOffsets as Int32Array
  for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) parts.push(text(i))
  return parts.join(',')
}

function int128(words: Uint32Array, row: number): bigint {
  const at = row * 4
  const [a = 0, b = 0, c = 0, d = 0] = words.subarray(at, at + 4)
  const unsigned = BigInt(a) | (BigInt(b) << 32n) | (BigInt(c) << 64n) | (BigInt(d) << 96n)
  return BigInt.asIntN(128, unsigned)
}

function microsOf(value: bigint, unit: TimeUnit): bigint {
  switch (unit) {
    case TimeUnit.SECOND:
      return value * 1_000_000n
    case TimeUnit.MILLISECOND:
      return value * 1_000n
    case TimeUnit.MICROSECOND:
      return value
    case TimeUnit.NANOSECOND: {
      const micros = value / 1_000n
      return value < 0n && micros * 1_000n !== value ? micros - 1n : micros
    }
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function notReadable(from: { readonly typeId: Type }, to: DataType): PipelineError {
  const wanted = typeof to === 'string' ? to : to.type
  return new PipelineError(
    'KD_PARQUET_FAILED',
    `the file holds Arrow type ${Type[from.typeId]}, the table wants ${wanted}`,
  )
}
