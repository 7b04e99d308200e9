/** Decompressed bytes that come in pieces, held to a maximum. */
export class Output {
  readonly #bytesMax: number
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get length(): number {
    return this.#length
  }

  /** Asks for room before anything is decompressed into it. Throws where `count` more bytes are too many. */
  expect(count: number): void {
    if (this.#length + count > this.#bytesMax) throw tooLarge(this.#bytesMax)
  }

  /** Adds a piece. Throws where it is too much. */
  add(piece: Uint8Array): void {
    this.expect(piece.length)
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

  /** What was added after the first `length` bytes. */
  since(length: number): Uint8Array {
    return this.#bytes.subarray(length, this.#length)
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** What a codec throws for bytes that come to more than is allowed. */
export function tooLarge(bytesMax: number): Error {
  return new RangeError(`expected at most ${bytesMax} bytes after decompression, got more`)
}
