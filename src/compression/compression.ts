import { gzipSync, gunzipSync } from 'node:zlib'
import { lz4 } from './lz4.ts'
import { tooLarge } from './output.ts'
import { snappy } from './snappy.ts'
import { openZstd } from './zstd.ts'
import type { ByteCodec } from './byte-codec.ts'

/** The four codecs of Kafka, for record batches and for single values. */
export type CodecName = 'gzip' | 'snappy' | 'lz4' | 'zstd'

const OPENERS: Readonly<Record<CodecName, () => Promise<ByteCodec>>> = {
  gzip: () => Promise.resolve(gzip),
  snappy: () => Promise.resolve(snappy),
  lz4: () => Promise.resolve(lz4),
  zstd: openZstd,
}

/** Every codec's name, in the order of Kafka's own numbers. */
export const CODEC_NAMES: readonly CodecName[] = ['gzip', 'snappy', 'lz4', 'zstd']

/** The codec of that name, ready for use; loaded once for the process. */
export function openCodec(name: CodecName): Promise<ByteCodec> {
  return OPENERS[name]()
}

/**
 * Which codec the first bytes speak of, `undefined` where none does. Snappy without a frame has no mark and is never
 * found this way.
 */
export function codecOf(bytes: Uint8Array): CodecName | undefined {
  return MARKS.find(([mark]) => mark.every((byte, at) => bytes[at] === byte))?.[1]
}

const MARKS: readonly (readonly [readonly number[], CodecName])[] = [
  [[0x1f, 0x8b, 0x08], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  // As Java frames it, and as the format's own description does.
  [[0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00], 'snappy'],
  [[0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59], 'snappy'],
]

const gzip: ByteCodec = {
  compress: (bytes) => gzipSync(bytes),
  decompress(bytes, bytesMax) {
    try {
      return gunzipSync(bytes, { maxOutputLength: bytesMax })
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(bytesMax) : error
    }
  },
}
