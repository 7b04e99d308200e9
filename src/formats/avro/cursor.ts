import { ByteCursor, decodeZigzag } from '../byte-cursor.ts'

/** Limit of items without bytes per cursor; a few bytes could otherwise claim billions of them. */
const EMPTY_ITEMS_MAX = 100_000

/** Depth of nested values of a recursive schema. */
const DEPTH_MAX = 1_000

/** Reads the bytes of one Avro value in sequence. Never reads beyond the end: every method throws there. */
export class AvroCursor extends ByteCursor {
  #empty = 0
  #depth = 0

  get position(): number {
    return this.at
  }

  /** Continues at `position`, after values that were read in another way. */
  moveTo(position: number): void {
    this.at = position
  }

  /** Enters a value of a recursive schema that lies `levels` levels within another. Throws beyond 1,000 levels. */
  descend(levels: number): void {
    this.#depth += levels
    if (this.#depth > DEPTH_MAX) throw new Error(`expected at most ${DEPTH_MAX} nested levels, got more`)
  }

  ascend(levels: number): void {
    this.#depth -= levels
  }

  /** Returns the next bytes, shared and not copied. */
  take(count: number): Buffer {
    if (count < 0) throw new Error(`expected a length, got ${count}`)
    const start = this.advance(count)
    return this.source.subarray(start, this.at)
  }

  boolean(): boolean {
    const byte = this.source[this.advance(1)]
    if (byte !== 0 && byte !== 1) throw new Error(`expected a boolean, got the byte ${byte}`)
    return byte === 1
  }

  /** Returns a number when a double is exact, otherwise a bigint. */
  long(): number | bigint {
    const value = this.varint()
    if (typeof value === 'bigint' && value >= 1n << 64n) throw this.tooLong()
    return decodeZigzag(value)
  }

  int(): number {
    const value = this.long()
    if (typeof value === 'bigint' || value !== (value | 0))
      throw new Error(`expected a number of 32 bits, got ${value}`)
    return value
  }

  override bytes(): Buffer {
    return this.take(this.#length())
  }

  /**
   * Checks the number of items of an array or a map, of at least `bytesMin` bytes each, before they are read. Throws
   * when the bytes cannot contain them.
   */
  checkItemCount(count: number, bytesMin: number, what: string): void {
    const fits =
      bytesMin === 0 ? (this.#empty += count) <= EMPTY_ITEMS_MAX : count * bytesMin <= this.bytesLeft
    if (!fits) throw new Error(`expected ${what}, got ${count} items in ${this.bytesLeft} bytes`)
  }

  /** Returns the number of items in the next block of an array or a map; 0 ends it. */
  blockCount(): number {
    const count = this.#length(true)
    // A negative count means that the size of the block follows, for readers that skip it.
    if (count < 0) this.#length()
    return Math.abs(count)
  }

  protected override tooLong(): Error {
    return new Error('expected a number of 64 bits, got a longer one')
  }

  #length(signed = false): number {
    const value = this.long()
    if (typeof value === 'bigint' || (value < 0 && !signed))
      throw new Error(`expected a length, got ${value}`)
    return value
  }
}
