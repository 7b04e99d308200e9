/** Returns the array with room for `length` elements and its contents kept; it grows by doubling. */
export function ensureCapacity<T extends Uint8Array | Int32Array>(array: T, length: number): T {
  if (length <= array.length) return array
  const larger = new (array.constructor as new (length: number) => T)(Math.max(length, array.length * 2))
  larger.set(array)
  return larger
}

/** Collects the validity of a column: one byte per value, 1 or 0. */
export class Validity {
  #bytes = new Uint8Array(1024)
  #length = 0
  #nulls = 0

  get length(): number {
    return this.#length
  }

  push(valid: 0 | 1): void {
    if (this.#length === this.#bytes.length) this.#bytes = ensureCapacity(this.#bytes, this.#length + 1)
    this.#bytes[this.#length++] = valid
    if (valid === 0) this.#nulls++
  }

  truncate(length: number): void {
    if (length >= this.#length) return
    if (this.#nulls > 0) for (let i = length; i < this.#length; i++) if (this.#bytes[i] === 0) this.#nulls--
    this.#length = length
  }

  /** Returns an exact copy, or `undefined` if no value is null; the collector is empty afterwards. */
  finish(): Uint8Array | undefined {
    const copy = this.#nulls === 0 ? undefined : this.#bytes.slice(0, this.#length)
    this.#length = 0
    this.#nulls = 0
    return copy
  }
}
