import { PipelineError } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import { createSchemaRegistry, type SchemaRegistry } from '../../registry/registry.ts'
import { protoWriterSchema } from './columns.ts'
import type { Format, WriterSchema } from '../format.ts'
import { ProtoCursor } from './cursor.ts'
import { readProtoFile, parseRegisteredProto, type DeclaredMessage, type ProtoFile } from './load.ts'
import { protoReader, type ProtoReader } from './read.ts'
import { protoSchemaError, type ProtoMessage } from './schema.ts'
import { SchemasById } from '../framing/registry-framing.ts'
import { namedSchemaOf } from '../framing/schema-id.ts'
import type { FormatSettings } from '../settings.ts'
import { valueFormat } from '../values.ts'

/** Describes how a value identifies its message type. */
interface ProtoFraming {
  /** Returns the reader for a value, and the position of its message. Throws when the framing is invalid. */
  open(value: Uint8Array, raw: Raw, i: number): { readonly reader: MessageReader; readonly start: number }
  /** See `Format.prepare`. */
  readonly prepare?: Format['prepare']
}

/** Reads the messages of one type, and describes their columns. */
interface MessageReader {
  readonly read: ProtoReader
  readonly writer: WriterSchema
}

function messageReader(message: ProtoMessage): MessageReader {
  return { read: protoReader(message), writer: protoWriterSchema(message) }
}

/**
 * Returns the Protobuf format, one message per value. Fields that the message does not declare are left out and
 * counted.
 */
export function protobufFormat(framing: ProtoFraming): Format {
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
  const format = valueFormat('protobuf', { read, lastWriter: () => lastWriter }, framing.prepare)
  return {
    ...format,
    decode(raw) {
      unknown = 0
      const decoded = format.decode(raw)
      return unknown === 0 ? decoded : { ...decoded, droppedFields: unknown }
    },
  }
}

/** Returns the framing of values without a header that all have one message type. */
export function unframedProto(message: ProtoMessage): ProtoFraming {
  const reader = messageReader(message)
  return { open: () => ({ reader, start: 0 }) }
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
      return { reader, start }
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
export async function openProtobuf(settings: FormatSettings): Promise<Format> {
  const { framing, protobuf, schemaRegistry } = settings
  if (framing === 'registry') {
    if (schemaRegistry === undefined)
      throw new PipelineError('KD_CONFIG_INVALID', 'framing registry needs schemaRegistry.url')
    return protobufFormat(registryFramedProto(createSchemaRegistry(schemaRegistry), protobuf?.message))
  }
  if (protobuf?.schema === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'the format protobuf needs protobuf.schema')
  return protobufFormat(
    unframedProto(messageOfFile(await readProtoFile(protobuf.schema), protobuf.schema, protobuf.message)),
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
