import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { createRegistry, type RegisteredSchema, type Registry } from '../../registry/registry.ts'
import { openBlockCodecs } from './container.ts'
import { containerFormat, keptReaders } from './container-format.ts'
import { Cursor } from './cursor.ts'
import { fingerprintOf } from './fingerprint.ts'
import { plainReaderOf } from './plain.ts'
import { avroReader, type AvroReader } from './read.ts'
import { checkDefaults, resolvedReader } from './resolve.ts'
import { parseAvro, type AvroNode } from './schema.ts'
import { withLogicalTypes } from './connect-types.ts'
import type { Format } from '../format.ts'
import type { FormatSettings } from '../settings.ts'
import { REGISTRY_HEADER_BYTES, schemaIdOf, SchemasById } from '../framing/registry-framing.ts'
import { readSchemaFile } from '../json/schema-file.ts'
import { valueFormat } from '../values.ts'

/** Where a value says which schema it was written by. */
export interface AvroFraming {
  /** The reader for a value, and where its bytes begin. Throws what is wrong with the frame. */
  open(value: Uint8Array): { readonly reader: AvroReader; readonly start: number }
  /** As of a format. */
  readonly prepare?: Format['prepare']
}

/** Avro in its binary encoding, one record a value; every byte of a value must belong to its record. */
export function avroFormat(framing: AvroFraming): Format {
  const read = (value: Uint8Array): object => {
    if (value.length === 0) throw new Error('expected Avro, got an empty value')
    const { reader, start } = framing.open(value)
    const cursor = new Cursor(value, start)
    const record = reader(cursor)
    if (cursor.left > 0) throw new Error(`expected the end of the record, got ${cursor.left} more bytes`)
    return record as object
  }
  return valueFormat('avro', read, framing.prepare)
}

/** How records of a writer's schema are read: as they are, or as a reader's schema has them. Throws KD_CONTRACT_INVALID. */
export type ReaderOf = (writer: AvroNode) => AvroReader

/** Values without a frame, all written by one schema. @throws what `readerOf` throws */
export function bareFraming(schema: AvroNode, readerOf: ReaderOf = avroReader): AvroFraming {
  const reader = readerOf(schema)
  return { open: () => ({ reader, start: 0 }) }
}

const SINGLE_OBJECT_HEADER_BYTES = 10

/** Single objects: two bytes of mark, the fingerprint of the schema, the record. */
export function singleObjectFraming(
  schemas: readonly AvroNode[],
  readerOf: ReaderOf = avroReader,
): AvroFraming {
  const readers = new Map(schemas.map((schema) => [fingerprintOf(schema), orThrowing(schema, readerOf)]))
  return {
    open(value) {
      if (!isSingleObject(value)) throw new Error('expected the mark c301 of an Avro single object, got none')
      if (value.length < SINGLE_OBJECT_HEADER_BYTES) throw new Error('expected a fingerprint, got the end')
      const fingerprint = Buffer.from(value.buffer, value.byteOffset).readBigUInt64LE(2)
      const reader = readers.get(fingerprint)
      if (reader !== undefined) return { reader, start: SINGLE_OBJECT_HEADER_BYTES }
      const hex = fingerprint.toString(16).padStart(16, '0')
      throw new Error(`expected the fingerprint of one of ${readers.size} schemas, got ${hex}`)
    },
  }
}

/** Whether a value bears the mark of a single object. */
export function isSingleObject(value: Uint8Array): boolean {
  return value[0] === 0xc3 && value[1] === 0x01
}

/** A schema that cannot be read makes its values dead letters, each with the reason. */
function orThrowing(schema: AvroNode, readerOf: ReaderOf): AvroReader {
  try {
    return readerOf(schema)
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error
    return () => {
      throw new Error(error.message)
    }
  }
}

/**
 * The record schema in the file at `path`.
 * @throws KD_CONTRACT_INVALID where it cannot be read or is none
 */
export async function readAvroSchema(path: string): Promise<AvroNode> {
  const schema = parseAvro(await readSchemaFile(path), path)
  if (schema.kind === 'record') return schema
  throw new PipelineError('KD_CONTRACT_INVALID', `/: a row is a record, got ${schema.kind}`, { source: path })
}

/**
 * The schemas in the `.avsc` files of a folder, by their names in order. With `anyName` the path may also be that of one
 * file, and all files of a folder are schemas.
 * @throws KD_CONTRACT_INVALID where there is none, or one cannot be read
 */
