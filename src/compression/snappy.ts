import { compressSync, uncompressSync } from 'snappy'
import type { ByteCodec } from './byte-codec.ts'
import { crc32c } from './crc32c.ts'
import { Output } from './output.ts'

/** Snappy as Kafka's clients write it: bare, in the frame of Java's library, or in the frame of the format's description. */
export const snappy: ByteCodec = {
  // librdkafka and the Java client read bare blocks as well as framed ones.
  compress: (bytes) => compressSync(bytes),
  decompress(bytes, bytesMax) {
    if (startsWith(bytes, JAVA_MARK)) return javaBlocks(bytes, bytesMax)
    if (startsWith(bytes, STREAM_MARK)) return streamChunks(bytes, bytesMax)
    const output = new Output(bytesMax)
    addBlock(output, bytes)
    return output.bytes()
  },
}

const JAVA_MARK = Buffer.from('\x82SNAPPY\0', 'latin1')

/** Behind the mark two version numbers of four bytes. */
const JAVA_HEADER_BYTES = 16
const STREAM_MARK = Buffer.from('\xff\x06\0\0sNaPpY', 'latin1')
const COMPRESSED = 0x00
const PLAIN = 0x01

/** Types of chunks from here on may be skipped, those below may not. */
const SKIPPABLE_MIN = 0x80
const PREAMBLE_BYTES_MAX = 5

function javaBlocks(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = viewOf(bytes)
  const output = new Output(bytesMax)
  let at = JAVA_HEADER_BYTES
  while (at < bytes.length) {
    // Streams that were joined carry their marks in between.
    if (startsWith(bytes.subarray(at), JAVA_MARK)) {
      at += JAVA_HEADER_BYTES
      continue
    }
    if (at + 4 > bytes.length) throw cut()
    const end = at + 4 + view.getUint32(at)
    if (end > bytes.length) throw cut()
    addBlock(output, bytes.subarray(at + 4, end))
    at = end
  }
  if (at > bytes.length) throw cut()
  return output.bytes()
}

function streamChunks(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = viewOf(bytes)
  const output = new Output(bytesMax)
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) throw cut()
    const type = bytes[at] as number
    const start = at + 4
    const end = start + (view.getUint32(at, true) >>> 8)
    if (end > bytes.length) throw cut()
    if (type === COMPRESSED || type === PLAIN) {
      if (end < start + 4) throw cut()
      const chunk = bytes.subarray(start + 4, end)
      const from = output.length
      if (type === PLAIN) output.add(chunk)
      else addBlock(output, chunk)
      if (masked(crc32c(output.since(from))) !== view.getUint32(start, true))
        throw new Error('expected snappy, got a chunk with a wrong checksum')
    } else if (type < SKIPPABLE_MIN) {
      throw new Error(`expected snappy, got a chunk of the unknown type ${type}`)
    }
    at = end
  }
  return output.bytes()
}

/** One bare block; its length after decompression stands in front of it, and the library holds the block to it. */
function addBlock(output: Output, block: Uint8Array): void {
  output.expect(lengthOf(block))
  output.add(uncompressSync(block, { asBuffer: true }) as Buffer)
}

function lengthOf(block: Uint8Array): number {
  let length = 0
  for (let at = 0; at < PREAMBLE_BYTES_MAX; at++) {
    const byte = block[at]
    if (byte === undefined) throw cut()
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return length
  }
  throw new Error('expected snappy, got bytes that are none')
}

/** Checksums of checksums are weak, so the format turns and shifts them. */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0
}

function startsWith(bytes: Uint8Array, mark: Uint8Array): boolean {
  return bytes.length >= mark.length && mark.every((byte, at) => bytes[at] === byte)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function cut(): Error {
  return new Error('expected snappy, got bytes that end too early')
}
