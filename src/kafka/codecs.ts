import kafkajs from 'kafkajs'

/** Compression codecs of Kafka record batches; gzip works without registration. */
export type CodecName = 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Turns one record batch's bytes into compressed ones and back. */
export interface Codec {
  compress(bytes: Uint8Array): Promise<Uint8Array>
  decompress(bytes: Uint8Array): Promise<Uint8Array>
}

const TYPES: Readonly<Record<CodecName, number>> = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Makes a codec known to every client of this process; the latest registration of a name holds. */
export function registerCodec(name: CodecName, codec: Codec): void {
  const codecs = kafkajs.CompressionCodecs as Record<number, () => unknown>
  codecs[TYPES[name]] = () => ({
    // kafkajs hands over its own encoder, whose bytes are in `buffer`.
    compress: async (encoder: { buffer: Buffer }) => Buffer.from(await codec.compress(encoder.buffer)),
    decompress: async (bytes: Buffer) => Buffer.from(await codec.decompress(bytes)),
  })
}

/** The codec that an error of kafkajs complains about, or `undefined` when the error is about something else. */
export function missingCodec(message: string): CodecName | undefined {
  const match = /(gzip|snappy|lz4|zstd) compression not implemented/i.exec(message)
  return match?.[1]?.toLowerCase() as CodecName | undefined
}
