import { PipelineError } from '../../core/errors.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import type { Format } from '../format.ts'
import { ProtoCursor } from './cursor.ts'
import { readProtoFile, registeredProto, type MessagePlace, type ProtoFile } from './load.ts'
import { protoReader, type ProtoReader } from './read.ts'
import { faultOf, type ProtoMessage } from './schema.ts'
import { REGISTRY_HEADER_BYTES, schemaIdOf, SchemasById } from '../framing/registry-framing.ts'
import type { FormatSettings } from '../settings.ts'
import { valueFormat } from '../values.ts'

/** Where a value says which message it is. */
export interface ProtoFraming {
  /** The reader for a value, and where its bytes begin. Throws what is wrong with the frame. */
  open(value: Uint8Array): { readonly reader: ProtoReader; readonly start: number }
  /** As of a format. */
  readonly prepare?: Format['prepare']
}

/** Protobuf, one message a value. Fields that the message does not name are left out and counted. */
export function protobufFormat(framing: ProtoFraming): Format {
  let unknown = 0
  const read = (value: Uint8Array): object => {
    const { reader, start } = framing.open(value)
    const cursor = new ProtoCursor(value, start)
    const row = reader(cursor)
    unknown += cursor.unknown
    return row
  }
  const format = valueFormat('protobuf', read, framing.prepare)
  return {
    ...format,
    decode(raw) {
      unknown = 0
      const decoded = format.decode(raw)
      return unknown === 0 ? decoded : { ...decoded, droppedFields: unknown }
    },
  }
}

/** Values without a frame, all of one message type. */
export function bareProto(message: ProtoMessage): ProtoFraming {
  const reader = protoReader(message)
  return { open: () => ({ reader, start: 0 }) }
}

/**
 * Values with the id of their schema and the place of their message in it. Some producers leave the place out; then it is
 * the first message of the schema. With `only` all others are refused.
 */
export function registryProto(registry: Registry, only?: string): ProtoFraming {
  const schemas = new SchemasById(registry, (schema, source) =>
    readersOf(registeredProto(schema, source), source),
  )
  return {
    prepare: (raw) => schemas.prepare(raw),
    open(value) {
      const messages = schemas.get(schemaIdOf(value))
      const { place, start } = placeOf(value, messages.depthMax)
      const { name, reader } = messages.at(place)
      if (only !== undefined && name !== only) throw new Error(`expected the message ${only}, got ${name}`)
      return { reader, start }
    },
  }
}

interface Readers {
  /** Of the message at a place. Throws where there is none, or none that columns can hold. */
  at(place: readonly number[]): { readonly name: string; readonly reader: ProtoReader }
  /** Messages within each other. */
  readonly depthMax: number
}

function readersOf(file: ProtoFile, source: string): Readers {
  if (file.places.length === 0) throw faultOf(source, '', 'has no message')
  const made = new Map<string, ProtoReader>()
  return {
    depthMax: depthOf(file.places),
    at(place) {
      let found: { readonly name: string; readonly nested: readonly MessagePlace[] } = {
        name: '',
        nested: file.places,
      }
      for (const index of place) {
        const next = found.nested[index]
        if (next === undefined) throw new Error(`expected the place of a message, got ${place.join('.')}`)
        found = next
      }
      const { name } = found
      const reader = made.get(name) ?? protoReader(file.message(name))
      made.set(name, reader)
      return { name, reader }
    },
  }
}

function depthOf(places: readonly MessagePlace[]): number {
  return places.reduce((depth, { nested }) => Math.max(depth, 1 + depthOf(nested)), 0)
}

/** The place of the first message, as it is where a frame does not name one. */
const FIRST = [0]
/** No tag of a field is as small: the number of a field is at least 1, and three bits of a tag are not its number. */
const TAG_MIN = 8

/**
 * The place in a frame: how many indexes, and the indexes, as numbers with zigzag; a single zero is the first message. The
 * client for JavaScript writes none: then the first byte is that of a field's tag, or there is no byte at all.
 */
function placeOf(
  value: Uint8Array,
  depthMax: number,
): { readonly place: readonly number[]; readonly start: number } {
  const first = value[REGISTRY_HEADER_BYTES]
  if (first === undefined || (first >= TAG_MIN && first > 2 * depthMax))
    return { place: FIRST, start: REGISTRY_HEADER_BYTES }
  const cursor = new ProtoCursor(value, REGISTRY_HEADER_BYTES)
  const count = cursor.sint32()
  if (count < 0 || count > depthMax)
    throw new Error(`expected the place of a message at most ${depthMax} deep, got one of ${count} indexes`)
  const place = Array.from({ length: count }, () => cursor.sint32())
  return { place: count === 0 ? FIRST : place, start: value.length - cursor.left }
}

/**
 * Protobuf as the settings have it.
 * @throws KD_CONTRACT_INVALID where a schema cannot be read; KD_CONFIG_INVALID where none is named
 */
export async function openProtobuf(settings: FormatSettings): Promise<Format> {
  const { framing, protobuf, schemaRegistry } = settings
  if (framing === 'registry') {
    if (schemaRegistry === undefined)
      throw new PipelineError('KD_CONFIG_INVALID', 'framing registry needs schemaRegistry.url')
    return protobufFormat(registryProto(createRegistry(schemaRegistry), protobuf?.message))
  }
  if (protobuf?.schema === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'the format protobuf needs protobuf.schema')
  return protobufFormat(
    bareProto(messageOfFile(await readProtoFile(protobuf.schema), protobuf.schema, protobuf.message)),
  )
}

/** The message of a file: the named one, or the first. @throws KD_CONTRACT_INVALID */
export function messageOfFile(file: ProtoFile, source: string, name?: string): ProtoMessage {
  const wanted = name ?? file.places[0]?.name
  if (wanted === undefined) throw faultOf(source, '', 'has no message')
  return file.message(wanted)
}
