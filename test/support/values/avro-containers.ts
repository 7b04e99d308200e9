import { deflateRawSync } from 'node:zlib'
import { compressSync } from 'snappy'
import { openCodec } from '../../../src/compression/compression.ts'
import { crc32 } from '@node-rs/crc32'

/** A count or a length as Avro writes it. */
export function longOf(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const framed = (bytes: Uint8Array): Buffer => Buffer.concat([longOf(bytes.length), bytes])
const zstd = await openCodec('zstd')

/** Codecs by their names in containers, as others write them. */
export const BLOCK_CODECS: Readonly<Record<string, (bytes: Buffer) => Uint8Array>> = {
  null: (bytes) => bytes,
  deflate: (bytes) => deflateRawSync(bytes),
  snappy: (bytes) => {
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32BE(crc32(bytes))
    return Buffer.concat([compressSync(bytes), checksum])
  },
  zstandard: (bytes) => zstd.compress(bytes),
}

/** The marker between blocks. */
export const SYNC = Buffer.from('0123456789abcdef')

/** The start of a container. */
export function headerOf(schema: unknown, codec = 'null'): Buffer {
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    longOf(2),
    framed(Buffer.from('avro.schema')),
    framed(Buffer.from(JSON.stringify(schema))),
    framed(Buffer.from('avro.codec')),
    framed(Buffer.from(codec)),
    longOf(0),
    SYNC,
  ])
}

/** A block of records, which may claim to be more or fewer. */
export function blockOf(records: readonly Uint8Array[], codec = 'null', count = records.length): Buffer {
  const compress = BLOCK_CODECS[codec]
  if (compress === undefined) throw new Error(`no codec ${codec}`)
  return Buffer.concat([longOf(count), framed(compress(Buffer.concat(records))), SYNC])
}

/** A container with these blocks of records. */
export function containerOf(
  schema: unknown,
  blocks: readonly (readonly Uint8Array[])[],
  codec = 'null',
): Buffer {
  return Buffer.concat([headerOf(schema, codec), ...blocks.map((records) => blockOf(records, codec))])
}
