import { PipelineError } from '../../core/errors.ts'

const FIRST_BYTES = 512
/** Limits the size of a request to the default of brokers (`socket.request.max.bytes`). */
export const REQUEST_BYTES_MAX = 100 * 1024 * 1024

/**
 * Writes the primitive types of Kafka's protocol in big endian into a buffer that grows.
 * @throws KD_SOURCE_FAILED if the message exceeds `REQUEST_BYTES_MAX`
 */
export class WireWriter {
  #bytes: Buffer
  #at = 0

  constructor(bytes = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(bytes)
  }

  /** Number of bytes written. */
  get length(): number {
    return this.#at
  }

  /** Returns the bytes written so far; shares the internal buffer. */
  toBuffer(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#reserve(1)
    this.#bytes.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#reserve(2)
    this.#bytes.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#bytes.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    this.#bytes.writeInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#reserve(8)
    this.#bytes.writeBigInt64BE(value, at)
  }

  /** Writes an unsigned 32-bit integer in groups of seven bits, lowest first. */
  uvarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) + 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#byte(rest)
  }

  /** Writes 32 hex digits as 16 bytes. */
  uuid(value: string): void {
    if (!/^[0-9a-f]{32}$/i.test(value))
      throw unwritableMessageError(`expected 32 hex digits for a uuid, got ${JSON.stringify(value)}`)
    const at = this.#reserve(16)
    this.#bytes.write(value, at, 'hex')
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Overwrites four bytes that were written before. */
  setInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value, at)
  }

  #byte(value: number): void {
    // Reserve first, because this may replace the buffer.
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  #reserve(length: number): number {
    const from = this.#at
    const to = from + length
    if (to > this.#bytes.length) {
      if (to > REQUEST_BYTES_MAX)
        throw unwritableMessageError(`expected at most ${REQUEST_BYTES_MAX} bytes, got more`)
      const grown = Buffer.allocUnsafe(Math.min(REQUEST_BYTES_MAX, Math.max(to, 2 * this.#bytes.length)))
      this.#bytes.copy(grown, 0, 0, from)
      this.#bytes = grown
    }
    this.#at = to
    return from
  }
}

/** Returns the error for a message that cannot be encoded; it is not retryable. */
export function unwritableMessageError(detail: string): PipelineError {
  return new PipelineError(
    'KD_SOURCE_FAILED',
    `a message of Kafka's protocol cannot be written: ${detail}`,
    {},
    {
      retryable: false,
    },
  )
}
