/** Pairs of digits, from "00" to "99". */
const PAIRS = Uint8Array.from({ length: 200 }, (_, at) =>
  at % 2 === 0 ? 0x30 + Math.floor(at / 20) : 0x30 + (Math.floor(at / 2) % 10),
)
const HEX = Uint8Array.from(Buffer.from('0123456789abcdef'))
const ZERO = 0x30
/** Below this length a loop is faster than a call. */
const LOOP_BYTES_MAX = 12

/**
 * Holds bytes that are written one after another and read before it is cleared. It grows as needed and keeps its memory, so
 * that writing into it allocates nothing.
 */
export class ByteSink {
  bytes: Buffer
  length = 0

  constructor(bytes = 1_024) {
    this.bytes = Buffer.allocUnsafeSlow(bytes)
  }

  clear(): void {
    this.length = 0
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.length + more))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }

  raw(bytes: Uint8Array, length = bytes.length): void {
    this.reserve(length)
    const target = this.bytes
    let at = this.length
    if (length <= LOOP_BYTES_MAX) for (let i = 0; i < length; i++) target[at++] = bytes[i] as number
    else target.set(length === bytes.length ? bytes : bytes.subarray(0, length), at)
    this.length += length
  }

  /** Writes a text as UTF-8. */
  text(text: string): void {
    this.reserve(text.length * 3)
    this.length += this.bytes.write(text, this.length, 'utf8')
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** Writes a whole number from 0 to 4,294,967,295 in decimal digits. */
  digits(value: number): void {
    let width = 1
    for (let limit = 10; limit <= value; limit *= 10) width++
    this.reserve(width)
    let at = this.length + width
    this.length = at
    let rest = value
    while (rest >= 10) {
      const next = Math.floor(rest / 10)
      this.bytes[--at] = ZERO + (rest - next * 10)
      rest = next
    }
    this.bytes[--at] = ZERO + rest
  }

  /** Writes a whole number from 0 to 99 in two digits. */
  pair(value: number): void {
    this.reserve(2)
    this.bytes[this.length++] = PAIRS[2 * value] as number
    this.bytes[this.length++] = PAIRS[2 * value + 1] as number
  }

  /** Writes the lowest 16 bits in four hexadecimal digits. */
  hex4(bits: number): void {
    this.reserve(4)
    const { bytes } = this
    let at = this.length
    bytes[at++] = HEX[(bits >>> 12) & 15] as number
    bytes[at++] = HEX[(bits >>> 8) & 15] as number
    bytes[at++] = HEX[(bits >>> 4) & 15] as number
    bytes[at++] = HEX[bits & 15] as number
    this.length = at
  }

  /** Returns a copy of the bytes. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length))
  }

  toString(): string {
    return this.bytes.toString('utf8', 0, this.length)
  }
}
