import { isAscii } from 'node:buffer'
import type { BytesColumn, Column, Columns, FixedColumn } from '../column.ts'
import type { Row } from '../rows.ts'
import { objectMakerOf } from './object-code.ts'
import { formatDayMicros } from './time-text.ts'
import { rowAt, valueAt } from '../values.ts'

/** A `ValueReader` returns value `row` of one column; see `valueAt`. */
type ValueReader = (row: number) => unknown

/** Largest high half of a long in two words whose value is a safe integer whatever its low half is. */
const SAFE_HIGH_MAX = 0x1f_ffff
const TWO_32 = 4_294_967_296
const DAY_MICROS = 86_400_000_000

/**
 * Returns a function that returns row `row` as a new object, as `rowAt` does. It is made once per batch: the fields and
 * their types are looked up once and not for each row, which makes rows of user events about four times as fast.
 */
export function rowReaderOf(columns: Columns): (row: number) => Row {
  const names = columns.schema.fields.map((field) => field.name)
  // Assignment to this name would set the prototype.
  if (names.includes('__proto__')) return (row) => rowAt(columns, row)
  const readers = columns.columns.map(valueReaderOf)
  return objectMakerOf(names, readers)
}

/** Returns a function that returns value `row` of a column, as `valueAt` does. */
export function valueReaderOf(column: Column): ValueReader {
  const { valid } = column
  const read = presentReaderOf(column)
  return valid === undefined ? read : (row) => (valid[row] === 0 ? null : read(row))
}

function presentReaderOf(column: Column): ValueReader {
  if (column.kind === 'bytes') return column.type === 'binary' ? binaryReaderOf(column) : textReaderOf(column)
  if (column.kind === 'fixed') return fixedReaderOf(column)
  if (column.kind === 'list') {
    const { offsets } = column
    const read = valueReaderOf(column.child)
    return (row) => {
      const items: unknown[] = []
      const end = offsets[row + 1] ?? 0
      for (let i = offsets[row] ?? 0; i < end; i++) items.push(read(i))
      return items
    }
  }
  if (column.kind === 'struct' && typeof column.type !== 'string' && column.type.type === 'struct')
    return rowReaderOf({ schema: column.type, length: column.length, columns: column.children })
  return (row) => valueAt(column, row)
}

function binaryReaderOf({ bytes, offsets }: BytesColumn): ValueReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return (row) => buffer.toString('base64', offsets[row], offsets[row + 1])
}

function textReaderOf({ bytes, offsets }: BytesColumn): ValueReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const encoding = isAscii(bytes) ? 'latin1' : 'utf8'
  return (row) => buffer.toString(encoding, offsets[row], offsets[row + 1])
}

function fixedReaderOf(column: FixedColumn): ValueReader {
  const { type, values } = column
  switch (type) {
    case 'boolean':
      return (row) => values[row] === 1
    case 'byte':
    case 'short':
    case 'integer':
    case 'float':
    case 'double':
      return (row) => values[row]
    case 'long':
      return (row) => {
        const high = values[row * 2 + 1] as number
        if (high > SAFE_HIGH_MAX || high <= -SAFE_HIGH_MAX) return valueAt(column, row)
        return high * TWO_32 + ((values[row * 2] as number) >>> 0)
      }
    case 'timestamp':
    case 'timestamp_ntz':
      return (row) => {
        const high = values[row * 2 + 1] as number
        if (high > SAFE_HIGH_MAX || high <= -SAFE_HIGH_MAX) return valueAt(column, row)
        const micros = high * TWO_32 + ((values[row * 2] as number) >>> 0)
        const days = Math.floor(micros / DAY_MICROS)
        return formatDayMicros(days, micros - days * DAY_MICROS, type === 'timestamp')
      }
    default:
      return (row) => valueAt(column, row)
  }
}
