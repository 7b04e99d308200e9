import { LRUCache } from 'lru-cache'
import type { DeadLetter } from '../../core/batch.ts'
import type { Changing } from '../../core/changing.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf } from '../../core/errors.ts'
import { originOf, valueOf, type Raw, type RecordsByMessage } from '../../core/raw.ts'
import {
  blockCodecOf,
  buildContainer,
  readContainerBlock,
  readContainerHeader,
  type BlockCodec,
  type ContainerHeader,
} from './container.ts'
import { AvroCursor } from './cursor.ts'
import { finishRows, IdleColumns, SlowRecords } from './columnar/batch.ts'
import type { AvroColumnReader } from './columnar/column-reader.ts'
import type { RecordReader } from './read.ts'
import { DECOMPRESSED_BATCH_BYTES_MAX } from '../framing/decompress.ts'
import { RecordCollector, RECORDS_PER_BATCH_MAX } from '../framing/record-collector.ts'
import type { Decoded, Format, FormatOptions, WriterSchema } from '../format.ts'

/** Holds the means to read containers. */
interface ContainerOptions {
  /** Returns the reader for a schema in JSON. Throws when it is not a schema. */
  readonly readerOf: (schema: Buffer) => RecordReader
  readonly codecs: ReadonlyMap<string, BlockCodec>
  /** Limit of the records in one container. */
  readonly recordsMax: number
  /** Size limit of all decompressed blocks of one container, in bytes. */
  readonly bytesMax: number
  /** The columns that records are decoded into; without them, all records become objects. */
  readonly columns?: FormatOptions | Changing<FormatOptions>
}

/**
 * Returns the format of Avro object container files, one file per value. When a record cannot be read, the records
 * before it become rows, and it becomes one dead letter together with the rest of its block, because nothing marks
 * the start of the next record; the following blocks are read. A block that is truncated or not followed by the sync
 * marker ends the container: the rest is one dead letter. The value of such a dead letter is a container as well. A
 * container of more than `recordsMax` records is one dead letter.
 */
export function containerFormat(options: ContainerOptions): Format {
  if (options.columns === undefined)
    return { name: 'avro', decode: (raw) => new ContainerBatchReader(raw, options).decoded() }
  const columns = new IdleColumns(options.columns)
  return {
    name: 'avro',
    decode(raw) {
      const reader = columns.take()
      const slow = new SlowRecords()
      const decoded = new ContainerBatchReader(raw, options, { reader, slow }).decoded()
      columns.keep(reader)
      return decoded
    },
    objectReasons: () => columns.reasons([]),
  }
}

/** Reads records into columns, and counts the others. */
interface DirectReader {
  readonly reader: AvroColumnReader
  readonly slow: SlowRecords
}

const NEWLINE = Buffer.from('\n')

