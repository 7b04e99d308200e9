const CHUNK_BITS = 65_536n

/**
 * Holds offsets of one Kafka partition, one bit each: dense offsets take an eighth of a byte, however many there are.
 */
export class OffsetSet {
  readonly #chunkBits: bigint
  readonly #chunks = new Map<bigint, Uint8Array>()
  #count = 0
  #first: bigint | undefined
  #last: bigint | undefined

  /** `chunkBits` neighbouring offsets share one allocation; few are better if offsets are sparse. */
  constructor(chunkBits = CHUNK_BITS) {
    this.#chunkBits = chunkBits
  }

  /** Adds an offset; returns false if it was already present. */
  add(offset: bigint): boolean {
    const chunk = offset / this.#chunkBits
    const bit = Number(offset % this.#chunkBits)
    const bits = this.#chunks.get(chunk) ?? new Uint8Array(Number(this.#chunkBits) / 8)
    this.#chunks.set(chunk, bits)
    const byte = bits[bit >> 3] as number
    const mask = 1 << (bit & 7)
    if ((byte & mask) !== 0) return false
    bits[bit >> 3] = byte | mask
    this.#count++
    if (this.#first === undefined || offset < this.#first) this.#first = offset
    if (this.#last === undefined || offset > this.#last) this.#last = offset
    return true
  }

  /** Tells whether an offset was added. */
  has(offset: bigint): boolean {
    const bit = Number(offset % this.#chunkBits)
    const byte = this.#chunks.get(offset / this.#chunkBits)?.[bit >> 3] ?? 0
    return (byte & (1 << (bit & 7))) !== 0
  }

  /** Largest offset. */
  get last(): bigint | undefined {
    return this.#last
  }

  /** Smallest offset. */
  get first(): bigint | undefined {
    return this.#first
  }

  /** Number of offsets between the first and the last that are missing. */
  get missing(): bigint {
    if (this.#first === undefined || this.#last === undefined) return 0n
    return this.#last - this.#first + 1n - BigInt(this.#count)
  }
}
