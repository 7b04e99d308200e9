import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import { createSchemaRegistry, type RegisteredSchema, type SchemaRegistry } from '../../registry/registry.ts'
import { avroWriterSchema } from './columns.ts'
import { openBlockCodecs } from './container.ts'
import { containerFormat, cacheReaders } from './container-format.ts'
import { AvroCursor } from './cursor.ts'
import { fingerprintOf } from './fingerprint.ts'
import { ingestReaderFactory } from './kafka-delta-ingest.ts'
import { avroReader, type AvroReader, type RecordReader } from './read.ts'
import { checkDefaults, resolvingReader } from './resolve.ts'
import { parseAvroSchema, type AvroNode } from './schema.ts'
import { withLogicalTypes } from './connect-types.ts'
import type { Format, WriterSchema } from '../format.ts'
import type { FormatSettings } from '../settings.ts'
import { SchemasById } from '../framing/registry-framing.ts'
import { namedSchemaOf, schemaHeaderOf } from '../framing/schema-id.ts'
import { withoutBom } from '../json/json-input.ts'
import { readSchemaFile } from '../json/schema-file.ts'
import { valueFormat } from '../values.ts'

/** Describes how a value identifies the schema that it was written with. */
interface AvroFraming {
  /** Returns the reader for a value, and the position of its record. Throws when the framing is invalid. */
  open(value: Uint8Array, raw: Raw, i: number): { readonly reader: RecordReader; readonly start: number }
  /** See `Format.prepare`. */
  readonly prepare?: Format['prepare']
}

/**
 * Returns the Avro format in binary encoding, one record per value. Every byte of a value must belong to its record.
 */
export function avroFormat(framing: AvroFraming): Format {
  let lastWriter: WriterSchema | undefined
  const read = (value: Uint8Array, raw: Raw, i: number): object => {
    const { reader, start } = framing.open(value, raw, i)
    const cursor = new AvroCursor(value, start)
    const record = reader.read(cursor)
    if (cursor.bytesLeft > 0)
      throw new Error(`expected the end of the record, got ${cursor.bytesLeft} more bytes`)
    lastWriter = reader.writer
    return record as object
  }
  return valueFormat('avro', { read, lastWriter: () => lastWriter }, framing.prepare)
}

function emptyValue(): Error {
  return new Error('expected Avro, got an empty value')
}

/**
 * Returns a reader for records of the writer's schema, either as written or resolved to a reader's schema.
 * @throws KD_CONTRACT_INVALID when the schemas cannot be resolved
 */
type RecordReaderFactory = (writer: AvroNode) => RecordReader

/** Returns a reader for records as they were written, with the columns of their schema. */
export function writtenRecords(writer: AvroNode): RecordReader {
  return { read: avroReader(writer), writer: avroWriterSchema(writer) }
}

/**
 * Returns the framing of values without a header that are all written with one schema.
 * @throws KD_CONTRACT_INVALID when `readerOf` refuses the schema
 */
export function unframedAvro(schema: AvroNode, readerOf: RecordReaderFactory = writtenRecords): AvroFraming {
  const reader = readerOf(schema)
  return {
    open(value) {
      if (value.length === 0) throw emptyValue()
      return { reader, start: 0 }
    },
  }
}

const SINGLE_OBJECT_HEADER_BYTES = 10

/** Returns the framing of single objects: two magic bytes, the fingerprint of the schema, the record. */
export function singleObjectAvro(
  schemas: readonly AvroNode[],
  readerOf: RecordReaderFactory = writtenRecords,
): AvroFraming {
  const readers = new Map(schemas.map((schema) => [fingerprintOf(schema), readerOrThrower(schema, readerOf)]))
  return {
    open(value) {
      if (value.length === 0) throw emptyValue()
      if (!isSingleObject(value))
        throw new Error('expected the magic bytes c301 of an Avro single object, got none')
      if (value.length < SINGLE_OBJECT_HEADER_BYTES) throw new Error('expected a fingerprint, got the end')
      const fingerprint = Buffer.from(value.buffer, value.byteOffset).readBigUInt64LE(2)
      const reader = readers.get(fingerprint)
      if (reader !== undefined) return { reader, start: SINGLE_OBJECT_HEADER_BYTES }
      const hex = fingerprint.toString(16).padStart(16, '0')
      throw new Error(`expected the fingerprint of one of ${readers.size} schemas, got ${hex}`)
    },
  }
}

/** Returns true when a value begins with the magic bytes of a single object. */
export function isSingleObject(value: Uint8Array): boolean {
  return value[0] === 0xc3 && value[1] === 0x01
}

/**
 * Returns a reader. When the schema is refused, the reader throws the reason, so that its values become dead letters.
 */
function readerOrThrower(schema: AvroNode, readerOf: RecordReaderFactory): RecordReader {
  try {
    return readerOf(schema)
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error
    return {
      read: () => {
        throw new Error(error.message)
      },
    }
  }
}

/**
 * Reads the record schema in the file at `path`.
 * @throws KD_CONTRACT_INVALID when it cannot be read or is not a record schema
 */
