import type { ByteCodec } from '../../compression/byte-codec.ts'
import { CODEC_NAMES, openCodec, type CodecName } from '../../compression/compression.ts'
import { ENTRY_HEADER_BYTES, MAGIC_AT } from './batch-header.ts'
import { MalformedRecords } from './malformed-records.ts'

/** Holds the loaded codecs of record batches. */
export type RecordCodecs = Readonly<Record<CodecName, ByteCodec>>

const loaded: Partial<Record<CodecName, ByteCodec>> = {}

/** Loads the codecs of record batches; repeated calls are cheap. */
export async function openRecordCodecs(names: readonly CodecName[] = CODEC_NAMES): Promise<RecordCodecs> {
  await Promise.all(names.map(async (name) => (loaded[name] ??= await openCodec(name))))
  return loaded as RecordCodecs
}

/**
 * Returns the codecs that have been loaded once they include those that log entries name. Returns a promise only if one has
 * to be loaded, which takes up to 30 ms of CPU, so that a codec that no batch uses costs nothing.
 */
export function codecsFor(records: Uint8Array): Partial<RecordCodecs> | Promise<Partial<RecordCodecs>> {
  const missing = codecNamesIn(records).filter((name) => loaded[name] === undefined)
  return missing.length === 0 ? loaded : openRecordCodecs(missing)
}

/** Codecs by their number in Kafka's attributes; 0 means uncompressed. */
const NAMES = [undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const
const CODEC_MASK = 0x07
/** Locates the byte of the attributes that holds the codec, in a message of format 0 or 1 and in a batch of format 2. */
const LEGACY_CODEC_AT = 17
const CODEC_AT = 22

/**
 * Returns the codec in the attributes of a batch or message; `undefined` if it is not compressed.
 * @throws MalformedRecords if the codec is unknown
 */
export function recordCodecOf(attributes: number): CodecName | undefined {
  const number = attributes & CODEC_MASK
  if (number >= NAMES.length) throw new MalformedRecords(`expected a codec number from 0 to 4, got ${number}`)
  return NAMES[number]
}

/** Returns the codecs in the headers of the complete log entries, up to the first malformed one. */
function codecNamesIn(records: Uint8Array): readonly CodecName[] {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  let seen = 0
  for (let at = 0; at + CODEC_AT < records.length;) {
    const codecAt = view.getInt8(at + MAGIC_AT) === 2 ? CODEC_AT : LEGACY_CODEC_AT
    seen |= 1 << (view.getUint8(at + codecAt) & CODEC_MASK)
    const length = view.getInt32(at + 8)
    if (length <= 0) break
    at += ENTRY_HEADER_BYTES + length
  }
  return CODEC_NAMES.filter((name) => (seen & (1 << NAMES.indexOf(name))) !== 0)
}
