import { gzipSync, gunzipSync } from 'node:zlib'
import { tooLargeError } from './bounded-buffer.ts'
import { openZstd } from './zstd.ts'
import type { ByteCodec } from './byte-codec.ts'

/** Names the four codecs of Kafka. They apply to record batches and to single values. */
export type CodecName = 'gzip' | 'snappy' | 'lz4' | 'zstd'

const CODEC_LOADERS: Readonly<Record<CodecName, () => Promise<ByteCodec>>> = {
  gzip: () => Promise.resolve(gzip),
  // Loading the native code of either takes 17 ms of CPU.
  snappy: async () => (await import('./snappy.ts')).snappy,
  lz4: async () => (await import('./lz4.ts')).lz4,
  zstd: openZstd,
}

/** Lists the names of all codecs in the order of Kafka's codec ids. */
export const CODEC_NAMES: readonly CodecName[] = ['gzip', 'snappy', 'lz4', 'zstd']

/** Returns the codec of that name, ready for use. It is loaded once per process. */
export function openCodec(name: CodecName): Promise<ByteCodec> {
  return CODEC_LOADERS[name]()
}

/**
 * Returns the codec whose magic bytes `bytes` begin with, or `undefined` when there is no match. Snappy without
 * framing has no magic bytes and is never detected.
 */
export function codecOf(bytes: Uint8Array): CodecName | undefined {
  return MAGIC_BYTES.find(([magic]) => magic.every((byte, at) => bytes[at] === byte))?.[1]
}

const MAGIC_BYTES: readonly (readonly [readonly number[], CodecName])[] = [
  [[0x1f, 0x8b, 0x08], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  // The header of snappy-java, then the stream identifier of the Snappy framing format.
  [[0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00], 'snappy'],
  [[0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59], 'snappy'],
]

const gzip: ByteCodec = {
  compress: (bytes) => gzipSync(bytes),
  decompress(bytes, bytesMax) {
    try {
      return gunzipSync(bytes, { maxOutputLength: bytesMax })
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLargeError(bytesMax) : error
    }
  },
}
