import { openCodec } from '../../compression/compression.ts'

/** Kafka's numbers of the codecs that kafkajs does not include; it includes gzip. */
const LACKING = { snappy: 2, lz4: 3, zstd: 4 } as const
/** Maximum decompressed size of a record batch; brokers accept compressed batches of 1 MiB by default. */
const BATCH_BYTES_MAX = 256 * 1024 * 1024

/** Adds to `codecs`, which every kafkajs client of the process uses, those that kafkajs does not include. Further calls change nothing. */
export function registerCodecs(codecs: Record<number, unknown>): void {
  for (const name of ['snappy', 'lz4', 'zstd'] as const) {
    codecs[LACKING[name]] = () => ({
      // kafkajs passes its own encoder, whose bytes are in `buffer`.
      compress: async ({ buffer }: { buffer: Buffer }) => bufferOf((await openCodec(name)).compress(buffer)),
      decompress: async (bytes: Buffer) =>
        bufferOf((await openCodec(name)).decompress(bytes, BATCH_BYTES_MAX)),
    })
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
