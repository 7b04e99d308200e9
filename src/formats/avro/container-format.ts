import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf } from '../../core/errors.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import {
  blockCodec,
  containerOf,
  readBlock,
  readHeader,
  type BlockCodec,
  type ContainerHeader,
} from './container.ts'
import { Cursor } from './cursor.ts'
import type { AvroReader } from './read.ts'
import { BATCH_BYTES_MAX } from '../framing/decompress.ts'
import { Entries, RECORDS_PER_BATCH_MAX } from '../framing/entries.ts'
import type { Decoded, Format } from '../format.ts'

/** What containers are read with. */
export interface ContainerOptions {
  /** The reader for a schema as JSON. Throws where it is none. */
  readonly readerOf: (schema: Buffer) => AvroReader
  readonly codecs: ReadonlyMap<string, BlockCodec>
  /** Records of one container. */
  readonly recordsMax: number
  /** Bytes that the blocks of one container may come to. */
  readonly bytesMax: number
}

/**
 * Avro object container files, one a value, each with all of its records. Where a record cannot be read, those before it are
 * rows, and it is one dead letter together with the rest of its block, since nothing says where the next one begins; the
 * blocks behind are read. A block that is cut or not followed by its marker ends the container: the rest is one dead letter.
 * What the value of a dead letter holds is a container too. A container of more than `recordsMax` records is one dead letter.
 */
export function containerFormat(options: ContainerOptions): Format {
  return { name: 'avro', decode: (raw) => new Reading(raw, options).decoded() }
}

const NEWLINE = Buffer.from('\n')

/** One batch while it is read. */
class Reading {
  readonly #raw: Raw
  readonly #options: ContainerOptions
  readonly #entries: Entries
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  readonly #objects: unknown[] = []
  readonly #records: number[] = []
  /** What could not be read, with the values that stand for it; `undefined` for a whole message. */
  readonly #faults: {
    readonly entry: number
    readonly message: string
    readonly rest: Uint8Array | undefined
  }[] = []
  readonly #headers: (ContainerHeader | undefined)[] = []
  #tombstones = 0

  constructor(raw: Raw, options: ContainerOptions) {
    this.#raw = raw
    this.#options = options
    this.#entries = new Entries(raw)
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
    return {
      raw,
      proven: undefined,
      objects: this.#objects,
      records: this.#records,
      deadLetters,
      tombstones: this.#tombstones,
    }
  }

  /** All records of a message, or none of them. */
  #readMessage(i: number, value: Uint8Array): void {
    const before = {
      entries: this.#entries.count,
      objects: this.#objects.length,
      faults: this.#faults.length,
      pieces: this.#pieces.length,
      bytes: this.#bytes,
    }
    try {
      const header = readHeader(value)
      this.#headers[i] = header
      this.#readBlocks(i, value, header)
    } catch (error) {
      this.#entries.truncate(before.entries)
      this.#objects.length = this.#records.length = before.objects
      this.#faults.length = before.faults
      this.#pieces.length = before.pieces
      this.#bytes = before.bytes
      this.#fault(i, messageOf(error), undefined)
    }
  }

  #readBlocks(i: number, value: Uint8Array, header: ContainerHeader): void {
    const read = this.#options.readerOf(header.schema)
    const decompress = blockCodec(this.#options.codecs, header.codec)
    const first = this.#entries.count
    const recordsMax = Math.min(this.#options.recordsMax, RECORDS_PER_BATCH_MAX - first)
    let room = Math.min(this.#options.bytesMax, BATCH_BYTES_MAX - this.#bytes)
    for (let at = header.end; at < value.length;) {
      const rest = (end: number): Uint8Array =>
        Buffer.concat([value.subarray(0, header.end), value.subarray(at, end)])
      let block
      try {
        block = readBlock(value, at, header)
      } catch (error) {
        this.#fault(i, messageOf(error), rest(value.length))
        return
      }
      if (this.#entries.count - first + block.records > recordsMax)
        throw new Error(`expected at most ${recordsMax} records in one message, got more`)
      try {
        const plain = decompress(block.bytes, Math.max(0, room))
        room -= plain.length
        this.#readRecords(i, plain, block.records, read, header)
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
    read: AvroReader,
    header: ContainerHeader,
  ): void {
    const cursor = new Cursor(bytes)
    for (let left = records; left > 0; left--) {
      const start = bytes.length - cursor.left
      try {
        const object = read(cursor)
        const end = bytes.length - cursor.left
        if (left === 1 && end < bytes.length)
          throw new Error(`expected the end of the block, got ${bytes.length - end} more bytes`)
        this.#objects.push(object)
        this.#records.push(this.#entries.count)
        this.#add(i, bytes.subarray(start, end))
      } catch (error) {
        const what = left === 1 ? '' : `, and ${left - 1} more behind it in the block`
        this.#fault(i, `${messageOf(error)}${what}`, containerOf(header, left, bytes.subarray(start)))
        return
      }
    }
    if (records === 0 && bytes.length > 0)
      this.#fault(i, 'expected an empty block, got bytes', containerOf(header, 0, bytes))
  }

  #fault(i: number, message: string, rest: Uint8Array | undefined): void {
    this.#faults.push({ entry: this.#entries.count, message, rest })
    this.#add(i, new Uint8Array(0))
  }

  #add(i: number, bytes: Uint8Array): void {
    this.#entries.add(i, this.#bytes, this.#bytes + bytes.length)
    this.#pieces.push(bytes, NEWLINE)
    this.#bytes += bytes.length + 1
  }

  #withOrigin(): Raw {
    const raw = this.#entries.raw(Buffer.concat(this.#pieces, this.#bytes))
    const { message: messages } = raw.parts
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
          return framed(i, rests.get(k) ?? containerOf(header, 1, valueOf(raw, k) ?? new Uint8Array(0)))
        },
        framed: (k, part) => framed(messages[k] as number, part),
      },
    }
  }
}

/** Bytes of all schemas that are kept. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024
const KEPT_MAX = 1_000
/** Of one schema. */
const SCHEMA_BYTES_MAX = 1024 * 1024

/** Readers by the bytes of their schemas, those last used kept; a schema that `make` refuses is kept with its fault. */
export function keptReaders(make: (schema: string) => AvroReader): (schema: Buffer) => AvroReader {
  const kept = new Map<string, { readonly read: AvroReader } | { readonly fault: string }>()
  let bytes = 0
  return (schema) => {
    if (schema.length > SCHEMA_BYTES_MAX)
      throw new Error(`expected a schema of at most ${SCHEMA_BYTES_MAX} bytes, got ${schema.length}`)
    const text = schema.toString('utf8')
    let found = kept.get(text)
    if (found === undefined) {
      found = made(text, make)
      bytes += text.length
    }
    kept.delete(text)
    kept.set(text, found)
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_MAX && bytes <= KEPT_BYTES_MAX) break
      kept.delete(oldest)
      bytes -= oldest.length
    }
    if ('fault' in found) throw new Error(found.fault)
    return found.read
  }
}

function made(text: string, make: (schema: string) => AvroReader): { read: AvroReader } | { fault: string } {
  try {
    return { read: make(text) }
  } catch (error) {
    return { fault: messageOf(error) }
  }
}
