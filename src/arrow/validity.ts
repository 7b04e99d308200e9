/** Returns the array with room for `length` elements and its contents kept; it grows by doubling. */
export function ensureCapacity<T extends Uint8Array | Int32Array>(array: T, length: number): T {
  if (length <= array.length) return array
  const larger = new (array.constructor as new (length: number) => T)(Math.max(length, array.length * 2))
  larger.set(array)
  return larger
}

/**
 * Collects the nulls of a column whose builder counts the values: nothing is written for a value that is not null, since
 * most are not.
 */
export class Validity {
  /** One byte per value, 1 except for nulls. */
  #bytes = new Uint8Array(1024).fill(1)
  #nulls = 0

  /** Makes value `index` null; it was a value before. */
  setNull(index: number): void {
    if (index >= this.#bytes.length) this.#grow(index + 1)
    this.#bytes[index] = 0
    this.#nulls++
  }

  /** Forgets the values from index `length` on, of which there are `previous`. */
  truncate(length: number, previous: number): void {
    if (this.#nulls === 0) return
    const end = Math.min(previous, this.#bytes.length)
    for (let i = length; i < end; i++)
      if (this.#bytes[i] === 0) {
        this.#bytes[i] = 1
        this.#nulls--
      }
  }

  /** Returns an exact copy for `length` values, or `undefined` if none is null; the collector is empty afterwards. */
  finish(length: number): Uint8Array | undefined {
    if (this.#nulls === 0) return undefined
    if (length > this.#bytes.length) this.#grow(length)
    const copy = this.#bytes.slice(0, length)
    this.#bytes.fill(1, 0, length)
    this.#nulls = 0
    return copy
  }

  #grow(length: number): void {
    const from = this.#bytes.length
    this.#bytes = ensureCapacity(this.#bytes, length)
    this.#bytes.fill(1, from)
  }
}

/**
 * Collects the validity and the ends of lists or maps: value `i` has the items from `offsets[i]` to `offsets[i + 1]`.
 * `BytesBuilder` has its own offsets: one more call for each text made whole rows about 7% slower.
 */
export class Offsets {
  readonly #valid = new Validity()
  #offsets = new Int32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Ends a value whose items end at `end`. */
  push(valid: 0 | 1, end: number): void {
    if (valid === 0) this.#valid.setNull(this.#length)
    const length = ++this.#length
    if (length >= this.#offsets.length) this.#offsets = ensureCapacity(this.#offsets, length + 1)
    this.#offsets[length] = end
  }

  /** Drops all values from index `length` on. Returns the number of items that are left. */
  truncate(length: number): number {
    if (length < this.#length) {
      this.#valid.truncate(length, this.#length)
      this.#length = length
    }
    return this.#offsets[this.#length] ?? 0
  }

  /** Returns exact copies; the collector is empty afterwards. */
  finish(): {
    readonly length: number
    readonly offsets: Int32Array
    readonly valid: Uint8Array | undefined
  } {
    const length = this.#length
    this.#length = 0
    return { length, offsets: this.#offsets.slice(0, length + 1), valid: this.#valid.finish(length) }
  }
}
