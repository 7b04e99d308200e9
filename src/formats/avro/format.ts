import { join } from 'node:path'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Changing } from '../../core/changing.ts'
import { valueOf, type Raw } from '../../core/raw.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../registry/registry.ts'
import { avroWriterSchema } from './columns.ts'
import { openBlockCodecs } from './container.ts'
import { containerFormat, cacheReaders } from './container-format.ts'
import { AvroCursor } from './cursor.ts'
import { fingerprintOf } from './fingerprint.ts'
import { ingestReaderFactory } from './kafka-delta-ingest.ts'
import { avroReader, type RecordReader } from './read.ts'
import type { AvroColumnReader } from './columnar/column-reader.ts'
import { decodeObjects, finishRows, IdleColumns, SlowRecords } from './columnar/batch.ts'
import { checkDefaults, resolvingReader } from './resolve.ts'
import { parseAvroSchema, type AvroNode } from './schema.ts'
import { withLogicalTypes } from './connect-types.ts'
import type { Format, FormatOptions, WriterSchema } from '../format.ts'
import { DISK_FILES, type SchemaFiles } from '../schema-files.ts'
import type { FormatSettings } from '../settings.ts'
import { registryOf, SchemasById } from '../framing/registry-framing.ts'
import { namedSchemaOf, REGISTRY_PREFIX_BYTES, schemaHeaderOf, schemaIdIn } from '../framing/schema-id.ts'
import { withoutBom } from '../json/json-input.ts'
import { readSchemaFile } from '../json/schema-file.ts'

/** Says which schema a value was written with, and where its record starts. It is filled anew for each value. */
export interface Located {
  reader: RecordReader | undefined
  start: number
}

/** Describes how a value identifies the schema that it was written with. */
export interface AvroFraming {
  /** Returns the reader for a value, and the position of its record. Throws when the framing is invalid. */
  open(value: Uint8Array, raw: Raw, i: number): { readonly reader: RecordReader; readonly start: number }
  /**
   * Fills `located` with what `open` returns for value `i`, but with the position in all bytes of the batch. The reader is
   * undefined when `open` must decide.
   */
  locate(raw: Raw, i: number, located: Located): void
  /** Returns the readers that are known before the first value. */
  readonly readers: Iterable<RecordReader>
  /** See `Format.prepare`. */
  readonly prepare?: Format['prepare']
}

/**
 * Returns the Avro format in binary encoding, one record per value. Every byte of a value must belong to its record. With
 * columns, records are decoded from bytes into them without JavaScript values in between. A record that deviates in any
 * way is read as an object and validated, so the fast path only accepts and never refuses.
 */
export function avroFormat(framing: AvroFraming, changing?: FormatOptions | Changing<FormatOptions>): Format {
  const columns = changing && new IdleColumns(changing)
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
  const values = { read, lastWriter: () => lastWriter }
  return {
    name: 'avro',
    ...(framing.prepare === undefined ? {} : { prepare: framing.prepare }),
    decode(raw) {
      if (columns === undefined) return decodeObjects(raw, values)
      const reader = columns.take()
      const slow = new SlowRecords()
      readRecords(raw, framing, reader, slow)
      const { rows } = finishRows(reader, slow)
      columns.keep(reader)
      const left = reader.of.onlyColumns === true ? [] : slow.records
      return { ...decodeObjects(raw, values, left), ...rows, ...slow.counted }
    },
    ...(columns === undefined ? {} : { objectReasons: () => columns.reasons(framing.readers) }),
  }
}

/** Reads the records of a batch into columns; the others are added to `slow`. */
function readRecords(raw: Raw, framing: AvroFraming, columns: AvroColumnReader, slow: SlowRecords): void {
  const located: Located = { reader: undefined, start: 0 }
  columns.open(raw.bytes)
  for (let i = 0; i < raw.count; i++) {
    if ((raw.valueStart[i] as number) < 0) continue
    framing.locate(raw, i, located)
    const { reader, start } = located
    if (reader === undefined) {
      slow.add(i, 'value')
      continue
    }
    const at = columns.read(reader, start, raw.valueEnd[i] as number, i, true)
    if (at < 0) slow.add(i, columns.reason)
  }
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
  return {
    read: avroReader(writer),
    writer: avroWriterSchema(writer),
    schemas: { writer, reader: writer, isIngest: false },
  }
}

/**
 * Returns the framing of values without a header that are all written with one schema.
 * @throws KD_CONTRACT_INVALID when `readerOf` refuses the schema
 */