export async function readAvroSchema(path: string): Promise<AvroNode> {
  const schema = parseAvroSchema(await readSchemaFile(path), path)
  if (schema.kind === 'record') return schema
  throw new PipelineError('KD_CONTRACT_INVALID', `/: a row is a record, got ${schema.kind}`, { source: path })
}

/**
 * Reads the schemas in the `.avsc` files of a folder, sorted by file name. With `anyName`, files may have any name,
 * and the path may also be that of a single file.
 * @throws KD_CONTRACT_INVALID when there is no such file, or one cannot be read
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

/** Returns the framing of values with a schema id in front or in a header. `adapt` modifies schemas before they are parsed. */
export function registryFramedAvro(
  registry: SchemaRegistry,
  readerOf: RecordReaderFactory = writtenRecords,
  adapt?: (json: unknown) => unknown,
): AvroFraming {
  const schemas = new SchemasById(registry, (schema, source) =>
    readerOf(parseRegisteredAvro(schema, source, adapt)),
  )
  return {
    prepare: (raw) => schemas.prepare(raw),
    open(value, raw, i) {
      if (value.length === 0 && schemaHeaderOf(raw, i) === undefined) throw emptyValue()
      const { id, start } = namedSchemaOf(value, raw, i)
      return { reader: schemas.get(id), start }
    },
  }
}

/**
 * Parses a registered schema and the schemas that it refers to. `adapt` modifies each of them first.
 * @throws KD_CONTRACT_INVALID when it is not an Avro schema of a record
 */
export function parseRegisteredAvro(
  { type, text, references }: RegisteredSchema,
  source: string,
  adapt: (json: unknown) => unknown = (json) => json,
): AvroNode {
  const fault = (detail: string): PipelineError =>
    new PipelineError('KD_CONTRACT_INVALID', detail, { source })
  if (type !== 'AVRO') throw fault(`expected an Avro schema, got type ${type}`)
  const parsed = (json: string): unknown => {
    try {
      return adapt(JSON.parse(withoutBom(json)))
    } catch (error) {
      throw fault(messageOf(error))
    }
  }
  const known = new Map<string, AvroNode>()
  for (const reference of references) parseAvroSchema(parsed(reference.text), source, known)
  const schema = parseAvroSchema(parsed(text), source, known)
  if (schema.kind === 'record') return schema
  throw fault(`a row is a record, got ${schema.kind}`)
}

/**
 * Returns the Avro format according to the settings.
 * @throws KD_CONTRACT_INVALID when a schema cannot be read
 * @throws KD_CONFIG_INVALID when no schema is configured
 */
export async function openAvro(settings: FormatSettings): Promise<Format> {
  const { framing, avro, schemaRegistry } = settings
  const isPlain = settings.compatibility === 'kafka-delta-ingest'
  const readerOf = await openReaderOf(avro.readerSchema, isPlain)
  switch (framing) {
    case 'none':
      if (avro.schema === undefined) throw missing('framing none needs avro.schema')
      return avroFormat(unframedAvro(await readAvroSchema(avro.schema), readerOf))
    case 'single-object':
      if (avro.schemas === undefined) throw missing('framing single-object needs avro.schemas')
      return avroFormat(singleObjectAvro(await readAvroFolder(avro.schemas, isPlain), readerOf))
    case 'container':
      return containerFormat({
        readerOf: cacheReaders((json) => readerOf(containedAvro(json))),
        codecs: await openBlockCodecs(),
        recordsMax: settings.recordsPerMessageMax,
        bytesMax: settings.decompressedBytesMax,
      })
    case 'registry':
      if (schemaRegistry === undefined) throw missing('framing registry needs schemaRegistry.url')
      return avroFormat(registryFramedAvro(createSchemaRegistry(schemaRegistry), readerOf, adaptOf(settings)))
  }
}

/** Schemas of Debezium events have Debezium type names instead of Avro logical types. */
function adaptOf({ envelope }: FormatSettings): ((json: unknown) => unknown) | undefined {
  return envelope === 'debezium' ? withLogicalTypes : undefined
}

async function openReaderOf(path: string | undefined, isPlain: boolean): Promise<RecordReaderFactory> {
  if (path === undefined) return isPlain ? plainRecords(ingestReaderFactory()) : writtenRecords
  const reader = await readAvroSchema(path)
  checkDefaults(reader, path)
  if (isPlain) return plainRecords(ingestReaderFactory(reader))
  // Whatever schema a record was written with, the reader's schema describes what is read.
  const writer = avroWriterSchema(reader)
  return (written) => ({ read: resolvingReader(written, reader), writer })
}

/** In this mode only the columns of the table count, whatever a schema declares. */
function plainRecords(readerOf: (writer: AvroNode) => AvroReader): RecordReaderFactory {
  return (writer) => ({ read: readerOf(writer) })
}

/** Parses the schema in the header of a container. */
function containedAvro(json: string): AvroNode {
  const source = 'the header of the container'
  let parsed: unknown
  try {
    parsed = JSON.parse(withoutBom(json))
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source })
  }
  const schema = parseAvroSchema(parsed, source)
  if (schema.kind === 'record') return schema
  throw new PipelineError('KD_CONTRACT_INVALID', `a row is a record, got ${schema.kind}`, { source })
}

function missing(detail: string): PipelineError {
  return new PipelineError('KD_CONFIG_INVALID', detail)
}
