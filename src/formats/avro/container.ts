import { crc32 } from '@node-rs/crc32'
import { inflateRawSync } from 'node:zlib'
import { openCodec } from '../../compression/compression.ts'
import { tooLargeError } from '../../compression/bounded-buffer.ts'
import { AvroCursor } from './cursor.ts'

/** The magic bytes of an Avro object container file. */
const CONTAINER_MAGIC = Buffer.from('Obj\x01', 'latin1')
const SYNC_BYTES = 16
/** Codecs of the Avro specification that are not supported. */
const UNSUPPORTED_CODECS: ReadonlySet<string> = new Set(['bzip2', 'xz', 'lzma'])

/** Decompresses one block. Throws when it is damaged, or decompresses to more than `bytesMax`. */
export type BlockCodec = (bytes: Uint8Array, bytesMax: number) => Uint8Array

/** Holds the header of a container. Avro specification: "Object Container Files". */
export interface ContainerHeader {
  /** The JSON of the writer's schema. */
  readonly schema: Buffer
  readonly codec: string
  readonly sync: Buffer
  /** Position of the first block. */
  readonly end: number
}

/** Holds one block, still compressed. */
interface ContainerBlock {
  readonly records: number
  readonly bytes: Uint8Array
  /** Position of the next block. */
  readonly end: number
}

/** Returns the codecs by their Avro names, ready for use. */
export async function openBlockCodecs(): Promise<ReadonlyMap<string, BlockCodec>> {
  const [snappy, zstd] = await Promise.all([openCodec('snappy'), openCodec('zstd')])
  return new Map<string, BlockCodec>([
    ['null', (bytes) => bytes],
    ['deflate', inflate],
    [
      'snappy',
      (bytes, bytesMax) => {
        if (bytes.length < 4) throw new Error('expected snappy and its checksum, got the end')
        const plain = snappy.decompress(bytes.subarray(0, -4), bytesMax)
        const checksum = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(
          bytes.length - 4,
        )
        if (crc32(plain) !== checksum) throw new Error('expected the checksum of the block, got another')
        return plain
      },
    ],
    ['zstandard', (bytes, bytesMax) => zstd.decompress(bytes, bytesMax)],
  ])
}

function inflate(bytes: Uint8Array, bytesMax: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(1, bytesMax) })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLargeError(bytesMax) : error
  }
}

/** Returns the codec of a container. Throws when it is not supported. */
export function blockCodecOf(codecs: ReadonlyMap<string, BlockCodec>, name: string): BlockCodec {
  const codec = codecs.get(name)
  if (codec !== undefined) return codec
  const known = [...codecs.keys()].join(', ')
  const what = UNSUPPORTED_CODECS.has(name)
    ? `${name}, which is not supported`
    : JSON.stringify(name.slice(0, 40))
  throw new Error(`expected a container with the codec ${known}, got ${what}`)
}

/** Returns true when a value begins with the magic bytes of a container. */
export function isContainer(value: Uint8Array): boolean {
  return value[0] === 0x4f && value[1] === 0x62 && value[2] === 0x6a && value[3] === 0x01
}

/** Reads the header. Throws when the value has no valid header. */
export function readContainerHeader(value: Uint8Array): ContainerHeader {
  if (!isContainer(value)) throw new Error('expected the magic bytes of an Avro container, got none')
  const cursor = new AvroCursor(value, CONTAINER_MAGIC.length)
  const entries = new Map<string, Buffer>()
  for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
    cursor.checkItemCount(count, 2, 'metadata of a container')
    while (count-- > 0) {
      const key = cursor.string()
      entries.set(key, cursor.bytes())
    }
  }
  const sync = cursor.take(SYNC_BYTES)
  const schema = entries.get('avro.schema')
  if (schema === undefined) throw new Error('expected a schema in the container, got none')
  const codec = entries.get('avro.codec')?.toString('latin1') ?? 'null'
  return { schema, codec, sync, end: value.length - cursor.bytesLeft }
}

/**
 * Reads the block at position `at`. Throws when it is truncated, or its sync marker differs from that of the header.
 */
export function readContainerBlock(value: Uint8Array, at: number, { sync }: ContainerHeader): ContainerBlock {
  const cursor = new AvroCursor(value, at)
  const records = cursor.long()
  if (typeof records === 'bigint' || records < 0)
    throw new Error(`expected a block of records, got ${records}`)
  const bytes = cursor.bytes()
  if (!cursor.take(SYNC_BYTES).equals(sync))
    throw new Error('expected the sync marker of the container, got another')
  return { records, bytes, end: value.length - cursor.bytesLeft }
}

/** Returns a container of one uncompressed block, with the schema and the sync marker of another container. */
export function buildContainer(
  { schema, sync }: ContainerHeader,
  records: number,
  bytes: Uint8Array,
): Buffer {
  const text = (value: Uint8Array | string): Buffer[] => [
    longBytes(Buffer.byteLength(value)),
    Buffer.from(value),
  ]
  return Buffer.concat([
    CONTAINER_MAGIC,
    longBytes(2),
    ...text('avro.schema'),
    ...text(schema),
    ...text('avro.codec'),
    ...text('null'),
    longBytes(0),
    sync,
    longBytes(records),
    ...text(bytes),
    sync,
  ])
}

/** Encodes a count or a length as an Avro long. */
function longBytes(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.from([...bytes, rest])
}