export function unframedAvro(schema: AvroNode, readerOf: RecordReaderFactory = writtenRecords): AvroFraming {
  const reader = readerOf(schema)
  return {
    readers: [reader],
    locate(raw, i, located) {
      located.start = raw.valueStart[i] as number
      located.reader = located.start < (raw.valueEnd[i] as number) ? reader : undefined
    },
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
  const byWords = [...readers].map(([fingerprint, reader]) => ({
    low: Number(BigInt.asUintN(32, fingerprint)),
    high: Number(fingerprint >> 32n),
    reader,
  }))
  return {
    readers: readers.values(),
    locate({ bytes, valueStart, valueEnd }, i, located) {
      const start = valueStart[i] as number
      located.reader = undefined
      located.start = start + SINGLE_OBJECT_HEADER_BYTES
      if (located.start > (valueEnd[i] as number) || bytes[start] !== 0xc3 || bytes[start + 1] !== 1) return
      const low = uint32At(bytes, start + 2)
      const high = uint32At(bytes, start + 6)
      for (const each of byWords) if (each.low === low && each.high === high) located.reader = each.reader
    },
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

/** Reads four bytes, the lowest first. */
function uint32At(bytes: Uint8Array, at: number): number {
  let word = 0
  for (let i = 3; i >= 0; i--) word = (word << 8) | (bytes[at + i] as number)
  return word >>> 0
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
export async function readAvroSchema(path: string, files?: SchemaFiles): Promise<AvroNode> {
  const schema = parseAvroSchema(await readSchemaFile(path, files), path)
  if (schema.kind === 'record') return schema
  throw new PipelineError('KD_CONTRACT_INVALID', `/: a row is a record, got ${schema.kind}`, { source: path })
}

/**
 * Reads the schemas in the `.avsc` files of a folder, sorted by file name. With `anyName`, files may have any name,
 * and the path may also be that of a single file.
 * @throws KD_CONTRACT_INVALID when there is no such file, or one cannot be read
 */
export async function readAvroFolder(
  folder: string,
  anyName = false,
  files: SchemaFiles = DISK_FILES,
): Promise<readonly AvroNode[]> {
  const listed = await files.list(folder)
  if (listed === 'file' && anyName) return [await readAvroSchema(folder, files)]
  const names = (listed === 'file' ? [] : listed).filter((name) => anyName || name.endsWith('.avsc')).sort()
  if (names.length === 0)
    throw new PipelineError('KD_CONTRACT_INVALID', 'expected files that end in .avsc, got none', {
      source: folder,
    })
  return Promise.all(names.map((name) => readAvroSchema(join(folder, name), files)))
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
    readers: [],
    prepare: (raw) => schemas.prepare(raw),
    locate(raw, i, located) {
      const start = raw.valueStart[i] as number
      const end = raw.valueEnd[i] as number
      if (raw.headers !== undefined) {
        const value = valueOf(raw, i) as Uint8Array
        const id = schemaIdIn(value, raw, i)
        located.reader = id === undefined ? undefined : schemas.find(id)
        located.start = schemaHeaderOf(raw, i) === undefined ? start + REGISTRY_PREFIX_BYTES : start
      } else if (end - start < REGISTRY_PREFIX_BYTES || raw.bytes[start] !== 0) located.reader = undefined
      else {
        located.reader = schemas.find(schemaNumberAt(raw.bytes, start + 1))
        located.start = start + REGISTRY_PREFIX_BYTES
      }
    },
    open(value, raw, i) {
      if (value.length === 0 && schemaHeaderOf(raw, i) === undefined) throw emptyValue()
      const { id, start } = namedSchemaOf(value, raw, i)
      return { reader: schemas.get(id), start }
    },
  }
}

/** Reads the big-endian number of a schema. */
function schemaNumberAt(bytes: Uint8Array, at: number): number {
  let id = 0
  for (let i = 0; i < 4; i++) id = id * 256 + (bytes[at + i] as number)
  return id
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
export async function openAvro(
  settings: FormatSettings,
  options?: FormatOptions | Changing<FormatOptions>,
): Promise<Format> {
  const framing = await openAvroFraming(settings)
  if (framing !== undefined) return avroFormat(framing, options)
  const readerOf = await openReaders(settings)
  return containerFormat({
    ...(options === undefined ? {} : { columns: options }),
    readerOf: cacheReaders((json) => readerOf(containedAvro(json))),
    codecs: await openBlockCodecs(),
    recordsMax: settings.recordsPerMessageMax,
    bytesMax: settings.decompressedBytesMax,
  })
}

/**
 * Returns how values of one record each name their schemas, according to the settings; `undefined` for containers.
 * @throws KD_CONTRACT_INVALID when a schema cannot be read
 * @throws KD_CONFIG_INVALID when no schema is configured
 */
export async function openAvroFraming(settings: FormatSettings): Promise<AvroFraming | undefined> {
  const { framing, avro, files } = settings
  const readerOf = await openReaders(settings)
  switch (framing) {
    case 'none':
      if (avro.schema === undefined) throw missing('framing none needs avro.schema')
      return unframedAvro(await readAvroSchema(avro.schema, files), readerOf)
    case 'single-object':
      if (avro.schemas === undefined) throw missing('framing single-object needs avro.schemas')
      return singleObjectAvro(await readAvroFolder(avro.schemas, isIngest(settings), files), readerOf)
    case 'container':
      return undefined
    case 'registry':
      return registryFramedAvro(registryOf(settings), readerOf, adaptOf(settings))
  }
}

function isIngest({ compatibility }: FormatSettings): boolean {
  return compatibility === 'kafka-delta-ingest'
}

function openReaders(settings: FormatSettings): Promise<RecordReaderFactory> {
  return openReaderOf(settings.avro.readerSchema, isIngest(settings), settings.files)
}

/** Schemas of Debezium events have Debezium type names instead of Avro logical types. */
function adaptOf({ envelope }: FormatSettings): ((json: unknown) => unknown) | undefined {
  return envelope === 'debezium' ? withLogicalTypes : undefined
}

async function openReaderOf(
  path: string | undefined,
  isPlain: boolean,
  files: SchemaFiles | undefined,
): Promise<RecordReaderFactory> {
  if (path === undefined) return isPlain ? ingestReaderFactory() : writtenRecords
  const reader = await readAvroSchema(path, files)
  checkDefaults(reader, path)
  if (isPlain) return ingestReaderFactory(reader)
  // Whatever schema a record was written with, the reader's schema describes what is read.
  const writer = avroWriterSchema(reader)
  return (written) => ({
    read: resolvingReader(written, reader),
    writer,
    schemas: { writer: written, reader, isIngest: false },
  })
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
