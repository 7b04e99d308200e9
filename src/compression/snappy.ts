import { compressSync, uncompressSync } from 'snappy'
import type { ByteCodec } from './byte-codec.ts'
import { crc32c } from './crc32c.ts'
import { BoundedBuffer } from './bounded-buffer.ts'

/**
 * Compresses and decompresses Snappy as Kafka clients write it: a bare block, the framing of snappy-java, or the
 * Snappy framing format.
 */
export const snappy: ByteCodec = {
  // librdkafka and the Java client read bare blocks as well as framed ones.
  compress: (bytes) => compressSync(bytes),
  decompress(bytes, bytesMax) {
    if (startsWith(bytes, JAVA_MAGIC)) return readJavaBlocks(bytes, bytesMax)
    if (startsWith(bytes, STREAM_MAGIC)) return readStreamChunks(bytes, bytesMax)
    const output = new BoundedBuffer(bytesMax)
    addBlock(output, bytes)
    return output.bytes()
  },
}

const JAVA_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1')

/** The magic bytes are followed by two version numbers of four bytes each. */
const JAVA_HEADER_BYTES = 16
const STREAM_MAGIC = Buffer.from('\xff\x06\0\0sNaPpY', 'latin1')
const COMPRESSED = 0x00
const PLAIN = 0x01

/** Chunk types from here on may be skipped; unknown types below must not be. */
const SKIPPABLE_MIN = 0x80
const PREAMBLE_BYTES_MAX = 5

function readJavaBlocks(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = viewOf(bytes)
  const output = new BoundedBuffer(bytesMax)
  let at = JAVA_HEADER_BYTES
  while (at < bytes.length) {
    // Concatenated streams repeat the header in the middle.
    if (startsWith(bytes.subarray(at), JAVA_MAGIC)) {
      at += JAVA_HEADER_BYTES
      continue
    }
    if (at + 4 > bytes.length) throw truncatedError()
    const end = at + 4 + view.getUint32(at)
    if (end > bytes.length) throw truncatedError()
    addBlock(output, bytes.subarray(at + 4, end))
    at = end
  }
  if (at > bytes.length) throw truncatedError()
  return output.bytes()
}

function readStreamChunks(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = viewOf(bytes)
  const output = new BoundedBuffer(bytesMax)
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) throw truncatedError()
    const type = bytes[at] as number
    const start = at + 4
    const end = start + (view.getUint32(at, true) >>> 8)
    if (end > bytes.length) throw truncatedError()
    if (type === COMPRESSED || type === PLAIN) {
      if (end < start + 4) throw truncatedError()
      const chunk = bytes.subarray(start + 4, end)
      const from = output.length
      if (type === PLAIN) output.add(chunk)
      else addBlock(output, chunk)
      if (maskChecksum(crc32c(output.bytesAfter(from))) !== view.getUint32(start, true))
        throw new Error('expected snappy, got a chunk with a wrong checksum')
    } else if (type < SKIPPABLE_MIN) {
      throw new Error(`expected snappy, got a chunk of unknown type ${type}`)
    }
    at = end
  }
  return output.bytes()
}

/** Appends one bare block. Its decompressed length precedes it, and the library enforces that length. */
function addBlock(output: BoundedBuffer, block: Uint8Array): void {
  output.reserve(decompressedLengthOf(block))
  output.add(uncompressSync(block, { asBuffer: true }) as Buffer)
}

function decompressedLengthOf(block: Uint8Array): number {
  let length = 0
  for (let at = 0; at < PREAMBLE_BYTES_MAX; at++) {
    const byte = block[at]
    if (byte === undefined) throw truncatedError()
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return length
  }
  throw new Error('expected snappy, got other bytes')
}

/** The format stores a rotated checksum, because a checksum over data that holds checksums is weak. */
function maskChecksum(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.every((byte, at) => bytes[at] === byte)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function truncatedError(): Error {
  return new Error('expected snappy, got truncated bytes')
}
