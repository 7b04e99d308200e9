import { isUtf8 } from 'node:buffer'

/** Limit of items without bytes per cursor; a few bytes could otherwise claim billions of them. */
const EMPTY_ITEMS_MAX = 100_000

/** Reads the bytes of one Avro value in sequence. Never reads beyond the end: every method throws there. */
export class AvroCursor {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number
  #empty = 0

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length
    this.#at = start
  }

  /** Number of remaining bytes. */
  get bytesLeft(): number {
    return this.#end - this.#at
  }

  /** Returns the next bytes, shared and not copied. */
  take(count: number): Buffer {
    if (count < 0) throw new Error(`expected a length, got ${count}`)
    if (count > this.bytesLeft) throw new Error(`expected ${count} more bytes, got ${this.bytesLeft}`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  boolean(): boolean {
    const byte = this.take(1)[0]
    if (byte !== 0 && byte !== 1) throw new Error(`expected a boolean, got the byte ${byte}`)
    return byte === 1
  }

  /** Returns a number when a double is exact, otherwise a bigint. */
  long(): number | bigint {
    let value = 0
    let scale = 1
    for (let count = 0; count < 7; count++) {
      if (this.#at >= this.#end) throw new Error('expected a number, got the end')
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    return this.#longer(BigInt(value))
  }

  #longer(low: bigint): number | bigint {
    let value = low
    for (let shift = 49n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw new Error('expected a number, got the end')
      const byte = this.#bytes[this.#at++] as number
      value += BigInt(byte & 0x7f) << shift
      if (byte >= 0x80) continue
      if (value >= 1n << 64n) break
      const signed = (value >> 1n) ^ -(value & 1n)
      const number = Number(signed)
      return Number.isSafeInteger(number) ? number : signed
    }
    throw new Error('expected a number of 64 bits, got a longer one')
  }

  int(): number {
    const value = this.long()
    if (typeof value === 'bigint' || value !== (value | 0))
      throw new Error(`expected a number of 32 bits, got ${value}`)
    return value
  }

  float(): number {
    return this.take(4).readFloatLE()
  }

  double(): number {
    return this.take(8).readDoubleLE()
  }

  bytes(): Buffer {
    return this.take(this.#length())
  }

  string(): string {
    const bytes = this.bytes()
    if (!isUtf8(bytes)) throw new Error('expected UTF-8, got invalid bytes')
    return bytes.toString('utf8')
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

  #length(signed = false): number {
    const value = this.long()
    if (typeof value === 'bigint' || (value < 0 && !signed))
      throw new Error(`expected a length, got ${value}`)
    return value
  }
}
