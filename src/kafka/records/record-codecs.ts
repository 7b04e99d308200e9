import type { ByteCodec } from '../../compression/byte-codec.ts'
import { openCodec, type CodecName } from '../../compression/compression.ts'
import { MalformedRecords } from './malformed-records.ts'

/** Holds the loaded codecs of record batches. */
export type RecordCodecs = Readonly<Record<CodecName, ByteCodec>>

/** Loads the codecs of record batches; repeated calls are cheap. */
export async function openRecordCodecs(): Promise<RecordCodecs> {
  const [gzip, snappy, lz4, zstd] = await Promise.all([
    openCodec('gzip'),
    openCodec('snappy'),
    openCodec('lz4'),
    openCodec('zstd'),
  ])
  return { gzip, snappy, lz4, zstd }
}

/** Codecs by their number in Kafka's attributes; 0 means uncompressed. */
const NAMES = [undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const
const CODEC_MASK = 0x07

/**
 * Returns the codec in the attributes of a batch or message; `undefined` if it is not compressed.
 * @throws MalformedRecords if the codec is unknown
 */
export function recordCodecOf(attributes: number): CodecName | undefined {
  const number = attributes & CODEC_MASK
  if (number >= NAMES.length) throw new MalformedRecords(`expected a codec number from 0 to 4, got ${number}`)
  return NAMES[number]
}
