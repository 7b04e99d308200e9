/** Collects decompressed bytes piece by piece and refuses to grow beyond a maximum. */
export class BoundedBuffer {
  readonly #bytesMax: number
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get length(): number {
    return this.#length
  }

  /** Checks that `count` more bytes fit, before they are decompressed. Throws a `RangeError` when they do not. */
  reserve(count: number): void {
    if (this.#length + count > this.#bytesMax) throw tooLargeError(this.#bytesMax)
  }

  /** Appends a piece. Throws a `RangeError` when the maximum is exceeded. */
  add(piece: Uint8Array): void {
    this.reserve(piece.length)
    if (this.#length === 0) this.#bytes = piece
    else {
      const length = this.#length + piece.length
      if (length > this.#bytes.length || this.#bytes.length === this.#length) {
        const larger = new Uint8Array(Math.max(length, Math.min(2 * this.#length, this.#bytesMax)))
        larger.set(this.#bytes.subarray(0, this.#length))
        this.#bytes = larger
      }
      this.#bytes.set(piece, this.#length)
    }
    this.#length += piece.length
  }

  /** Returns the bytes that were added after the first `length` bytes. The bytes are shared, not copied. */
  bytesAfter(length: number): Uint8Array {
    return this.#bytes.subarray(length, this.#length)
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** Returns the error that a codec throws when the decompressed bytes exceed `bytesMax`. */
export function tooLargeError(bytesMax: number): Error {
  return new RangeError(`expected at most ${bytesMax} bytes after decompression, got more`)
}
