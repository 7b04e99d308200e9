import { BytesBuilder } from '../arrow/bytes-builder.ts'
import { isNull, type BytesColumn, type Column, type FixedColumn } from '../arrow/column.ts'
import { nullColumnOf } from '../arrow/sparse/null-column.ts'
import { FixedBuilder } from '../arrow/fixed-builder.ts'
import { longAt } from '../arrow/values.ts'
import type { DataType } from '../core/schema.ts'
import type { Enrichment, Reject } from './enrichment.ts'
import type { SourceColumn } from './source-column.ts'

const CUT: readonly DataType[] = ['string', 'byte', 'short', 'integer', 'long']

/** Returns true when values of the type can be truncated. */
export function canTruncate(type: DataType): boolean {
  return CUT.includes(type)
}

interface CutTarget {
  readonly name: string
  /** Type of the new column. It stays the same when the source column is widened. */
  readonly type: DataType
  readonly width: number
}

/**
 * Returns an enrichment that adds a value truncated to `width`, or null when the source is null, as Iceberg's
 * truncate transform does. Text is cut to its first characters (code points), numbers are rounded down to a multiple
 * of `width`.
 */
export function truncateColumn(name: string, width: number, source: SourceColumn): Enrichment {
  const { type } = source
  return {
    fields: [{ name, type, nullable: true, metadata: {} }],
    columns: (rows, reject) => {
      const column = source.columnOf(rows)
      if (column?.kind === 'bytes' && type === 'string') return [cutText(column, width)]
      if (column?.kind === 'fixed' && canTruncate(column.type) && type !== 'string')
        return [cutNumbers(column, { name, type, width }, reject)]
      return [nullColumnOf(type, rows.columns.length)]
    },
  }
}

function cutText(column: BytesColumn, width: number): Column {
  const { bytes, offsets, length } = column
  const builder = new BytesBuilder('string')
  for (let row = 0; row < length; row++) {
    if (isNull(column, row)) builder.appendNull()
    else {
      const start = offsets[row] as number
      builder.appendBytes(bytes, start, endOf(bytes, start, offsets[row + 1] as number, width))
    }
  }
  return builder.finish()
}

/**
 * Returns the end of the first `width` characters of UTF-8. A byte that is not a continuation byte starts a
 * character.
 */
function endOf(bytes: Uint8Array, start: number, end: number, width: number): number {
  let left = width
  for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80 && left-- === 0) return at
  return end
}

function cutNumbers(column: FixedColumn, { name, type, width }: CutTarget, reject: Reject): Column {
  const builder = new FixedBuilder(type)
  for (let row = 0; row < column.length; row++) {
    if (isNull(column, row)) {
      builder.appendNull()
      continue
    }
    const cut =
      column.words === 2 ? cutLong(column, row, width) : cutNumber(column.values[row] as number, width)
    const fault = builder.append(cut)
    if (fault === undefined) continue
    // Near the minimum of a type there is no lower multiple.
    reject(row, `${name}: ${fault}`)
    builder.truncate(row)
    builder.appendNull()
  }
  return builder.finish()
}

function cutNumber(value: number, width: number): number {
  return value - (((value % width) + width) % width)
}

function cutLong({ values }: FixedColumn, row: number, width: number): number | bigint {
  const value = longAt(values, row)
  const small = Number(value)
  if (Number.isSafeInteger(small) && Number.isSafeInteger(small - width)) return cutNumber(small, width)
  const wide = BigInt(width)
  return value - (((value % wide) + wide) % wide)
}
