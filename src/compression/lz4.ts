import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import type { ByteCodec } from './byte-codec.ts'
import { tooLargeError } from './bounded-buffer.ts'

/** Compresses and decompresses LZ4 in its frame format. */
export const lz4: ByteCodec = {
  compress: (bytes) => compressFrameSync(bufferOf(bytes)),
  decompress(bytes, bytesMax) {
    // The library has no limit for its output, so the length is computed first, at a fraction of the cost.
    if (frameLength(bytes, bytesMax) > bytesMax) throw tooLargeError(bytesMax)
    return decompressFrameSync(bufferOf(bytes))
  },
}

const MAGIC = 0x184d2204
const HAS_DICTIONARY = 0x01
const HAS_CONTENT_CHECKSUM = 0x04
const HAS_CONTENT_SIZE = 0x08
const HAS_BLOCK_CHECKSUMS = 0x10
const STORED = 0x8000_0000

/**
 * Returns the decompressed length of one frame in bytes. Stops counting once it exceeds `bytesMax`. Throws when the
 * bytes are not a single LZ4 frame.
 */
function frameLength(bytes: Uint8Array, bytesMax: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error('expected an LZ4 frame')
  const flags = bytes[4] as number
  if ((flags & HAS_DICTIONARY) !== 0) throw new Error('expected an LZ4 frame that needs no dictionary')
  const checksumBytes = (flags & HAS_BLOCK_CHECKSUMS) === 0 ? 0 : 4
  let at = (flags & HAS_CONTENT_SIZE) === 0 ? 7 : 15
  let length = 0
  while (length <= bytesMax) {
    if (at + 4 > bytes.length) throw truncatedError()
    const field = view.getUint32(at, true)
    at += 4
    if (field === 0) {
      const end = at + ((flags & HAS_CONTENT_CHECKSUM) === 0 ? 0 : 4)
      if (end !== bytes.length)
        throw end > bytes.length ? truncatedError() : new Error('expected one LZ4 frame, got more')
      break
    }
    const stored = field >= STORED
    const end = at + (stored ? field - STORED : field)
    if (end + checksumBytes > bytes.length) throw truncatedError()
    length += stored ? end - at : blockLength(bytes, at, end)
    at = end + checksumBytes
  }
  return length
}

/** Returns the decompressed length of one block in bytes, from the literals and matches of its sequences. */
function blockLength(bytes: Uint8Array, at: number, end: number): number {
  let length = 0
  while (at < end) {
    const token = bytes[at++] as number
    let literals = token >> 4
    if (literals === 15) {
      let more: number
      do {
        if (at >= end) throw truncatedError()
        more = bytes[at++] as number
        literals += more
      } while (more === 255)
    }
    length += literals
    at += literals
    if (at >= end) break
    // The match offset follows the literals.
    at += 2
    let match = (token & 15) + 4
    if (match === 19) {
      let more: number
      do {
        if (at >= end) throw truncatedError()
        more = bytes[at++] as number
        match += more
      } while (more === 255)
    }
    length += match
  }
  if (at > end) throw truncatedError()
  return length
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function truncatedError(): Error {
  return new Error('expected LZ4, got truncated bytes')
}
