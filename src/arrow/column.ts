import { decimalOf, type DataType, type StructType } from '../core/schema.ts'

/** Typed arrays that hold fixed-width values. */
export type FixedArray = Int8Array | Int16Array | Int32Array | Uint8Array | Float32Array | Float64Array

interface Common {
  readonly type: DataType
  readonly length: number
  /** One byte a value, 1 where there is one; `undefined` when nothing is null. */
  readonly valid: Uint8Array | undefined
}

/**
 * Values of one width. `words` array elements make one value: 1 for most; 2 for long and timestamps (low and high half
 * as Int32, so that no BigInt is made per value); 4 for decimals (two's complement, little end first). Booleans are bytes.
 */
export interface FixedColumn extends Common {
  readonly kind: 'fixed'
  readonly words: 1 | 2 | 4
  readonly values: FixedArray
}

/** Strings as UTF-8 and binary: value `i` is `bytes[offsets[i]..offsets[i + 1])`; `offsets[0]` is 0. */
export interface BytesColumn extends Common {
  readonly kind: 'bytes'
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/** A child for each field, as long as the struct itself; null in the children where the struct is null. */
export interface StructColumn extends Common {
  readonly kind: 'struct'
  readonly children: readonly Column[]
}

/** Elements of value `i` are `child[offsets[i]..offsets[i + 1])`. */
export interface ListColumn extends Common {
  readonly kind: 'list'
  readonly offsets: Int32Array
  readonly child: Column
}

/** Entries of value `i` are `keys` and `values` at `offsets[i]..offsets[i + 1]`. */
export interface MapColumn extends Common {
  readonly kind: 'map'
  readonly offsets: Int32Array
  readonly keys: Column
  readonly values: Column
}

/** One column in Arrow's shape, but for its validity, which is a byte a value until it becomes Arrow. */
export type Column = FixedColumn | BytesColumn | StructColumn | ListColumn | MapColumn

/** The columns of a table's schema, equally long, in the schema's order. */
export interface Columns {
  readonly schema: StructType
  readonly length: number
  readonly columns: readonly Column[]
}

/** How values of a fixed-width type are laid out, or `undefined` for any other type. */
export function fixedLayout(
  type: DataType,
): { words: 1 | 2 | 4; make: (length: number) => FixedArray } | undefined {
  if (typeof type !== 'string') return undefined
  if (decimalOf(type) !== undefined) return { words: 4, make: (n) => new Int32Array(n) }
  return LAYOUTS[type]
}

const LAYOUTS: Readonly<Record<string, { words: 1 | 2; make: (length: number) => FixedArray }>> = {
  boolean: { words: 1, make: (n) => new Uint8Array(n) },
  byte: { words: 1, make: (n) => new Int8Array(n) },
  short: { words: 1, make: (n) => new Int16Array(n) },
  integer: { words: 1, make: (n) => new Int32Array(n) },
  date: { words: 1, make: (n) => new Int32Array(n) },
  float: { words: 1, make: (n) => new Float32Array(n) },
  double: { words: 1, make: (n) => new Float64Array(n) },
  long: { words: 2, make: (n) => new Int32Array(n) },
  timestamp: { words: 2, make: (n) => new Int32Array(n) },
  timestamp_ntz: { words: 2, make: (n) => new Int32Array(n) },
}

/** Bytes that a column's buffers take. */
export function bytesOf(column: Column): number {
  const valid = column.valid?.byteLength ?? 0
  switch (column.kind) {
    case 'fixed':
      return valid + column.values.byteLength
    case 'bytes':
      return valid + column.offsets.byteLength + column.bytes.byteLength
    case 'struct':
      return column.children.reduce((sum, child) => sum + bytesOf(child), valid)
    case 'list':
      return valid + column.offsets.byteLength + bytesOf(column.child)
    case 'map':
      return valid + column.offsets.byteLength + bytesOf(column.keys) + bytesOf(column.values)
  }
}

/** Whether value `i` is null. */
export function isNull(column: Column, i: number): boolean {
  return column.valid !== undefined && column.valid[i] === 0
}

/** Bytes that one row of the schema takes at least: what a record costs beside its own bytes. */
export function rowBytesMin(schema: StructType): number {
  return schema.fields.reduce((sum, field) => sum + typeBytesMin(field.type), 0)
}

function typeBytesMin(type: DataType): number {
  if (typeof type === 'string') {
    const layout = fixedLayout(type)
    return 1 + (layout === undefined ? 4 : layout.make(layout.words).byteLength)
  }
  return type.type === 'struct' ? 1 + rowBytesMin(type) : 5
}

/** A column of nulls. */
export function nullColumn(type: DataType, length: number): Column {
  const valid = new Uint8Array(length)
  const layout = fixedLayout(type)
  if (layout !== undefined)
    return {
      kind: 'fixed',
      type,
      length,
      valid,
      words: layout.words,
      values: layout.make(length * layout.words),
    }
  const offsets = new Int32Array(length + 1)
  if (typeof type === 'string')
    return { kind: 'bytes', type, length, valid, offsets, bytes: new Uint8Array(0) }
  switch (type.type) {
    case 'struct':
      return {
        kind: 'struct',
        type,
        length,
        valid,
        children: type.fields.map((field) => nullColumn(field.type, length)),
      }
    case 'array':
      return { kind: 'list', type, length, valid, offsets, child: nullColumn(type.elementType, 0) }
    case 'map':
      return {
        kind: 'map',
        type,
        length,
        valid,
        offsets,
        keys: nullColumn(type.keyType, 0),
        values: nullColumn(type.valueType, 0),
      }
  }
}
