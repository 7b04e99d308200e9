import { PipelineError } from '../../core/errors.ts'

const FIRST_BYTES = 512
/** Limits the size of a request to the default of brokers (`socket.request.max.bytes`). */
export const REQUEST_BYTES_MAX = 100 * 1024 * 1024

/** Bytes from this size on are not copied: sending record batches took a fifth more CPU with their copies. */
const SHARED_BYTES_MIN = 32 * 1024

/**
 * Writes the primitive types of Kafka's protocol in big endian into a buffer that grows.
 * @throws KD_SOURCE_FAILED if the message exceeds `REQUEST_BYTES_MAX`
 */
export class WireWriter {
  #bytes: Buffer
  #at = 0
  /** Large bytes that are not copied, each with the number of bytes written before it. */
  readonly #shared: { readonly before: number; readonly bytes: Uint8Array }[] = []
  #sharedLength = 0

  constructor(bytes = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(bytes)
  }

  /** Number of bytes written. */
  get length(): number {
    return this.#at + this.#sharedLength
  }

  /** Returns the bytes written so far; shares the internal buffer, unless there are large bytes. */
  toBuffer(): Buffer {
    return this.#shared.length === 0 ? this.#bytes.subarray(0, this.#at) : Buffer.concat(this.toBuffers())
  }

  /** Returns the bytes written so far in parts, without copying any. */
  toBuffers(): readonly Uint8Array[] {
    const parts: Uint8Array[] = []
    let from = 0
    for (const { before, bytes } of this.#shared) {
      if (before > from) parts.push(this.#bytes.subarray(from, before))
      parts.push(bytes)
      from = before
    }
    if (this.#at > from || parts.length === 0) parts.push(this.#bytes.subarray(from, this.#at))
    return parts
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

  /** Writes bytes; large ones are not copied and must not change until the message has been sent. */
  raw(bytes: Uint8Array): void {
    if (bytes.length >= SHARED_BYTES_MIN) {
      if (this.length + bytes.length > REQUEST_BYTES_MAX) throw tooLongError()
      this.#shared.push({ before: this.#at, bytes })
      this.#sharedLength += bytes.length
      return
    }
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Overwrites four bytes that were written before the first large bytes. */
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
    if (to + this.#sharedLength > REQUEST_BYTES_MAX) throw tooLongError()
    if (to > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(REQUEST_BYTES_MAX, Math.max(to, 2 * this.#bytes.length)))
      this.#bytes.copy(grown, 0, 0, from)
      this.#bytes = grown
    }
    this.#at = to
    return from
  }
}

function tooLongError(): PipelineError {
  return unwritableMessageError(`expected at most ${REQUEST_BYTES_MAX} bytes, got more`)
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
