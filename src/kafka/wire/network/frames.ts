import { malformedMessageError } from '../wire-reader.ts'
import { isTlsRecord, wantsTlsError } from './tls-record.ts'

const LENGTH_BYTES = 4
/** Frames up to this size are allocated in Node's pool of small buffers. */
const POOLED_BYTES_MAX = 2_048

/**
 * Splits a stream of bytes into frames: four bytes of length, then the message. A frame that is contained in one chunk
 * shares its memory, unless the chunk is lent; other frames are assembled in a buffer of their own.
 */
export class FrameAssembler {
  readonly #bytesMax: number
  readonly #take: (frame: Buffer) => void
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  #lengthBytes = 0
  #frame: Buffer | undefined
  #filled = 0

  /** Creates an assembler that refuses frames larger than `bytesMax` and passes each frame to `take`, in order. */
  constructor(bytesMax: number, take: (frame: Buffer) => void) {
    this.#bytesMax = bytesMax
    this.#take = take
  }

  /**
   * Processes the next bytes. The owner of a lent chunk reuses it, so its bytes are copied. Throws an error with the
   * code `ERR_PEER_WANTS_TLS` if the bytes are a TLS record.
   * @throws KD_SOURCE_FAILED if a length is negative or above the maximum
   */
  push(chunk: Buffer, isLent = false): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame !== undefined) at += this.#fill(this.#frame, chunk, at)
      else if (this.#lengthBytes < LENGTH_BYTES) {
        this.#length[this.#lengthBytes++] = chunk[at++] as number
        if (this.#lengthBytes === LENGTH_BYTES) at += this.#begin(chunk, at, isLent)
      }
    }
  }

  /** The part of an incomplete frame that has no bytes yet; `undefined` between frames. A socket may read into it. */
  get unfilled(): Buffer | undefined {
    return this.#frame?.subarray(this.#filled)
  }

  /** Processes bytes that were read into the start of `unfilled`. */
  advance(bytes: number): void {
    const frame = this.#frame
    if (frame !== undefined) this.#passIfFull(frame, bytes)
  }

  /** Starts a frame; returns the number of bytes consumed from the chunk. */
  #begin(chunk: Buffer, at: number, isLent: boolean): number {
    const length = this.#length.readInt32BE(0)
    this.#lengthBytes = 0
    if (isTlsRecord(this.#length)) throw wantsTlsError()
    if (length < 0 || length > this.#bytesMax) {
      throw malformedMessageError(`expected a length of at most ${this.#bytesMax} bytes, got ${length}`)
    }
    if (length === 0 || (!isLent && chunk.length - at >= length)) {
      this.#take(chunk.subarray(at, at + length))
      return length
    }
    // Pages of a large buffer are not touched before bytes arrive, so a false length costs no physical memory.
    this.#frame = length <= POOLED_BYTES_MAX ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length)
    this.#filled = 0
    return 0
  }

  #fill(frame: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(frame, this.#filled, at)
    this.#passIfFull(frame, copied)
    return copied
  }

  #passIfFull(frame: Buffer, added: number): void {
    this.#filled += added
    if (this.#filled < frame.length) return
    this.#frame = undefined
    this.#take(frame)
  }
}
