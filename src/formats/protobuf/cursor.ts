import { narrowInteger } from '../../core/exact.ts'
import { ByteCursor, decodeZigzag } from '../byte-cursor.ts'

/** Names the wire types: the encoding of a field, which the last three bits of its tag hold. */
export const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

/** Limits the depth of nested messages, as far as Protobuf's own libraries read them. */
export const MESSAGES_DEPTH_MAX = 100
/** Limits the depth of nested groups that can be skipped. */
export const GROUPS_MAX = 100
/**
 * Limits the values in one record, including the defaults of absent fields: a few bytes could otherwise ask for
 * billions.
 */
export const VALUES_MAX = 5_000_000
const VARINT_BYTES_MAX = 10

/**
 * Reads the bytes of one Protobuf message in sequence. Never reads beyond the end of the message, or of the part that was
 * entered last: every method throws there.
 */
export class ProtoCursor extends ByteCursor {
  /** Number of fields so far that no message declares. */
  unknownFields = 0
  #values = 0
  #depth = 0

  /** Enters a message within another. Throws when they nest too deeply, which only recursive ones can. */
  descend(): void {
    if (++this.#depth > MESSAGES_DEPTH_MAX)
      throw new Error(`expected at most ${MESSAGES_DEPTH_MAX} nested messages, got more`)
  }

  ascend(): void {
    this.#depth--
  }

  /** Counts `count` more values. Throws when the record exceeds its limit. */
  countValues(count: number): void {
    this.#values += count
    if (this.#values > VALUES_MAX) throw new Error(`expected at most ${VALUES_MAX} values, got more`)
  }

  /** Enters a length-prefixed part. The result is passed to `leave`. */
  enter(): number {
    const length = this.#length()
    const outer = this.end
    this.end = this.at + length
    return outer
  }

  leave(outer: number): void {
    this.end = outer
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
        this.advance(8)
        return
      case WIRE_TYPE.bytes:
        this.advance(this.#length())
        return
      case WIRE_TYPE.fixed32:
        this.advance(4)
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
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    for (let count = 5; count < VARINT_BYTES_MAX; count++) if (this.byte() < 0x80) return value >>> 0
    throw this.tooLong()
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
    const value = this.varint()
    return typeof value === 'number' ? value : narrowInteger(BigInt.asUintN(64, value))
  }

  int64(): number | bigint {
    const value = this.uint64()
    return typeof value === 'number' ? value : narrowInteger(BigInt.asIntN(64, value))
  }

  sint64(): number | bigint {
    return decodeZigzag(this.uint64())
  }

  bool(): boolean {
    return this.uint64() !== 0
  }

  fixed32(): number {
    return this.source.readUInt32LE(this.advance(4))
  }

  sfixed32(): number {
    return this.source.readInt32LE(this.advance(4))
  }

  fixed64(): number | bigint {
    return narrowInteger(this.source.readBigUInt64LE(this.advance(8)))
  }

  sfixed64(): number | bigint {
    return narrowInteger(this.source.readBigInt64LE(this.advance(8)))
  }

  override bytes(): Buffer {
    const start = this.advance(this.#length())
    return this.source.subarray(start, this.at)
  }

  protected override tooLong(): Error {
    return new Error(`expected a number of at most ${VARINT_BYTES_MAX} bytes, got a longer one`)
  }

  #skipVarint(): void {
    for (let count = 0; count < VARINT_BYTES_MAX; count++) if (this.byte() < 0x80) return
    throw this.tooLong()
  }

  #length(): number {
    const length = this.uint64()
    if (typeof length === 'bigint' || length > this.bytesLeft)
      throw new Error(`expected ${length} more bytes, got ${this.bytesLeft}`)
    return length
  }
}
