import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import type { ByteCodec } from './byte-codec.ts'
import { tooLarge } from './output.ts'

/** LZ4 in its frame format. */
export const lz4: ByteCodec = {
  compress: (bytes) => compressFrameSync(bufferOf(bytes)),
  decompress(bytes, bytesMax) {
    // The library decompresses whatever comes; so the length is counted first, at a fraction of the cost.
    if (frameLength(bytes, bytesMax) > bytesMax) throw tooLarge(bytesMax)
    return decompressFrameSync(bufferOf(bytes))
  },
}

const MAGIC = 0x184d2204
const HAS_DICTIONARY = 0x01
const HAS_CONTENT_CHECKSUM = 0x04
const HAS_CONTENT_SIZE = 0x08
const HAS_BLOCK_CHECKSUMS = 0x10
const STORED = 0x8000_0000

/** Bytes that one frame decompresses to; counting ends where they come to more than `bytesMax`. Throws for what is no frame. */
function frameLength(bytes: Uint8Array, bytesMax: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error('expected an LZ4 frame')
  const flags = bytes[4] as number
  if ((flags & HAS_DICTIONARY) !== 0) throw new Error('expected an LZ4 frame that needs no dictionary')
  const checksumBytes = (flags & HAS_BLOCK_CHECKSUMS) === 0 ? 0 : 4
  let at = (flags & HAS_CONTENT_SIZE) === 0 ? 7 : 15
  let length = 0
  while (length <= bytesMax) {
    if (at + 4 > bytes.length) throw cut()
    const field = view.getUint32(at, true)
    at += 4
    if (field === 0) {
      const end = at + ((flags & HAS_CONTENT_CHECKSUM) === 0 ? 0 : 4)
      if (end !== bytes.length)
        throw end > bytes.length ? cut() : new Error('expected one LZ4 frame, got more')
      break
    }
    const stored = field >= STORED
    const end = at + (stored ? field - STORED : field)
    if (end + checksumBytes > bytes.length) throw cut()
    length += stored ? end - at : blockLength(bytes, at, end)
    at = end + checksumBytes
  }
  return length
}

/** Bytes that one block decompresses to: the literals and matches of its sequences. */
function blockLength(bytes: Uint8Array, at: number, end: number): number {
  let length = 0
  while (at < end) {
    const token = bytes[at++] as number
    let literals = token >> 4
    if (literals === 15) {
      let more: number
      do {
        if (at >= end) throw cut()
        more = bytes[at++] as number
        literals += more
      } while (more === 255)
    }
    length += literals
    at += literals
    if (at >= end) break
    // Behind the literals the distance of the match.
    at += 2
    let match = (token & 15) + 4
    if (match === 19) {
      let more: number
      do {
        if (at >= end) throw cut()
        more = bytes[at++] as number
        match += more
      } while (more === 255)
    }
    length += match
  }
  if (at > end) throw cut()
  return length
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function cut(): Error {
  return new Error('expected LZ4, got bytes that end too early')
}
