import {
  type Data,
  type Decimal,
  type FixedSizeBinary,
  type Float,
  type Int,
  Precision,
  TimeUnit,
  type Timestamp,
  Type,
} from 'apache-arrow'
import { PipelineError } from '../../core/errors.ts'
import { type DataType, decimalOf, type PrimitiveName } from '../../core/schema.ts'
import { dateText, decimalText, timestampText } from './partition-values.ts'

/** JSON text of value `row` of a column. */
export type TextAt = (row: number) => string

const DAY_MS = 86_400_000
const DAY_MICROS = 86_400_000_000n

const INTEGERS: ReadonlySet<string> = new Set(['byte', 'short', 'integer'])

/**
 * How valid values of one Arrow column of a primitive type become JSON text under a Delta type, which is that of the file
 * or one that it may be widened to. Throws `KD_PARQUET_FAILED` for any other. Spec: "Type Widening".
 */
export function primitiveText(data: Data, type: PrimitiveName): TextAt {
  const text = textOf(data, type)
  if (text === undefined) throw notReadable(data.type, type)
  return text
}

/** A double as a JSON number, or as a string where JSON has none. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  return Object.is(value, -0) ? '-0.0' : String(value)
}

/** The error for a file that holds something else than the table says. */
export function notReadable(from: { readonly typeId: Type }, to: DataType): PipelineError {
  const wanted = typeof to === 'string' ? to : to.type
  return new PipelineError(
    'KD_PARQUET_FAILED',
    `the file holds Arrow type ${Type[from.typeId]}, the table wants ${wanted}`,
  )
}

function textOf(data: Data, type: PrimitiveName): TextAt | undefined {
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
      return (row) => doubleText((values as Float64Array)[row] as number)
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

/** Integers, also widened to long, double or a decimal. */
function intText(data: Data, type: PrimitiveName): TextAt | undefined {
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

/** Decimals, also widened to more digits on both sides of the point. */
function fixedText(data: Data, type: PrimitiveName): TextAt | undefined {
  const { precision, scale, bitWidth } = data.type as Decimal
  const wanted = decimalOf(type)
  if (wanted === undefined || bitWidth !== 128) return undefined
  const more = wanted.scale - scale
  if (more < 0 || wanted.precision - wanted.scale < precision - scale) return undefined
  const factor = 10n ** BigInt(more)
  return (row) => decimalText(int128(data.values as Uint32Array, row) * factor, wanted.scale)
}

/** Dates, also widened to timestamps without a zone. */
function dayText(data: Data, type: PrimitiveName): TextAt | undefined {
  const values = data.values as Int32Array | BigInt64Array
  // Date32 counts days, Date64 milliseconds.
  const days = (row: number): number =>
    values instanceof Int32Array ? (values[row] as number) : Math.floor(Number(values[row]) / DAY_MS)
  if (type === 'date') return (row) => `"${dateText(days(row))}"`
  if (type !== 'timestamp_ntz') return undefined
  return (row) => `"${timestampText(BigInt(days(row)) * DAY_MICROS, 'T', 'always')}"`
}

function instantText(data: Data, type: PrimitiveName): TextAt | undefined {
  if (type !== 'timestamp' && type !== 'timestamp_ntz') return undefined
  const zone = type === 'timestamp' ? 'Z' : ''
  const { unit } = data.type as Timestamp
  const longs = data.values as BigInt64Array
  return (row) => `"${timestampText(microsOf(longs[row] as bigint, unit), 'T', 'always')}${zone}"`
}

function bytesText(data: Data, type: PrimitiveName): TextAt | undefined {
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
