import { decimalOf } from '../core/schema.ts'
import { ExactNumber, narrowInteger } from '../core/exact.ts'
import { isNull, type Column, type Columns, type FixedColumn } from './column.ts'
import { decimalText, unscaledAt } from './decimal.ts'
import { formatDate, formatDateTime } from './time.ts'

/** A byte order mark at the start of a text is kept as a character. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads the long in two words at `row`. */
export function longAt(values: ArrayLike<number>, row: number): bigint {
  return (BigInt(values[row * 2 + 1] ?? 0) << 32n) | BigInt((values[row * 2] ?? 0) >>> 0)
}

/** Decodes value `row` as text. */
export function textAt(
  column: { readonly offsets: Int32Array; readonly bytes: Uint8Array },
  row: number,
): string {
  return decoder.decode(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]))
}

/**
 * Returns value `row` in the JSON-like form that builders accept: a long is a number if a double holds it exactly and a
 * `bigint` otherwise, a decimal an `ExactNumber`, dates and timestamps ISO 8601 text, binary base64.
 */
export function valueAt(column: Column, row: number): unknown {
  if (isNull(column, row)) return null
  switch (column.kind) {
    case 'fixed':
      return fixedAt(column, row)
    case 'bytes':
      if (column.type !== 'binary') return textAt(column, row)
      return Buffer.from(column.bytes.subarray(column.offsets[row], column.offsets[row + 1])).toString(
        'base64',
      )
    case 'struct': {
      const fields =
        typeof column.type !== 'string' && column.type.type === 'struct' ? column.type.fields : []
      return objectOf(
        fields.map((field, index) => [field.name, valueAt(column.children[index] as Column, row)]),
      )
    }
    case 'list':
      return rangeOf(column.offsets, row).map((i) => valueAt(column.child, i))
    case 'map': {
      const entries = rangeOf(column.offsets, row).map(
        (i) => [valueAt(column.keys, i), valueAt(column.values, i)] as const,
      )
      const textual = column.keys.type === 'string'
      return textual ? objectOf(entries as readonly (readonly [string, unknown])[]) : new Map(entries)
    }
  }
}

/** Returns row `row` as an object, nulls included. */
export function rowAt(columns: Columns, row: number): Record<string, unknown> {
  return objectOf(
    columns.schema.fields.map((field, index) => [field.name, valueAt(columns.columns[index] as Column, row)]),
  )
}

/** Returns an object with exactly these own properties, including `__proto__` if given. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries)
}

function rangeOf(offsets: Int32Array, row: number): number[] {
  const start = offsets[row] ?? 0
  return Array.from({ length: (offsets[row + 1] ?? 0) - start }, (_, i) => start + i)
}

function fixedAt(column: FixedColumn, row: number): unknown {
  const { type, values } = column
  const decimal = decimalOf(type)
  if (decimal !== undefined) return new ExactNumber(decimalText(unscaledAt(values, row * 4), decimal.scale))
  switch (type) {
    case 'boolean':
      return values[row] === 1
    case 'date':
      return formatDate(values[row] ?? 0)
    case 'timestamp':
    case 'timestamp_ntz':
      return formatDateTime(longAt(values, row), type === 'timestamp')
    case 'long':
      return narrowInteger(longAt(values, row))
    default:
      return values[row]
  }
}
