import { isNull, type BytesColumn, type Column, type FixedColumn } from '../arrow/column.ts'
import { unscaledAt } from '../arrow/decimal.ts'
import { FixedBuilder } from '../arrow/fixed-builder.ts'
import { decimalOf, type DataType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'
import { murmur3, murmur3OfLong } from './murmur3.ts'
import type { SourceColumn } from './source-column.ts'

const HASHED: readonly DataType[] = [
  'byte',
  'short',
  'integer',
  'long',
  'date',
  'timestamp',
  'timestamp_ntz',
  'string',
  'binary',
]

/**
 * Returns true when values of the type can be assigned to buckets. Doubles cannot, because two writers may represent
 * the same value differently.
 */
export function canBucket(type: DataType): boolean {
  return HASHED.includes(type) || decimalOf(type) !== undefined
}

/**
 * Returns an enrichment that adds the bucket number of a value, from 0, or null when the source is null. It follows
 * Iceberg's bucket transform: a Murmur3 hash without its sign, modulo the number of buckets. Numbers, dates and
 * timestamps (microseconds) are hashed as longs, so that widening a column changes no bucket; text is hashed as
 * UTF-8, decimals as their unscaled value.
 */
export function bucketColumn(name: string, buckets: number, source: SourceColumn): Enrichment {
  const builder = new FixedBuilder('integer')
  return {
    fields: [{ name, type: 'integer', nullable: true, metadata: {} }],
    columns: (rows) => {
      const column = source.columnOf(rows)
      const hash = column === undefined ? undefined : hashOf(column)
      for (let row = 0; row < rows.columns.length; row++) {
        if (column === undefined || hash === undefined || isNull(column, row)) builder.appendNull()
        else builder.appendNumber((hash(row) & 0x7fff_ffff) % buckets)
      }
      return [builder.finish()]
    },
  }
}

function hashOf(column: Column): ((row: number) => number) | undefined {
  if (!canBucket(column.type)) return undefined
  if (column.kind === 'bytes') return hashOfBytes(column)
  return column.kind === 'fixed' ? hashOfFixed(column) : undefined
}

function hashOfBytes({ bytes, offsets }: BytesColumn): (row: number) => number {
  return (row) => murmur3(bytes, offsets[row], offsets[row + 1])
}

function hashOfFixed({ values, words }: FixedColumn): (row: number) => number {
  if (words === 4) return (row) => murmur3(bigEndian(unscaledAt(values, row * 4)))
  if (words === 2) return (row) => murmur3OfLong(values[row * 2] as number, values[row * 2 + 1] as number)
  return (row) => {
    const value = values[row] as number
    return murmur3OfLong(value, value < 0 ? -1 : 0)
  }
}

/** Returns the shortest two's complement representation, most significant byte first. */
function bigEndian(value: bigint): Uint8Array {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  return Uint8Array.from({ length }, (_, i) =>
    Number(BigInt.asUintN(8, value >> BigInt(8 * (length - 1 - i)))),
  )
}
