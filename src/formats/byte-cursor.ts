import { isUtf8 } from 'node:buffer'
import { narrowInteger } from '../core/exact.ts'

/** Reads bytes in sequence, from `start` on. Never reads beyond `end`: every method throws there. */
export abstract class ByteCursor {
  protected readonly source: Buffer
  protected end: number
  protected at: number

  constructor(bytes: Uint8Array, start = 0) {
    this.source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
    this.at = start
  }

  /** Number of remaining bytes. */
  get bytesLeft(): number {
    return this.end - this.at
  }

  /** Returns the next length-prefixed bytes, shared and not copied. */
  abstract bytes(): Buffer

  string(): string {
    const bytes = this.bytes()
    if (!isUtf8(bytes)) throw new Error('expected UTF-8, got invalid bytes')
    return bytes.toString('utf8')
  }

  /** Throws for a number that is not finite, which neither a column nor JSON can hold. */
  float(): number {
    return finite(this.source.readFloatLE(this.advance(4)))
  }

  /** Throws for a number that is not finite, which neither a column nor JSON can hold. */
  double(): number {
    return finite(this.source.readDoubleLE(this.advance(8)))
  }

  /** Returns the fault of a number that takes more bytes than the format allows. */
  protected abstract tooLong(): Error

  /** Returns the next byte of a number. */
  protected byte(): number {
    if (this.at >= this.end) throw new Error('expected a number, got the end')
    return this.source[this.at++] as number
  }

  /**
   * Returns an unsigned number of seven bits per byte, lowest first: a number when it takes at most seven bytes, otherwise a
   * bigint, of up to 70 bits.
   */
  protected varint(): number | bigint {
    let value = 0
    let scale = 1
    for (let count = 0; count < 7; count++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    let long = BigInt(value)
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      long |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return long
    }
    throw this.tooLong()
  }

  /** Returns the position of the next `count` bytes and moves behind them. */
  protected advance(count: number): number {
    if (count > this.bytesLeft) throw new Error(`expected ${count} more bytes, got ${this.bytesLeft}`)
    this.at += count
    return this.at - count
  }
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw new Error(`expected a finite number, got ${value}`)
}

/** Returns the signed number that a zigzag-encoded one represents; a bigint beyond the integers that a double holds. */
export function decodeZigzag(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  return narrowInteger((value >> 1n) ^ -(value & 1n))
}
