import type { DataType } from '../../core/schema.ts'
import type { BytesColumn, Column, FixedArray, FixedColumn, SparseValues } from '../column.ts'

/** Rows below which a column is not worth a sparse form. */
export const SPARSE_ROWS_MIN = 64
/** A value in sparse form takes four more bytes; a null in the other form takes the bytes of a value and one more. */
const NULLS_PER_VALUE_MIN = 3

/** Returns true when a column of `length` rows and `values` values takes less memory in sparse form. */
export function isMostlyNull(length: number, values: number): boolean {
  return length >= SPARSE_ROWS_MIN && length - values >= NULLS_PER_VALUE_MIN * values
}

/** Returns a column with the values at `rows` and nulls elsewhere; most are null or the column is short. */
export function columnOfPacked(
  packed: FixedColumn | BytesColumn,
  rows: Int32Array,
  length: number,
): FixedColumn | BytesColumn {
  if (packed.kind === 'fixed') {
    const sparse = { rows, packed }
    return isMostlyNull(length, rows.length) ? new SparseFixed(sparse, length) : denseFixed(sparse, length)
  }
  const sparse = { rows, packed }
  return isMostlyNull(length, rows.length) ? new SparseBytes(sparse, length) : denseBytes(sparse, length)
}

/** Returns the values of a column without its nulls, and their rows; `undefined` for nested columns. */
export function packedOf(column: Column): SparseValues | undefined {
  if (column.kind !== 'fixed' && column.kind !== 'bytes') return undefined
  if (column.sparse !== undefined) return column.sparse
  const { valid, length } = column
  if (valid === undefined) return { rows: Int32Array.from({ length }, (_, row) => row), packed: column }
  const rows = new Int32Array(countOnes(valid))
  for (let row = 0, at = 0; row < length; row++) if (valid[row] === 1) rows[at++] = row
  return { rows, packed: column.kind === 'fixed' ? packFixed(column, rows) : packBytes(column, rows) }
}

/** Returns the number of values of a column that are not null. */
export function countValues(column: Column): number {
  if (column.kind === 'fixed' || column.kind === 'bytes') {
    if (column.sparse !== undefined) return column.sparse.rows.length
  }
  return column.valid === undefined ? column.length : countOnes(column.valid)
}

function countOnes(bytes: Uint8Array): number {
  let ones = 0
  for (let i = 0; i < bytes.length; i++) ones += bytes[i] as number
  return ones
}

function packFixed({ type, words, values }: FixedColumn, rows: Int32Array): FixedColumn {
  const packed = sameArray(values, rows.length * words)
  let to = 0
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * words
    for (let word = 0; word < words; word++) packed[to++] = values[from + word] as number
  }
  return { kind: 'fixed', type, words, length: rows.length, values: packed, valid: undefined }
}

function packBytes({ type, offsets, bytes }: BytesColumn, rows: Int32Array): BytesColumn {
  const packed = new Int32Array(rows.length + 1)
  // Nulls have no bytes in columns that were built here; those of other writers may have some.
  let total = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    total += (offsets[row + 1] as number) - (offsets[row] as number)
    packed[i + 1] = total
  }
  const copy = new Uint8Array(total)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    copy.set(bytes.subarray(offsets[row], offsets[row + 1]), packed[i])
  }
  return {
    kind: 'bytes',
    type,
    length: rows.length,
    offsets: packed,
    bytes: copy,
    valid: undefined,
  }
}

function sameArray(like: FixedArray, length: number): FixedArray {
  return new (like.constructor as new (length: number) => FixedArray)(length)
}

function validOf(rows: Int32Array, length: number): Uint8Array {
  const valid = new Uint8Array(length)
  for (let i = 0; i < rows.length; i++) valid[rows[i] as number] = 1
  return valid
}

function denseFixed({ rows, packed }: SparseValues<FixedColumn>, length: number): FixedColumn {
  const { type, words, values } = packed
  const dense = sameArray(values, length * words)
  for (let i = 0; i < rows.length; i++) {
    const to = (rows[i] as number) * words
    for (let word = 0; word < words; word++) dense[to + word] = values[i * words + word] as number
  }
  return { kind: 'fixed', type, words, length, values: dense, valid: validOf(rows, length) }
}

function denseBytes({ rows, packed }: SparseValues<BytesColumn>, length: number): BytesColumn {
  const { type, bytes } = packed
  const offsets = new Int32Array(length + 1)
  let at = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const start = packed.offsets[i] as number
    for (; at <= row; at++) offsets[at] = start
  }
  offsets.fill(packed.offsets[rows.length] as number, at)
  return { kind: 'bytes', type, length, offsets, bytes, valid: validOf(rows, length) }
}

/** Has the values of a fixed-width column in sparse form; the other form is made when it is asked for, and kept. */
class SparseFixed implements FixedColumn {
  readonly kind = 'fixed'
  readonly type: DataType
  readonly words: 1 | 2 | 4
  readonly length: number
  readonly sparse: SparseValues<FixedColumn>
  #dense: FixedColumn | undefined

  constructor(sparse: SparseValues<FixedColumn>, length: number) {
    this.type = sparse.packed.type
    this.words = sparse.packed.words
    this.length = length
    this.sparse = sparse
  }

  get values(): FixedArray {
    return this.#filled().values
  }

  get valid(): Uint8Array | undefined {
    return this.#filled().valid
  }

  #filled(): FixedColumn {
    return (this.#dense ??= denseFixed(this.sparse, this.length))
  }
}

/** Has the values of a column of strings or binary in sparse form; the other form is made when it is asked for, and kept. */
class SparseBytes implements BytesColumn {
  readonly kind = 'bytes'
  readonly type: DataType
  readonly length: number
  readonly sparse: SparseValues<BytesColumn>
  #dense: BytesColumn | undefined

  constructor(sparse: SparseValues<BytesColumn>, length: number) {
    this.type = sparse.packed.type
    this.length = length
    this.sparse = sparse
  }

  get offsets(): Int32Array {
    return this.#filled().offsets
  }

  get bytes(): Uint8Array {
    return this.sparse.packed.bytes
  }

  get valid(): Uint8Array | undefined {
    return this.#filled().valid
  }

  #filled(): BytesColumn {
    return (this.#dense ??= denseBytes(this.sparse, this.length))
  }
}
