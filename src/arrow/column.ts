import { decimalOf, type DataType, type StructType } from '../core/schema.ts'

/** A `FixedArray` is a typed array of fixed-width values. */
export type FixedArray = Int8Array | Int16Array | Int32Array | Uint8Array | Float32Array | Float64Array

interface Common {
  readonly type: DataType
  readonly length: number
  /** Validity, one byte per value: 1 for a value, 0 for null; `undefined` if no value is null. */
  readonly valid: Uint8Array | undefined
}

/** Holds the values of a column of which most are null. */
export interface SparseValues<C extends FixedColumn | BytesColumn = FixedColumn | BytesColumn> {
  /** Rows of the values, ascending; all others are null. */
  readonly rows: Int32Array
  /** The values one after the other; none of them is null. */
  readonly packed: C
}

/**
 * Holds fixed-width values. A value takes `words` array elements: 1 for most types; 2 for long and timestamps (low and
 * high half as Int32, so that no BigInt is created per value); 4 for decimals (two's complement, little-endian).
 * Booleans are bytes.
 */
export interface FixedColumn extends Common {
  readonly kind: 'fixed'
  readonly words: 1 | 2 | 4
  readonly values: FixedArray
  /** The values without the nulls, of a column that is mostly null; `values` and `valid` are then made on demand. */
  readonly sparse?: SparseValues<FixedColumn> | undefined
}

/** Holds strings as UTF-8, or binary: value `i` is `bytes[offsets[i]..offsets[i + 1])`; `offsets[0]` is 0. */
export interface BytesColumn extends Common {
  readonly kind: 'bytes'
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
  /** The values without the nulls, of a column that is mostly null; `offsets` and `valid` are then made on demand. */
  readonly sparse?: SparseValues<BytesColumn> | undefined
}

/** Holds structs, with one child per field and of the same length; children are null where the struct is null. */
export interface StructColumn extends Common {
  readonly kind: 'struct'
  readonly children: readonly Column[]
}

/** Holds lists: the elements of value `i` are `child[offsets[i]..offsets[i + 1])`. */
export interface ListColumn extends Common {
  readonly kind: 'list'
  readonly offsets: Int32Array
  readonly child: Column
}

/** Holds maps: the entries of value `i` are `keys` and `values` at `offsets[i]..offsets[i + 1]`. */
export interface MapColumn extends Common {
  readonly kind: 'map'
  readonly offsets: Int32Array
  readonly keys: Column
  readonly values: Column
}

/**
 * A `Column` has the memory layout of Arrow, except for validity, which is one byte per value until the conversion to
 * Arrow.
 */
export type Column = FixedColumn | BytesColumn | StructColumn | ListColumn | MapColumn

/** Holds the columns of a schema, equally long and in schema order. */
export interface Columns {
  readonly schema: StructType
  readonly length: number
  readonly columns: readonly Column[]
}

/** Returns the memory layout of a fixed-width type, or `undefined` for other types. */
export function fixedLayoutOf(
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

/** Returns the bytes of a column's buffers. */
export function bytesOf(column: Column): number {
  if ((column.kind === 'fixed' || column.kind === 'bytes') && column.sparse !== undefined)
    return column.sparse.rows.byteLength + bytesOf(column.sparse.packed)
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

/** Tells whether value `i` is null. */
export function isNull(column: Column, i: number): boolean {
  return column.valid !== undefined && column.valid[i] === 0
}

/** Returns the minimum bytes of a row of the schema: the memory that a record takes beside its own bytes. */
export function rowBytesMin(schema: StructType): number {
  return schema.fields.reduce((sum, field) => sum + typeBytesMin(field.type), 0)
}

function typeBytesMin(type: DataType): number {
  if (typeof type === 'string') {
    const layout = fixedLayoutOf(type)
    return 1 + (layout === undefined ? 4 : layout.make(layout.words).byteLength)
  }
  return type.type === 'struct' ? 1 + rowBytesMin(type) : 5
}
