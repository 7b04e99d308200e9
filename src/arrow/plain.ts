import { type Data, type Decimal, type Table, TimeUnit, type Timestamp, Type } from 'apache-arrow'
import { PipelineError } from '../core/errors.ts'
import { ExactNumber } from '../core/exact.ts'
import { decimalText, unscaledAt } from './decimal.ts'
import { daysOfMs, formatDate, formatDateTime, timestampMicrosOf } from './time.ts'

/** Returns value `row` of Arrow data, or `null`. */
type PlainReader = (row: number) => unknown

/**
 * Yields the non-null values of a top-level column in row order. Structs and maps become objects with own properties,
 * lists arrays, text strings, 64-bit integers `bigint`, narrower numbers `number`, decimals `ExactNumber`, binary bytes,
 * dates and timestamps ISO 8601 text.
 * @throws KD_PARQUET_FAILED for other types
 */
export function* readPlainValues(table: Table, column: string): Generator {
  const chunks = (table.getChild(column)?.data ?? []) as readonly Data[]
  for (const data of chunks) {
    if (data.nullCount === data.length) continue
    const read = plainReaderOf(data)
    for (let row = 0; row < data.length; row++) {
      const value = read(row)
      if (value !== null) yield value
    }
  }
}

/** Returns a reader for a batch: choosing it once per batch is several times faster than per value. */
function plainReaderOf(data: Data): PlainReader {
  if (data.nullCount === data.length) return () => null
  const read = readerOf(data)
  if (data.nullCount === 0) return read
  const { nullBitmap, offset } = data
  return (row) => {
    const bit = row + offset
    return (((nullBitmap[bit >> 3] as number) >> (bit & 7)) & 1) === 1 ? read(row) : null
  }
}

function readerOf(data: Data): PlainReader {
  const values = data.values as ArrayLike<unknown> & Uint8Array
  switch (data.typeId) {
    case Type.Int:
    case Type.Float:
      return (row) => values[row]
    case Type.Bool:
      return (row) => {
        const bit = row + data.offset
        return (((values[bit >> 3] as number) >> (bit & 7)) & 1) === 1
      }
    case Type.Utf8:
    case Type.LargeUtf8: {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
      const between = offsetsOf(data)
      return (row) => bytes.toString('utf8', between(row), between(row + 1))
    }
    case Type.Binary:
    case Type.LargeBinary: {
      const between = offsetsOf(data)
      return (row) => values.subarray(between(row), between(row + 1))
    }
    case Type.Decimal: {
      const { scale } = data.type as Decimal
      const words = values as unknown as Uint32Array
      return (row) => new ExactNumber(decimalText(unscaledAt(words, row * 4), scale))
    }
    case Type.Date: {
      const days = data.values as unknown as Int32Array | BigInt64Array
      if (days instanceof Int32Array) return (row) => formatDate(days[row] as number)
      return (row) => formatDate(daysOfMs(days[row] as bigint))
    }
    case Type.Timestamp:
      return timestampReader(data)
    case Type.Struct:
      return structReader(data)
    case Type.List: {
      const read = plainReaderOf(data.children[0] as Data)
      const between = offsetsOf(data)
      return (row) => {
        const items: unknown[] = []
        for (let at = between(row); at < between(row + 1); at++) items.push(read(at))
        return items
      }
    }
    case Type.Map:
      return mapReader(data)
    default:
      throw new PipelineError(
        'KD_PARQUET_FAILED',
        `columns of Arrow type ${Type[data.typeId]} are not supported`,
      )
  }
}

function timestampReader(data: Data): PlainReader {
  const { unit, timezone } = data.type as Timestamp & { timezone?: string | null }
  const values = data.values as BigInt64Array
  // Nanoseconds come from INT96, which states no zone and is always in UTC.
  const zoned = unit === TimeUnit.NANOSECOND || (timezone !== undefined && timezone !== null)
  return (row) => formatDateTime(timestampMicrosOf(values[row] as bigint, unit), zoned)
}

function structReader(data: Data): PlainReader {
  const names = (data.type as { children: { name: string }[] }).children.map(({ name }) => name)
  const readers = data.children.map((child) => plainReaderOf(child))
  return (row) => {
    const struct: Record<string, unknown> = {}
    for (let at = 0; at < names.length; at++)
      set(struct, names[at] as string, (readers[at] as PlainReader)(row))
    return struct
  }
}

function mapReader(data: Data): PlainReader {
  const [keys, values] = (data.children[0]?.children ?? []) as readonly Data[]
  const readKey = keys === undefined ? () => null : plainReaderOf(keys)
  const readValue = values === undefined ? () => null : plainReaderOf(values)
  const between = offsetsOf(data)
  return (row) => {
    const map: Record<string, unknown> = {}
    for (let at = between(row); at < between(row + 1); at++) set(map, String(readKey(at)), readValue(at))
    return map
  }
}

/** Sets an own property, whatever its name. */
function set(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function offsetsOf(data: Data): (row: number) => number {
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  if (offsets instanceof Int32Array) return (row) => offsets[row] as number
  return (row) => Number(offsets[row])
}