export async function readAvroFolder(folder: string, anyName = false): Promise<readonly AvroNode[]> {
  if (anyName && (await stat(folder)).isFile()) return [await readAvroSchema(folder)]
  const names = (await readdir(folder)).filter((name) => anyName || name.endsWith('.avsc')).sort()
  if (names.length === 0)
    throw new PipelineError('KD_CONTRACT_INVALID', 'expected files that end in .avsc, got none', {
      source: folder,
    })
  return Promise.all(names.map((name) => readAvroSchema(join(folder, name))))
}

/** Values with the id of their schema in front; `adapt` changes schemas before they are read. */
export function registryFraming(
  registry: Registry,
  readerOf: ReaderOf = avroReader,
  adapt?: (json: unknown) => unknown,
): AvroFraming {
  const schemas = new SchemasById(registry, (schema, source) =>
    readerOf(registeredAvro(schema, source, adapt)),
  )
  return {
    prepare: (raw) => schemas.prepare(raw),
    open: (value) => ({ reader: schemas.get(schemaIdOf(value)), start: REGISTRY_HEADER_BYTES }),
  }
}

/**
 * A schema of a registry, with those that it refers to, all of them changed by `adapt` first.
 * @throws KD_CONTRACT_INVALID where it is no Avro schema of a record
 */
export function registeredAvro(
  { type, text, references }: RegisteredSchema,
  source: string,
  adapt: (json: unknown) => unknown = (json) => json,
): AvroNode {
  const fault = (detail: string): PipelineError =>
    new PipelineError('KD_CONTRACT_INVALID', detail, { source })
  if (type !== 'AVRO') throw fault(`expected an Avro schema, got one of ${type}`)
  const parsed = (json: string): unknown => {
    try {
      return adapt(JSON.parse(json))
    } catch (error) {
      throw fault(messageOf(error))
    }
  }
  const known = new Map<string, AvroNode>()
  for (const reference of references) parseAvro(parsed(reference.text), source, known)
  const schema = parseAvro(parsed(text), source, known)
  if (schema.kind === 'record') return schema
  throw fault(`a row is a record, got ${schema.kind}`)
}

/**
 * Avro as the settings have it.
 * @throws KD_CONTRACT_INVALID where a schema cannot be read; KD_CONFIG_INVALID where none is named
 */
export async function openAvro(settings: FormatSettings): Promise<Format> {
  const { framing, avro, schemaRegistry } = settings
  const isPlain = settings.compatibility === 'kafka-delta-ingest'
  const readerOf = await openReaderOf(avro.readerSchema, isPlain)
  switch (framing) {
    case 'none':
      if (avro.schema === undefined) throw missing('framing none needs avro.schema')
      return avroFormat(bareFraming(await readAvroSchema(avro.schema), readerOf))
    case 'single-object':
      if (avro.schemas === undefined) throw missing('framing single-object needs avro.schemas')
      return avroFormat(singleObjectFraming(await readAvroFolder(avro.schemas, isPlain), readerOf))
    case 'container':
      return containerFormat({
        readerOf: keptReaders((json) => readerOf(containedAvro(json))),
        codecs: await openBlockCodecs(),
        recordsMax: settings.recordsPerMessageMax,
        bytesMax: settings.decompressedBytesMax,
      })
    case 'registry':
      if (schemaRegistry === undefined) throw missing('framing registry needs schemaRegistry.url')
      return avroFormat(registryFraming(createRegistry(schemaRegistry), readerOf, adaptOf(settings)))
  }
}

/** Schemas of events have names of Debezium where Avro has logical types. */
function adaptOf({ envelope }: FormatSettings): ((json: unknown) => unknown) | undefined {
  return envelope === 'debezium' ? withLogicalTypes : undefined
}

async function openReaderOf(path: string | undefined, isPlain: boolean): Promise<ReaderOf> {
  if (path === undefined) return isPlain ? plainReaderOf() : avroReader
  const reader = await readAvroSchema(path)
  checkDefaults(reader, path)
  if (isPlain) return plainReaderOf(reader)
  return (writer) => resolvedReader(writer, reader)
}

/** The schema in the header of a container. */
function containedAvro(json: string): AvroNode {
  const source = 'the header of the container'
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source })
  }
  const schema = parseAvro(parsed, source)
  if (schema.kind === 'record') return schema
  throw new PipelineError('KD_CONTRACT_INVALID', `a row is a record, got ${schema.kind}`, { source })
}

function missing(detail: string): PipelineError {
  return new PipelineError('KD_CONFIG_INVALID', detail)
}
