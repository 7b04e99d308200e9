import { ensureCapacity } from '../../arrow/validity.ts'

/**
 * Says what a value is. `fraction` is an integer written with a fraction, `instant` a time in microseconds since the epoch
 * that stands for its ISO 8601 text, and `unknown` a value that only the interpreter of expressions can determine.
 */
export const VALUE_KINDS = {
  null: 0,
  text: 1,
  number: 2,
  fraction: 3,
  true: 4,
  false: 5,
  instant: 6,
  unknown: 7,
} as const

const encoder = new TextEncoder()

/**
 * Holds the values of an expression for the rows of a batch. Value `i` is described by `kinds[i]`; its number is
 * `numbers[i]`, its text the UTF-8 `bytes[starts[i]..ends[i])`. The vector is reused for the next batch.
 */
export class ValueVector {
  length = 0
  kinds = new Uint8Array(0)
  numbers = new Float64Array(0)
  starts = new Int32Array(0)
  ends = new Int32Array(0)
  /** Bytes of texts: the vector's own, or those of another one. */
  bytes = new Uint8Array(0)
  #own = new Uint8Array(1024)
  #end = 0
  #buffer = Buffer.from(this.#own.buffer)

  /** Makes room for `length` values, all null, in bytes of its own. */
  reset(length: number): void {
    this.length = length
    if (length > this.kinds.length) {
      this.kinds = new Uint8Array(length)
      this.numbers = new Float64Array(length)
      this.starts = new Int32Array(length)
      this.ends = new Int32Array(length)
    } else this.kinds.fill(0, 0, length)
    this.#end = 0
    this.bytes = this.#own
  }

  /** Lets the texts lie in `bytes`. */
  share(bytes: Uint8Array): void {
    this.bytes = bytes as Uint8Array<ArrayBuffer>
  }

  /** Returns value `i` as text. */
  textAt(i: number): string {
    const { bytes } = this
    if (this.#buffer.buffer !== bytes.buffer || this.#buffer.byteOffset !== bytes.byteOffset)
      this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#buffer.toString('utf8', this.starts[i], this.ends[i])
  }

  /** Sets value `i` to text; text that UTF-8 cannot represent becomes unknown. */
  putText(i: number, text: string): void {
    this.#reserve(text.length * 3)
    const { written } = encoder.encodeInto(text, this.#own.subarray(this.#end))
    const isWhole = written === text.length || text.isWellFormed()
    this.#putEnd(i, isWhole ? VALUE_KINDS.text : VALUE_KINDS.unknown, written)
  }

  /** Sets value `i` to the text in `bytes[start..end)`. */
  putBytes(i: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#reserve(length)
    const own = this.#own
    let at = this.#end
    if (length < 64) for (let k = start; k < end; k++) own[at++] = bytes[k] as number
    else own.set(bytes.subarray(start, end), at)
    this.#putEnd(i, VALUE_KINDS.text, length)
  }

  /** Returns a position in the vector's own bytes at which `length` bytes can be written. Call `endText` afterwards. */
  beginText(length: number): number {
    this.#reserve(length)
    return this.#end
  }

  /** Ends a text of `length` bytes that was written at `beginText`. */
  endText(i: number, length: number): void {
    this.#putEnd(i, VALUE_KINDS.text, length)
  }

  putNumber(i: number, kind: number, value: number): void {
    this.kinds[i] = kind
    this.numbers[i] = value
  }

  /** Sets value `i` to value `j` of another vector. */
  copy(i: number, from: ValueVector, j: number): void {
    const kind = from.kinds[j] as number
    if (kind === VALUE_KINDS.text)
      this.putBytes(i, from.bytes, from.starts[j] as number, from.ends[j] as number)
    else {
      this.kinds[i] = kind
      this.numbers[i] = from.numbers[j] as number
    }
  }

  #putEnd(i: number, kind: number, length: number): void {
    this.kinds[i] = kind
    this.starts[i] = this.#end
    this.#end += length
    this.ends[i] = this.#end
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#own.length) return
    this.#own = ensureCapacity(this.#own, this.#end + length)
    this.bytes = this.#own
  }
}
