import { PipelineError } from '../../core/errors.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import { valueOf, type Raw } from '../../core/raw.ts'
import type { SchemaRegistry } from '../../registry/registry.ts'
import { protoWriterSchema } from './columns.ts'
import type { Format, FormatOptions, ObjectReason, WriterSchema } from '../format.ts'
import { MessageColumnReader, type MessageLocator } from './columnar/message-columns.ts'
import { ProtoCursor } from './cursor.ts'
import { readProtoFile, parseRegisteredProto, type DeclaredMessage, type ProtoFile } from './load.ts'
import { protoReader, type ProtoReader } from './read.ts'
import { protoSchemaError, type ProtoMessage } from './schema.ts'
import { registryOf, SchemasById } from '../framing/registry-framing.ts'
import { namedSchemaOf, REGISTRY_PREFIX_BYTES, type SchemaId } from '../framing/schema-id.ts'
import type { FormatSettings } from '../settings.ts'
import { decodeRecords } from '../record-columns.ts'

/** Describes how a value identifies its message type. */
interface ProtoFraming {
  /** Returns the reader for a value, and the position of its message. Throws when the framing is invalid. */
  open(value: Uint8Array, raw: Raw, i: number): OpenedMessage
  /** The type of all values when none names one. */
  readonly only?: MessageReader
  /** See `Format.prepare`. */
  readonly prepare?: Format['prepare']
}

interface OpenedMessage {
  readonly reader: MessageReader
  readonly start: number
  /** The schema whose first message the value is, if its prefix says so in the usual six bytes. */
  readonly firstOf?: SchemaId
}

/** Reads the messages of one type, and describes their columns. */
interface MessageReader {
  readonly message: ProtoMessage
  readonly read: ProtoReader
  readonly writer: WriterSchema
}

function messageReader(message: ProtoMessage): MessageReader {
  return { message, read: protoReader(message), writer: protoWriterSchema(message) }
}

/**
 * Returns the Protobuf format, one message per value. Fields that the message does not declare are left out and
 * counted. Messages are decoded from bytes into the columns of `changing`; those whose rows bytes alone do not prove, and
 * all where it is absent, become objects.
 */
export function protobufFormat(
  framing: ProtoFraming,
  changing?: FormatOptions | Changing<FormatOptions>,
): Format {
  let unknown = 0
  let lastWriter: WriterSchema | undefined
  const read = (value: Uint8Array, raw: Raw, i: number): object => {
    const { reader, start } = framing.open(value, raw, i)
    const cursor = new ProtoCursor(value, start)
    const row = reader.read(cursor)
    unknown += cursor.unknownFields
    lastWriter = reader.writer
    return row
  }
  const reader = { read, lastWriter: () => lastWriter }
  const locator = new TypeLocator(framing)
  let idle: { readonly of: FormatOptions; readonly columns: MessageColumnReader<MessageReader> } | undefined
  const columnsOf = (options: FormatOptions): MessageColumnReader<MessageReader> =>
    idle?.of === options ? idle.columns : new MessageColumnReader(options, locator)
  return {
    name: 'protobuf',
    ...(framing.prepare === undefined ? {} : { prepare: framing.prepare }),
    decode(raw) {
      const options = changing && currentOf(changing)
      const columns = options?.plain === undefined ? undefined : columnsOf(options)
      // Kept only when the batch succeeds: after an error, such as that of a default value, the reader holds its rows.
      idle = undefined
      unknown = 0
      const decoded = decodeRecords(raw, columns, options?.onlyColumns === true ? undefined : reader)
      if (options !== undefined && columns !== undefined) idle = { of: options, columns }
      return unknown === 0 ? decoded : { ...decoded, droppedFields: (decoded.droppedFields ?? 0) + unknown }
    },
    objectReasons() {
      const options = changing && currentOf(changing)
      if (options?.plain === undefined) return [NO_COLUMNS]
      const columns = columnsOf(options)
      idle = { of: options, columns }
      return locator.types().flatMap((type) => columns.reasonsOf(type))
    },
  }
}

const NO_COLUMNS: ObjectReason = {
  subject: 'contract',
  reason: 'messages are decoded as objects, because the rules for the columns are not plain data',
}

/** Limits the message types whose reasons are told. */
const TYPES_MAX = 100

/** Finds the types of messages; one that begins like the one before takes no more than a comparison. */
class TypeLocator implements MessageLocator<MessageReader> {
  start = 0
  readonly #framing: ProtoFraming
  readonly #seen = new Set<MessageReader>()
  #last: { readonly firstOf: SchemaId; readonly reader: MessageReader } | undefined

  constructor(framing: ProtoFraming) {
    this.#framing = framing
  }

  find(raw: Raw, i: number): MessageReader | undefined {
    const at = raw.valueStart[i] as number
    if (this.#framing.only !== undefined) {
      this.start = at
      return this.#framing.only
    }
    if (this.#last !== undefined && this.#last.firstOf === firstSchemaOf(raw, i)) {
      this.start = at + FIRST_PREFIX_BYTES
      return this.#last.reader
    }
    return this.#open(raw, i, at)
  }

  #open(raw: Raw, i: number, at: number): MessageReader | undefined {
    try {
      const { reader, start, firstOf } = this.#framing.open(valueOf(raw, i) as Uint8Array, raw, i)
      this.start = at + start
      this.#last = firstOf === undefined ? undefined : { firstOf, reader }
      if (this.#seen.size < TYPES_MAX) this.#seen.add(reader)
      return reader
    } catch {
      // The slow way says what is wrong with the framing.
      return undefined
    }
  }

  reset(): void {
    this.#last = undefined
  }

