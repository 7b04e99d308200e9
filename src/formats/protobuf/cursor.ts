import { isUtf8 } from 'node:buffer'

/** Names the wire types: the encoding of a field, which the last three bits of its tag hold. */
export const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

/** Depth of nested groups that can be skipped. */
const GROUPS_MAX = 100
/**
 * Limit of the values in one record, including the defaults of absent fields: a few bytes could otherwise ask for
 * billions.
 */
const VALUES_MAX = 5_000_000
const VARINT_BYTES_MAX = 10

/** Reads the bytes of one Protobuf message in sequence. Never reads beyond the end: every method throws there. */
export class ProtoCursor {
  /** Number of fields so far that no message declares. */
  unknownFields = 0
  readonly #bytes: Buffer
  #end: number
  #at: number
  #values = 0

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length
    this.#at = start
  }

  /** Number of remaining bytes of the message or list that was entered last. */
  get bytesLeft(): number {
    return this.#end - this.#at
  }

  /** Counts `count` more values. Throws when the record exceeds its limit. */
  countValues(count: number): void {
    this.#values += count
    if (this.#values > VALUES_MAX) throw new Error(`expected at most ${VALUES_MAX} values, got more`)
  }

  /** Enters a length-prefixed part. The result is passed to `leave`. */
  enter(): number {
    const length = this.#length()
    const outer = this.#end
    this.#end = this.#at + length
    return outer
  }

  leave(outer: number): void {
    this.#end = outer
  }

  /** Returns the tag of a field: its number times eight, plus its wire type. */
  tag(): number {
    const tag = this.uint32()
    if (tag < 8) throw new Error(`expected a field number above 0, got the tag ${tag}`)
    return tag
  }

  /** Skips a field that is not declared. */
  skip(tag: number, depth = 0): void {
    switch (tag & 7) {
      case WIRE_TYPE.varint:
        this.#skipVarint()
        return
      case WIRE_TYPE.fixed64:
        this.#take(8)
        return
      case WIRE_TYPE.bytes:
        this.#take(this.#length())
        return
      case WIRE_TYPE.fixed32:
        this.#take(4)
        return
      case WIRE_TYPE.groupStart:
        this.#skipGroup(tag, depth)
        return
      default:
        throw new Error(`expected a field, got the wire type ${tag & 7}`)
    }
  }

  #skipGroup(tag: number, depth: number): void {
    if (depth >= GROUPS_MAX) throw new Error(`expected at most ${GROUPS_MAX} nested groups, got more`)
    const end = (tag & ~7) >>> 0
    for (;;) {
      const inner = this.tag()
      if ((inner & 7) === WIRE_TYPE.groupEnd) {
        if ((inner & ~7) >>> 0 !== end) throw new Error('expected the end of a group, got that of another')
        return
      }
      this.skip(inner, depth + 1)
    }
  }

  /** Returns the low 32 bits as an unsigned number. */
  uint32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    for (let count = 5; count < VARINT_BYTES_MAX; count++) if (this.#byte() < 0x80) return value >>> 0
    throw tooLong()
  }

  int32(): number {
    return this.uint32() | 0
  }

  sint32(): number {
    const value = this.uint32()
    return (value >>> 1) ^ -(value & 1)
  }

  /** Returns a number when a double is exact, otherwise a bigint, like the other 64-bit methods. */
  uint64(): number | bigint {
    let value = 0
    let scale = 1
    for (let count = 0; count < 7; count++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    let long = BigInt(value)
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      long |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return plain(BigInt.asUintN(64, long))
    }
    throw tooLong()
  }

  int64(): number | bigint {
    const value = this.uint64()
    return typeof value === 'number' ? value : plain(BigInt.asIntN(64, value))
  }

  sint64(): number | bigint {
    const value = this.uint64()
    if (typeof value === 'number') return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    return plain((value >> 1n) ^ -(value & 1n))
  }

  bool(): boolean {
    return this.uint64() !== 0
  }

  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  sfixed32(): number {
    return this.#bytes.readInt32LE(this.#take(4))
  }

  fixed64(): number | bigint {
    return plain(this.#bytes.readBigUInt64LE(this.#take(8)))
  }

  sfixed64(): number | bigint {
    return plain(this.#bytes.readBigInt64LE(this.#take(8)))
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8))
  }

  /** Returns the next length-prefixed bytes, shared and not copied. */
  bytes(): Buffer {
    const start = this.#take(this.#length())
    return this.#bytes.subarray(start, this.#at)
  }

  string(): string {
    const bytes = this.bytes()
    if (!isUtf8(bytes)) throw new Error('expected UTF-8, got invalid bytes')
    return bytes.toString('utf8')
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new Error('expected a number, got the end')
    return this.#bytes[this.#at++] as number
  }

  #skipVarint(): void {
    for (let count = 0; count < VARINT_BYTES_MAX; count++) if (this.#byte() < 0x80) return
    throw tooLong()
  }

  #length(): number {
    const length = this.uint64()
    if (typeof length === 'bigint' || length > this.bytesLeft)
      throw new Error(`expected ${length} more bytes, got ${this.bytesLeft}`)
    return length
  }

  /** Returns the position of the next `count` bytes and moves behind them. */
  #take(count: number): number {
    if (count > this.bytesLeft) throw new Error(`expected ${count} more bytes, got ${this.bytesLeft}`)
    this.#at += count
    return this.#at - count
  }
}

function plain(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function tooLong(): Error {
  return new Error(`expected a number of at most ${VARINT_BYTES_MAX} bytes, got a longer one`)
}
