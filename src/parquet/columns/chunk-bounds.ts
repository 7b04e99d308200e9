import type { BytesColumn, FixedColumn } from '../../arrow/column.ts'
import { longAt } from '../../arrow/values.ts'

/** Holds the bounds of a column chunk as its footer states them: values in the plain encoding. */
export interface PlainBounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

/** Bytes of a bound from which on there are none: footers of long texts would be large. */
const BOUND_BYTES_MAX = 64

/** Collects the bounds of a column chunk from its values. Specification of Parquet: "Column Orders". */
export interface ChunkBounds {
  update(packed: FixedColumn | BytesColumn): void
  /** Returns `undefined` without values, with a NaN among them, and with a bound that is too long. */
  bounds(): PlainBounds | undefined
}

/** Returns an empty collector for columns like this one. */
export function chunkBoundsOf({ kind, type }: FixedColumn | BytesColumn): ChunkBounds {
  if (kind === 'bytes') return new ByteBounds()
  if (type === 'long' || type === 'timestamp' || type === 'timestamp_ntz') return new LongBounds()
  return new NumberBounds(
    type === 'boolean' ? 1 : type === 'double' ? 8 : 4,
    type === 'float' || type === 'double',
  )
}

class ByteBounds implements ChunkBounds {
  #min: Uint8Array | undefined
  #max: Uint8Array | undefined

  update(packed: FixedColumn | BytesColumn): void {
    if (packed.kind !== 'bytes' || packed.length === 0) return
    let min = 0
    let max = 0
    for (let i = 1; i < packed.length; i++) {
      if (isBefore(packed, i, min)) min = i
      else if (isBefore(packed, max, i)) max = i
    }
    const { bytes, offsets } = packed
    const least = bytes.slice(offsets[min], offsets[min + 1])
    const most = bytes.slice(offsets[max], offsets[max + 1])
    if (this.#min === undefined || Buffer.compare(least, this.#min) < 0) this.#min = least
    if (this.#max === undefined || Buffer.compare(most, this.#max) > 0) this.#max = most
  }

  bounds(): PlainBounds | undefined {
    const min = this.#min
    const max = this.#max
    if (min === undefined || max === undefined) return undefined
    return Math.max(min.length, max.length) > BOUND_BYTES_MAX ? undefined : { min, max }
  }
}

/** Returns true when the bytes of value `i` are ordered before those of value `j`. */
function isBefore({ bytes, offsets }: BytesColumn, i: number, j: number): boolean {
  let a = offsets[i] as number
  let b = offsets[j] as number
  const endA = offsets[i + 1] as number
  const endB = offsets[j + 1] as number
  for (; a < endA && b < endB; a++, b++)
    if (bytes[a] !== bytes[b]) return (bytes[a] as number) < (bytes[b] as number)
  return a === endA && b < endB
}

class LongBounds implements ChunkBounds {
  #min: bigint | undefined
  #max: bigint | undefined

  update(packed: FixedColumn | BytesColumn): void {
    if (packed.kind !== 'fixed' || packed.length === 0) return
    const { values, length } = packed
    let min = 0
    let max = 0
    for (let i = 1; i < length; i++) {
      if (isLess(values, i, min)) min = i
      else if (isLess(values, max, i)) max = i
    }
    const least = longAt(values, min)
    const most = longAt(values, max)
    if (this.#min === undefined || least < this.#min) this.#min = least
    if (this.#max === undefined || most > this.#max) this.#max = most
  }

  bounds(): PlainBounds | undefined {
    if (this.#min === undefined || this.#max === undefined) return undefined
    return { min: longBytes(this.#min), max: longBytes(this.#max) }
  }
}

function isLess(values: FixedColumn['values'], a: number, b: number): boolean {
  const highA = values[2 * a + 1] as number
  const highB = values[2 * b + 1] as number
  if (highA !== highB) return highA < highB
  return (values[2 * a] as number) >>> 0 < (values[2 * b] as number) >>> 0
}

function longBytes(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

class NumberBounds implements ChunkBounds {
  readonly #bytes: 1 | 4 | 8
  readonly #isFloating: boolean
  #min = Infinity
  #max = -Infinity
  #isEmpty = true
  #hasNotANumber = false

  constructor(bytes: 1 | 4 | 8, isFloating: boolean) {
    this.#bytes = bytes
    this.#isFloating = isFloating
  }

  update(packed: FixedColumn | BytesColumn): void {
    if (packed.kind !== 'fixed') return
    const { values, length } = packed
    let min = this.#min
    let max = this.#max
    if (length > 0) this.#isEmpty = false
    for (let i = 0; i < length; i++) {
      const value = values[i] as number
      if (value < min) min = value
      if (value > max) max = value
      if (value !== value) this.#hasNotANumber = true
    }
    this.#min = min
    this.#max = max
  }

  bounds(): PlainBounds | undefined {
    if (this.#isEmpty || this.#hasNotANumber) return undefined
    // Zeros of both signs are equal, so the bounds must include both.
    const min = this.#isFloating && this.#min === 0 ? -0 : this.#min
    const max = this.#isFloating && this.#max === 0 ? 0 : this.#max
    return { min: this.#plain(min), max: this.#plain(max) }
  }

  #plain(value: number): Uint8Array {
    const bytes = Buffer.alloc(this.#bytes)
    if (this.#bytes === 1) bytes.writeUInt8(value)
    else if (this.#bytes === 8) bytes.writeDoubleLE(value)
    else if (this.#isFloating) bytes.writeFloatLE(value)
    else bytes.writeInt32LE(value)
    return bytes
  }
}