  /** Returns the types seen so far. */
  types(): readonly MessageReader[] {
    return this.#framing.only === undefined ? [...this.#seen] : [this.#framing.only]
  }
}

/** Length of the prefix when it names the first message of a schema in the shortest form. */
const FIRST_PREFIX_BYTES = REGISTRY_PREFIX_BYTES + 1

/** Returns the schema of which a value without headers is the first message by its prefix, or -1. */
function firstSchemaOf({ headers, bytes, valueStart, valueEnd }: Raw, i: number): number {
  const at = valueStart[i] as number
  const isFirst =
    headers === undefined &&
    (valueEnd[i] as number) - at >= FIRST_PREFIX_BYTES &&
    bytes[at] === 0 &&
    bytes[at + REGISTRY_PREFIX_BYTES] === 0
  if (!isFirst) return -1
  const upper = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  return upper * 65_536 + (((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number))
}

/** Returns the framing of values without a header that all have one message type. */
export function unframedProto(message: ProtoMessage): ProtoFraming {
  const reader = messageReader(message)
  return { only: reader, open: () => ({ reader, start: 0 }) }
}

/**
 * Returns the framing of values with a schema id and the indexes of their message in it. Some producers leave the
 * indexes out, which means the first message. With `only`, all other messages are refused.
 */
export function registryFramedProto(registry: SchemaRegistry, only?: string): ProtoFraming {
  const schemas = new SchemasById(registry, (schema, source) =>
    readersOf(parseRegisteredProto(schema, source), source),
  )
  return {
    prepare: (raw) => schemas.prepare(raw),
    open(value, raw, i) {
      const named = namedSchemaOf(value, raw, i)
      const readers = schemas.get(named.id)
      const { indexes, start } =
        named.suffix === undefined
          ? messageIndexesOf(value, named.start, readers.depthMax)
          : // In a header nothing follows the indexes, so that the content begins with the value.
            { ...messageIndexesOf(named.suffix, 0, readers.depthMax), start: 0 }
      const { name, reader } = readers.at(indexes)
      if (only !== undefined && name !== only) throw new Error(`expected the message ${only}, got ${name}`)
      const firstOf = firstSchemaOf(raw, i)
      return { reader, start, ...(firstOf === named.id ? { firstOf } : {}) }
    },
  }
}

interface Readers {
  /** Returns the message at a path of indexes. Throws when it does not exist, or no columns can hold it. */
  at(indexes: readonly number[]): { readonly name: string; readonly reader: MessageReader }
  /** Depth of nested messages. */
  readonly depthMax: number
}

function readersOf(file: ProtoFile, source: string): Readers {
  if (file.declared.length === 0) throw protoSchemaError(source, '', 'has no message')
  const made = new Map<string, MessageReader>()
  return {
    depthMax: depthOf(file.declared),
    at(indexes) {
      let found: { readonly name: string; readonly nested: readonly DeclaredMessage[] } = {
        name: '',
        nested: file.declared,
      }
      for (const index of indexes) {
        const next = found.nested[index]
        if (next === undefined) throw new Error(`expected the indexes of a message, got ${indexes.join('.')}`)
        found = next
      }
      const { name } = found
      const reader = made.get(name) ?? messageReader(file.message(name))
      made.set(name, reader)
      return { name, reader }
    },
  }
}

function depthOf(messages: readonly DeclaredMessage[]): number {
  return messages.reduce((depth, { nested }) => Math.max(depth, 1 + depthOf(nested)), 0)
}

/** The indexes of the first message, which apply when the header names none. */
const FIRST = [0]
/** Smallest tag of a field: its number is at least 1, shifted by the three bits of the wire type. */
const TAG_MIN = 8

/**
 * Reads the message indexes of a header: their count, then each index, in zigzag encoding; a single zero means the
 * first message. The JavaScript client writes no indexes: then the first byte is the tag of a field, or missing.
 */
function messageIndexesOf(
  bytes: Uint8Array,
  at: number,
  depthMax: number,
): { readonly indexes: readonly number[]; readonly start: number } {
  const first = bytes[at]
  if (first === undefined || (first >= TAG_MIN && first > 2 * depthMax)) return { indexes: FIRST, start: at }
  const cursor = new ProtoCursor(bytes, at)
  const count = cursor.sint32()
  if (count < 0 || count > depthMax)
    throw new Error(`expected at most ${depthMax} message indexes, got ${count}`)
  const indexes = Array.from({ length: count }, () => cursor.sint32())
  return { indexes: count === 0 ? FIRST : indexes, start: bytes.length - cursor.bytesLeft }
}

/**
 * Returns the Protobuf format according to the settings.
 * @throws KD_CONTRACT_INVALID when a schema cannot be read
 * @throws KD_CONFIG_INVALID when no schema is configured
 */
export async function openProtobuf(
  settings: FormatSettings,
  options?: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  const { framing, protobuf, files } = settings
  if (framing === 'registry')
    return protobufFormat(registryFramedProto(registryOf(settings), protobuf?.message), options)
  if (protobuf?.schema === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'the format protobuf needs protobuf.schema')
  return protobufFormat(
    unframedProto(
      messageOfFile(await readProtoFile(protobuf.schema, files), protobuf.schema, protobuf.message),
    ),
    options,
  )
}

/**
 * Returns the named message of a file, or the first message.
 * @throws KD_CONTRACT_INVALID
 */
export function messageOfFile(file: ProtoFile, source: string, name?: string): ProtoMessage {
  const wanted = name ?? file.declared[0]?.name
  if (wanted === undefined) throw protoSchemaError(source, '', 'has no message')
  return file.message(wanted)
}
