import * as zlib from 'node:zlib'
import { tooLargeError } from './bounded-buffer.ts'
import type { ByteCodec } from './byte-codec.ts'
import { zstdContentSizeOf } from './zstd-frame.ts'

/** The functions of `node:zlib` that Node has since 22.15. */
interface BuiltInZstd {
  zstdCompressSync(bytes: Uint8Array, options?: { readonly params: Readonly<Record<number, number>> }): Buffer
  zstdDecompressSync(
    bytes: Uint8Array,
    options: { readonly maxOutputLength: number; readonly chunkSize: number; readonly info: true },
  ): { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
}

/** Bytes that are decompressed at once when a frame does not declare its content size. */
const CHUNK_BYTES = 256 * 1024
/** The lowest level, by the id of the parameter: `ZSTD_c_compressionLevel`. */
const FAST = { 100: 1 } as const
/** Node refuses smaller pieces. */
const CHUNK_BYTES_MIN = 64
/** Larger pieces are not faster, and the sender of a frame declares its content size. */
const CHUNK_BYTES_MAX = 4 * 1024 * 1024

/** Returns the Zstandard codec that is built into Node, or `undefined` in a Node before 22.15. */
export function builtInZstd(): ByteCodec | undefined {
  const built = zlib as unknown as Partial<BuiltInZstd>
  const { zstdCompressSync, zstdDecompressSync } = built
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined
  return {
    compress: (bytes, speed) =>
      speed === 'fast' ? zstdCompressSync(bytes, { params: FAST }) : zstdCompressSync(bytes),
    decompress(bytes, bytesMax) {
      const size = zstdContentSizeOf(bytes)
      if (size !== undefined && size > bytesMax) throw tooLargeError(bytesMax)
      const chunkSize = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, size ?? CHUNK_BYTES))
      let result: ReturnType<BuiltInZstd['zstdDecompressSync']>
      try {
        const maxOutputLength = Math.max(1, bytesMax)
        result = zstdDecompressSync(bytes, { maxOutputLength, chunkSize, info: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLargeError(bytesMax)
        throw new Error('expected Zstandard, got damaged or truncated bytes', { cause: error })
      }
      const { buffer, engine } = result
      // Node stops at the first byte that begins no frame, and says nothing.
      if (engine.bytesWritten !== bytes.length)
        throw new Error('expected one Zstandard frame, got more bytes')
      if (size !== undefined && buffer.length < size)
        throw new Error('expected Zstandard, got truncated bytes')
      if (buffer.length > (size ?? bytesMax)) throw new Error('expected one Zstandard frame, got several')
      return buffer
    },
  }
}
