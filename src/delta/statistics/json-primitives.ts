import {
  type Data,
  type Decimal,
  type FixedSizeBinary,
  type Float,
  type Int,
  Precision,
  type Timestamp,
  Type,
} from 'apache-arrow'
import { PipelineError } from '../../core/errors.ts'
import { type DataType, decimalOf, type PrimitiveName } from '../../core/schema.ts'
import { decimalText } from '../../arrow/decimal.ts'
import { timestampMicrosOf } from '../../arrow/time.ts'
import { formatDouble } from './format-double.ts'
import { isoDateOf, isoTimestampOf } from './partition-values.ts'

/** A `JsonTextReader` returns the JSON text of value `row` of a column. */
export type JsonTextReader = (row: number) => string

const DAY_MS = 86_400_000
const DAY_MICROS = 86_400_000_000n

const INTEGERS: ReadonlySet<string> = new Set(['byte', 'short', 'integer'])

/**
 * Returns a reader for the non-null values of an Arrow column as JSON text of a primitive Delta type: the type of the
 * file, or one that it may be widened to. Spec: "Type Widening".
 * @throws KD_PARQUET_FAILED for any other type
 */
export function primitiveTextReaderOf(data: Data, type: PrimitiveName): JsonTextReader {
  const text = textOf(data, type)
  if (text === undefined) throw unreadableTypeError(data.type, type)
  return text
}

/** Returns the error for a column of a file that cannot be read as the type of the table. */
export function unreadableTypeError(from: { readonly typeId: Type }, to: DataType): PipelineError {
  const wanted = typeof to === 'string' ? to : to.type
  return new PipelineError(
    'KD_PARQUET_FAILED',
    `the file holds Arrow type ${Type[from.typeId]}, the table wants ${wanted}`,
  )
}

function textOf(data: Data, type: PrimitiveName): JsonTextReader | undefined {
  const { values } = data as { values: unknown }
  switch (data.typeId) {
    case Type.Bool:
      if (type !== 'boolean') return undefined
      return (row) => (((values as Uint8Array)[row >> 3] as number) & (1 << (row & 7)) ? 'true' : 'false')
    case Type.Int:
      return intText(data, type)
    case Type.Float: {
      const { precision } = data.type as Float
      if (precision === Precision.HALF || (type !== 'double' && type !== 'float')) return undefined
      if (precision === Precision.DOUBLE && type === 'float') return undefined
      return (row) => formatDouble((values as Float64Array)[row] as number)
    }
    case Type.Decimal:
      return fixedText(data, type)
    case Type.Date:
      return dayText(data, type)
    case Type.Timestamp:
      return instantText(data, type)
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Binary:
    case Type.LargeBinary:
      return bytesText(data, type)
    case Type.FixedSizeBinary: {
      if (type !== 'binary') return undefined
      const { byteWidth } = data.type as FixedSizeBinary
      const bytes = bufferOf(values as Uint8Array)
      return (row) => `"${bytes.toString('base64', row * byteWidth, (row + 1) * byteWidth)}"`
    }
    default:
      return undefined
  }
}

/** Reads integers, also widened to long, double or decimal. */
function intText(data: Data, type: PrimitiveName): JsonTextReader | undefined {
  const { bitWidth } = data.type as Int
  const values = data.values as Int32Array | BigInt64Array
  const decimal = decimalOf(type)
  if (decimal !== undefined) {
    const { precision, scale } = decimal
    if (precision - scale < (bitWidth === 64 ? 19 : 10)) return undefined
    const factor = 10n ** BigInt(scale)
    return (row) => decimalText(BigInt(values[row] as number | bigint) * factor, scale)
  }
  const fits = type === 'long' || (bitWidth < 64 && (INTEGERS.has(type) || type === 'double'))
  return fits ? (row) => String(values[row]) : undefined
}

/** Reads decimals, also widened to more digits on both sides of the point. */
function fixedText(data: Data, type: PrimitiveName): JsonTextReader | undefined {
  const { precision, scale, bitWidth } = data.type as Decimal
  const wanted = decimalOf(type)
  if (wanted === undefined || bitWidth !== 128) return undefined
  const more = wanted.scale - scale
  if (more < 0 || wanted.precision - wanted.scale < precision - scale) return undefined
  const factor = 10n ** BigInt(more)
  return (row) => decimalText(int128(data.values as Uint32Array, row) * factor, wanted.scale)
}

/** Reads dates, also widened to timestamps without a zone. */
function dayText(data: Data, type: PrimitiveName): JsonTextReader | undefined {
  const values = data.values as Int32Array | BigInt64Array
  // Date32 counts days, Date64 milliseconds.
  const days = (row: number): number =>
    values instanceof Int32Array ? (values[row] as number) : Math.floor(Number(values[row]) / DAY_MS)
  if (type === 'date') return (row) => `"${isoDateOf(days(row))}"`
  if (type !== 'timestamp_ntz') return undefined
  return (row) => `"${isoTimestampOf(BigInt(days(row)) * DAY_MICROS, 'T', 'always')}"`
}

function instantText(data: Data, type: PrimitiveName): JsonTextReader | undefined {
  if (type !== 'timestamp' && type !== 'timestamp_ntz') return undefined
  const zone = type === 'timestamp' ? 'Z' : ''
  const { unit } = data.type as Timestamp
  const longs = data.values as BigInt64Array
  return (row) => `"${isoTimestampOf(timestampMicrosOf(longs[row] as bigint, unit), 'T', 'always')}${zone}"`
}

function bytesText(data: Data, type: PrimitiveName): JsonTextReader | undefined {
  if (type !== 'string' && type !== 'binary') return undefined
  const bytes = bufferOf(data.values as Uint8Array)
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  const start = (row: number): number => Number(offsets[row])
  if (type === 'binary') return (row) => `"${bytes.toString('base64', start(row), start(row + 1))}"`
  return (row) => JSON.stringify(bytes.toString('utf8', start(row), start(row + 1)))
}

function int128(words: Uint32Array, row: number): bigint {
  const at = row * 4
  const [a = 0, b = 0, c = 0, d = 0] = words.subarray(at, at + 4)
  const unsigned = BigInt(a) | (BigInt(b) << 32n) | (BigInt(c) << 64n) | (BigInt(d) << 96n)
  return BigInt.asIntN(128, unsigned)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
