import { inflateRawSync } from 'node:zlib'
import { openCodec } from '../../compression/compression.ts'
import { tooLarge } from '../../compression/output.ts'
import { crc32 } from '../../core/crc32.ts'
import { Cursor } from './cursor.ts'

/** The first bytes of an Avro object container file. */
export const CONTAINER_MARK = Buffer.from('Obj\x01', 'latin1')
const SYNC_BYTES = 16
/** Codecs that Avro names and that are not read here. */
const UNREAD: ReadonlySet<string> = new Set(['bzip2', 'xz', 'lzma'])

/** Decompresses one block. Throws where it is damaged, or comes to more than `bytesMax`. */
export type BlockCodec = (bytes: Uint8Array, bytesMax: number) => Uint8Array

/** What stands at the start of a container. */
export interface ContainerHeader {
  /** The JSON of the schema that its records were written by. */
  readonly schema: Buffer
  readonly codec: string
  readonly sync: Buffer
  /** Where the first block begins. */
  readonly end: number
}

/** One block, still compressed. */
export interface ContainerBlock {
  readonly records: number
  readonly bytes: Uint8Array
  /** Where the next block begins. */
  readonly end: number
}

/** Codecs by their names in containers, ready for use. */
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
        if (crc32(plain) !== checksum) throw new Error('expected another checksum of the block')
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
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(bytesMax) : error
  }
}

/** The codec of a container. Throws for one that is not read, by its name. */
export function blockCodec(codecs: ReadonlyMap<string, BlockCodec>, name: string): BlockCodec {
  const codec = codecs.get(name)
  if (codec !== undefined) return codec
  const known = [...codecs.keys()].join(', ')
  const what = UNREAD.has(name) ? `${name}, which is not read here` : JSON.stringify(name.slice(0, 40))
  throw new Error(`expected a container with the codec ${known}, got ${what}`)
}

/** Whether a value is, or begins like, a container. */
export function isContainer(value: Uint8Array): boolean {
  return value[0] === 0x4f && value[1] === 0x62 && value[2] === 0x6a && value[3] === 0x01
}

/** The header. Throws for what is none. */
export function readHeader(value: Uint8Array): ContainerHeader {
  if (!isContainer(value)) throw new Error('expected the mark of an Avro container, got none')
  const cursor = new Cursor(value, CONTAINER_MARK.length)
  const entries = new Map<string, Buffer>()
  for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
    cursor.claim(count, 2, 'metadata of a container')
    while (count-- > 0) {
      const key = cursor.string()
      entries.set(key, cursor.bytes())
    }
  }
  const sync = cursor.take(SYNC_BYTES)
  const schema = entries.get('avro.schema')
  if (schema === undefined) throw new Error('expected a schema in the container, got none')
  const codec = entries.get('avro.codec')?.toString('latin1') ?? 'null'
  return { schema, codec, sync, end: value.length - cursor.left }
}

/** The block that begins at `at`. Throws where it is cut, or its marker is not that of the header. */
export function readBlock(value: Uint8Array, at: number, { sync }: ContainerHeader): ContainerBlock {
  const cursor = new Cursor(value, at)
  const records = cursor.long()
  if (typeof records === 'bigint' || records < 0)
    throw new Error(`expected a block of records, got ${records}`)
  const bytes = cursor.bytes()
  if (!cursor.take(SYNC_BYTES).equals(sync))
    throw new Error('expected the sync marker of the container, got another')
  return { records, bytes, end: value.length - cursor.left }
}

/** A container of one block that is not compressed, with the schema and the marker of another. */
export function containerOf({ schema, sync }: ContainerHeader, records: number, bytes: Uint8Array): Buffer {
  const text = (value: Uint8Array | string): Buffer[] => [
    longBytes(Buffer.byteLength(value)),
    Buffer.from(value),
  ]
  return Buffer.concat([
    CONTAINER_MARK,
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

/** A count or a length as Avro writes it. */
function longBytes(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.from([...bytes, rest])
}