/** Reads the containers of one batch. */
class ContainerBatchReader {
  readonly #raw: Raw
  readonly #options: ContainerOptions
  readonly #direct: DirectReader | undefined
  readonly #entries: RecordCollector
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  readonly #objects: unknown[] = []
  readonly #records: number[] = []
  readonly #writers: (WriterSchema | undefined)[] = []
  /**
   * The parts that could not be read, with the values of their dead letters; `rest` is undefined for a whole message.
   */
  readonly #faults: {
    readonly entry: number
    readonly message: string
    readonly rest: Uint8Array | undefined
  }[] = []
  readonly #headers: (ContainerHeader | undefined)[] = []
  readonly #readers: (RecordReader | undefined)[] = []
  #tombstones = 0

  constructor(raw: Raw, options: ContainerOptions, direct?: DirectReader) {
    this.#direct = direct
    this.#raw = raw
    this.#options = options
    this.#entries = new RecordCollector(raw)
  }

  decoded(): Decoded {
    for (let i = 0; i < this.#raw.count; i++) {
      const value = valueOf(this.#raw, i)
      if (value === undefined) {
        this.#tombstones++
        this.#entries.add(i, -1, -1)
      } else this.#readMessage(i, value)
    }
    const raw = this.#withOrigin()
    const deadLetters = this.#faults.map(({ entry, message }): DeadLetter =>
      deadLetterOf(raw, entry, 'decode', message),
    )
    const rows = this.#direct && this.#finishRows(raw, this.#direct)
    return {
      raw,
      validated: undefined,
      objects: this.#objects,
      records: this.#records,
      ...(this.#writers.some((writer) => writer !== undefined) ? { writers: this.#writers } : {}),
      deadLetters,
      tombstones: this.#tombstones,
      ...rows,
    }
  }

  /** Returns the rows that were read directly, and reads those that are suspect as objects. */
  #finishRows(
    raw: Raw & { readonly parts: RecordsByMessage },
    { reader, slow }: DirectReader,
  ): Partial<Decoded> {
    const { rows, suspects } = finishRows(reader, slow)
    if (suspects.length === 0) return { ...rows, ...slow.counted }
    const read = [...this.#records.entries()].map(([at, record]) => ({
      record,
      object: this.#objects[at],
      writer: this.#writers[at],
    }))
    for (const record of suspects) {
      const own = this.#readers[raw.parts.messageIndex[record] as number] as RecordReader
      const object = own.read(new AvroCursor(valueOf(raw, record) as Uint8Array))
      read.push({ record, object, writer: own.writer })
    }
    read.sort((a, b) => a.record - b.record)
    const writers = read.map(({ writer }) => writer)
    return {
      ...rows,
      ...slow.counted,
      objects: read.map(({ object }) => object),
      records: read.map(({ record }) => record),
      ...(writers.some((writer) => writer !== undefined) ? { writers } : {}),
    }
  }

  /** Reads all records of a message, or none of them. */
  #readMessage(i: number, value: Uint8Array): void {
    const before = {
      entries: this.#entries.count,
      objects: this.#objects.length,
      faults: this.#faults.length,
      pieces: this.#pieces.length,
      bytes: this.#bytes,
      columns: this.#direct?.reader.mark(),
      slow: this.#direct?.slow.mark(),
    }
    try {
      const header = readContainerHeader(value)
      this.#headers[i] = header
      this.#readBlocks(i, value, header)
    } catch (error) {
      this.#entries.truncate(before.entries)
      this.#objects.length = this.#records.length = this.#writers.length = before.objects
      this.#faults.length = before.faults
      this.#pieces.length = before.pieces
      this.#bytes = before.bytes
      if (before.columns !== undefined) this.#direct?.reader.reset(before.columns)
      if (before.slow !== undefined) this.#direct?.slow.reset(before.slow)
      this.#fault(i, messageOf(error), undefined)
    }
  }

  #readBlocks(i: number, value: Uint8Array, header: ContainerHeader): void {
    const reader = this.#options.readerOf(header.schema)
    this.#readers[i] = reader
    const decompress = blockCodecOf(this.#options.codecs, header.codec)
    const first = this.#entries.count
    const recordsMax = Math.min(this.#options.recordsMax, RECORDS_PER_BATCH_MAX - first)
    let room = Math.min(this.#options.bytesMax, DECOMPRESSED_BATCH_BYTES_MAX - this.#bytes)
    for (let at = header.end; at < value.length;) {
      const rest = (end: number): Uint8Array =>
        Buffer.concat([value.subarray(0, header.end), value.subarray(at, end)])
      let block
      try {
        block = readContainerBlock(value, at, header)
      } catch (error) {
        this.#fault(i, messageOf(error), rest(value.length))
        return
      }
      if (this.#entries.count - first + block.records > recordsMax)
        throw new Error(`expected at most ${recordsMax} records in one message, got more`)
      try {
        const plain = decompress(block.bytes, Math.max(0, room))
        room -= plain.length
        this.#readRecords(i, plain, block.records, reader, header)
      } catch (error) {
        this.#fault(i, `${header.codec}: ${messageOf(error)}`, rest(block.end))
      }
      at = block.end
    }
  }

  #readRecords(
    i: number,
    bytes: Uint8Array,
    records: number,
    reader: RecordReader,
    header: ContainerHeader,
  ): void {
    const cursor = new AvroCursor(bytes)
    this.#direct?.reader.open(bytes)
    for (let left = records; left > 0; left--) {
      const start = cursor.position
      const direct = this.#readRow(reader, start, bytes.length, left === 1)
      if (direct >= 0) {
        cursor.moveTo(direct)
        this.#add(i, bytes.subarray(start, direct))
        continue
      }
      try {
        const object = reader.read(cursor)
        const end = cursor.position
        if (left === 1 && end < bytes.length)
          throw new Error(`expected the end of the block, got ${bytes.length - end} more bytes`)
        this.#objects.push(object)
        this.#records.push(this.#entries.count)
        this.#writers.push(reader.writer)
        this.#add(i, bytes.subarray(start, end))
      } catch (error) {
        const what = left === 1 ? '' : `, and ${left - 1} more after it in the block`
        this.#recordFault(
          i,
          `${messageOf(error)}${what}`,
          buildContainer(header, left, bytes.subarray(start)),
        )
        return
      }
    }
    if (records === 0 && bytes.length > 0)
      this.#fault(i, 'expected an empty block, got bytes', buildContainer(header, 0, bytes))
  }

  /** Reads a record into columns. Returns the position after it, or -1. */
  #readRow(reader: RecordReader, start: number, end: number, isLast: boolean): number {
    const at = this.#direct?.reader.read(reader, start, end, this.#entries.count, isLast) ?? -1
    if (at < 0) this.#direct?.slow.add(this.#entries.count, this.#direct.reader.reason)
    return at
  }

  /** Adds a dead letter that is no record which was read before. */
  #fault(i: number, message: string, rest: Uint8Array | undefined): void {
    this.#direct?.slow.add(this.#entries.count, 'value')
    this.#recordFault(i, message, rest)
  }

  #recordFault(i: number, message: string, rest: Uint8Array | undefined): void {
    this.#faults.push({ entry: this.#entries.count, message, rest })
    this.#add(i, new Uint8Array(0))
  }

  #add(i: number, bytes: Uint8Array): void {
    this.#entries.add(i, this.#bytes, this.#bytes + bytes.length)
    this.#pieces.push(bytes, NEWLINE)
    this.#bytes += bytes.length + 1
  }

  #withOrigin(): Raw & { readonly parts: RecordsByMessage } {
    const raw = this.#entries.raw(Buffer.concat(this.#pieces, this.#bytes))
    const { messageIndex: messages } = raw.parts
    const { message, framed } = originOf(this.#raw)
    const rests = new Map(this.#faults.map(({ entry, rest }) => [entry, rest]))
    const headers = this.#headers
    return {
      ...raw,
      origin: {
        message(k) {
          const i = messages[k] as number
          const header = headers[i]
          const alone = messages[k - 1] !== i && messages[k + 1] !== i
          if (alone || header === undefined) return message(i)
          return framed(i, rests.get(k) ?? buildContainer(header, 1, valueOf(raw, k) ?? new Uint8Array(0)))
        },
        framed: (k, part) => framed(messages[k] as number, part),
      },
    }
  }
}

