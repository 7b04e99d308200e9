import { PipelineError } from '../../core/errors.ts'

/**
 * Limits the number of structures (topics, partitions, brokers, …) in one message. The smallest structure takes 6
 * bytes on the wire and about 100 in memory, so a faulty peer could otherwise exhaust memory with a small message.
 */
export const STRUCTURES_MAX = 250_000

const VARINT_BYTES_MAX = 5

/**
 * Reads the primitive types of Kafka's protocol from the bytes of one message, in big endian. Never reads beyond the
 * end, and allocates nothing for a length or count that exceeds the remaining bytes.
 * @throws KD_SOURCE_FAILED if the bytes are malformed
 */
export class WireReader {
  readonly bytes: Buffer
  /** Position of the next byte. */
  at = 0
  /** Position at which reading ends: the end of the message, or of a tagged field in it. */
  end: number
  #structures = 0

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.byteLength
  }

  bool(): boolean {
    return this.bytes[this.#take(1)] !== 0
  }

  int8(): number {
    return this.bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#take(2))
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.#take(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.bytes.readBigInt64BE(this.#take(8))
  }

  /** Reads an unsigned 32-bit integer stored as groups of seven bits, lowest first. */
  uvarint(): number {
    let value = 0
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.bytes[this.#take(1)] as number
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw malformedMessageError(`expected a varint of 32 bits before byte ${this.at}, got a longer one`)
  }

  /** Reads 16 bytes as hex digits. */
  uuid(): string {
    const from = this.#take(16)
    return this.bytes.toString('hex', from, from + 16)
  }

  text(length: number): string {
    if (length === 0) return ''
    const from = this.#take(length)
    return this.bytes.toString('utf8', from, from + length)
  }

  /** Reads bytes; the result shares the message's buffer. */
  slice(length: number): Uint8Array {
    const from = this.#take(length)
    return this.bytes.subarray(from, from + length)
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** Checks that `count` elements of at least `bytesMin` bytes fit in the remaining bytes; returns the count. */
  checkCount(count: number, bytesMin: number): number {
    if (count * bytesMin > this.end - this.at) {
      const left = this.end - this.at
      throw malformedMessageError(`expected ${count} elements at byte ${this.at}, got only ${left} bytes`)
    }
    return count
  }

  /** Counts a structure against `STRUCTURES_MAX`. */
  countStructure(): void {
    if (++this.#structures > STRUCTURES_MAX) {
      throw malformedMessageError(`expected at most ${STRUCTURES_MAX} structures, got more`)
    }
  }

  #take(length: number): number {
    const from = this.at
    if (length > this.end - from) {
      throw malformedMessageError(`expected ${length} bytes at byte ${from}, got ${this.end - from}`)
    }
    this.at = from + length
    return from
  }
}

/** Returns the error for bytes that are not a valid message of the expected version. */
export function malformedMessageError(detail: string): PipelineError {
  return new PipelineError('KD_SOURCE_FAILED', `a message of Kafka's protocol is malformed: ${detail}`)
}
