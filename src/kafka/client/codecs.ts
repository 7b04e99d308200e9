import kafkajs from 'kafkajs'
import { openCodec } from '../../compression/compression.ts'

/** Kafka's numbers of the codecs that kafkajs lacks; gzip it brings itself. */
const LACKING = { snappy: 2, lz4: 3, zstd: 4 } as const
/** Bytes that one record batch may come to; brokers take batches of 1 MiB, compressed, unless told otherwise. */
const BATCH_BYTES_MAX = 256 * 1024 * 1024

/** Makes record batches of all of Kafka's codecs readable to every client of this process. A second call changes nothing. */
export function registerCodecs(): void {
  const codecs = kafkajs.CompressionCodecs as Record<number, unknown>
  for (const name of ['snappy', 'lz4', 'zstd'] as const) {
    codecs[LACKING[name]] = () => ({
      // kafkajs hands over its own encoder, whose bytes are in `buffer`.
      compress: async ({ buffer }: { buffer: Buffer }) => bufferOf((await openCodec(name)).compress(buffer)),
      decompress: async (bytes: Buffer) =>
        bufferOf((await openCodec(name)).decompress(bytes, BATCH_BYTES_MAX)),
    })
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