/** Total size limit of the cached schemas, in bytes. */
const CACHED_SCHEMA_BYTES_MAX = 8 * 1024 * 1024
const CACHED_SCHEMAS_MAX = 1_000
/** Size limit of one schema in bytes. */
const SCHEMA_BYTES_MAX = 1024 * 1024

/**
 * Returns a function that caches readers by the bytes of their schemas and evicts the least recently used. A schema
 * that `make` refuses is cached with its fault.
 */
export function cacheReaders(make: (schema: string) => RecordReader): (schema: Buffer) => RecordReader {
  const cached = new LRUCache<string, { readonly reader: RecordReader } | { readonly fault: string }>({
    max: CACHED_SCHEMAS_MAX,
    maxSize: CACHED_SCHEMA_BYTES_MAX,
    sizeCalculation: (_, text) => Math.max(1, text.length),
  })
  return (schema) => {
    if (schema.length > SCHEMA_BYTES_MAX)
      throw new Error(`expected a schema of at most ${SCHEMA_BYTES_MAX} bytes, got ${schema.length}`)
    const text = schema.toString('utf8')
    let found = cached.get(text)
    if (found === undefined) {
      found = made(text, make)
      cached.set(text, found)
    }
    if ('fault' in found) throw new Error(found.fault)
    return found.reader
  }
}

function made(
  text: string,
  make: (schema: string) => RecordReader,
): { reader: RecordReader } | { fault: string } {
  try {
    return { reader: make(text) }
  } catch (error) {
    return { fault: messageOf(error) }
  }
}
