import type { Contract } from '../../contract/contract.ts'
import {
  createSchemaRegistry,
  type RegisteredSchema,
  type SchemaRegistryOptions,
} from '../../registry/registry.ts'
import { avroContract } from '../avro/columns.ts'
import type { AvroNode } from '../avro/schema.ts'
import { readAvroFolder, readAvroSchema, parseRegisteredAvro } from '../avro/format.ts'
import { debeziumAvroContract, debeziumProtoContract } from '../debezium/schema.ts'
import { withLogicalTypes } from '../avro/connect-types.ts'
import { protoContract } from '../protobuf/columns.ts'
import type { ProtoFile } from '../protobuf/load.ts'
import { singleColumnContract } from '../text/plain.ts'
import { contractOfRegisteredJson } from '../json/registered-json.ts'
import type { FormatSettings } from '../settings.ts'
import { candidatesOf } from './candidates.ts'

type Settings = FormatSettings & { readonly format: string }

/**
 * Returns the contract that the schema of a format implies, for a topic without a contract of its own. The schema is
 * the reader's schema, the schema file, the only schema in the folder, or the newest schema of the subject; text and
 * bytes have one column. With several formats it is the first one that has a contract; with an envelope, the contract
 * of the rows in the events. Returns `undefined` when there is no such schema.
 * @throws KD_CONTRACT_INVALID when the schema cannot be read, or contains types that no column can hold
 * @throws KD_REGISTRY_FAILED
 */
export async function contractOfFormat(settings: Settings): Promise<Contract | undefined> {
  return (await findContract(settings)).contract
}

/** Holds what the search for a contract found. */
export interface FoundContract {
  readonly contract?: Contract
  /** The subject that would have defined the columns, if the registry does not have it and nothing else does. */
  readonly missingSubject?: string
}

/**
 * Returns the contract as `contractOfFormat` does or, when there is none because the registry lacks the subject, the
 * subject.
 * @throws the errors of `contractOfFormat`
 */
export async function findContract(settings: Settings): Promise<FoundContract> {
  const { formats, ...rest } = settings
  if (formats === undefined) return await contractOfOne(settings)
  let none: FoundContract = {}
  for (const format of formats) {
    for (const { framing } of candidatesOf(format, settings)) {
      const found = await contractOfOne({ ...rest, format, framing }, REGISTERED[format])
      if (found.contract !== undefined) return found
      none = { ...none, ...found }
    }
  }
  return none
}

/** The registry's schema type for each format. */
const REGISTERED: Readonly<Record<string, string>> = {
  json: 'JSON',
  jsonl: 'JSON',
  avro: 'AVRO',
  protobuf: 'PROTOBUF',
}

/** Returns the contract of one format. A registered schema of a type other than `only` is ignored. */
async function contractOfOne(settings: Settings, only?: string): Promise<FoundContract> {
  const { format, framing, avro, subject, schemaRegistry } = settings
  const isRegistered = framing === 'registry' && schemaRegistry !== undefined
  if (!isRegistered || (format === 'avro' && avro.readerSchema !== undefined))
    return foundOf(await contractOfFiles(settings))
  const latest = await latestOf(schemaRegistry, subject)
  if (latest === undefined) return { missingSubject: subject }
  const other = only !== undefined && latest.type !== only
  return other ? {} : foundOf(await contractOfSchema(settings, latest, `${schemaRegistry.url} ${subject}`))
}

function foundOf(contract: Contract | undefined): FoundContract {
  return contract === undefined ? {} : { contract }
}

async function contractOfFiles(settings: Settings): Promise<Contract | undefined> {
  const { format, framing, avro } = settings
  if (format === 'avro' && avro.readerSchema !== undefined)
    return ofAvro(await readAvroSchema(avro.readerSchema), avro.readerSchema, settings)
  if (format === 'protobuf' && settings.protobuf?.schema !== undefined) {
    // The parser takes a while to load, which other formats do without.
    const { readProtoFile } = await import('../protobuf/load.ts')
    return ofProto(await readProtoFile(settings.protobuf.schema), settings.protobuf.schema, settings)
  }
  if (format !== 'avro') return singleColumnContract(format)
  if (framing === 'container') return undefined
  if (avro.schema !== undefined) return ofAvro(await readAvroSchema(avro.schema), avro.schema, settings)
  const anyName = settings.compatibility === 'kafka-delta-ingest'
  const [single, ...others] = avro.schemas === undefined ? [] : await readAvroFolder(avro.schemas, anyName)
  return single === undefined || others.length > 0 ? undefined : ofAvro(single, avro.schemas ?? '', settings)
}

/** Returns the newest schema of a subject, and closes the connection that it came by. */
async function latestOf(
  options: SchemaRegistryOptions,
  subject: string,
): Promise<RegisteredSchema | undefined> {
  const registry = createSchemaRegistry(options)
  try {
    return await registry.latest(subject)
  } finally {
    registry.close()
  }
}

async function contractOfSchema(
  settings: Settings,
  schema: RegisteredSchema,
  source: string,
): Promise<Contract | undefined> {
  const { format, envelope } = settings
  if (format === 'protobuf') {
    const { parseRegisteredProto } = await import('../protobuf/load.ts')
    return ofProto(parseRegisteredProto(schema, source), source, settings)
  }
  if (format !== 'avro') return envelope === 'debezium' ? undefined : contractOfRegisteredJson(schema, source)
  const adapt = envelope === 'debezium' ? withLogicalTypes : undefined
  return ofAvro(parseRegisteredAvro(schema, source, adapt), source, settings)
}

function ofAvro(schema: AvroNode, source: string, { envelope }: FormatSettings): Contract {
  return envelope === 'debezium' ? debeziumAvroContract(schema, source) : avroContract(schema, source)
}

async function ofProto(
  file: ProtoFile,
  source: string,
  { envelope, protobuf }: FormatSettings,
): Promise<Contract> {
  const { messageOfFile } = await import('../protobuf/format.ts')
  const message = messageOfFile(file, source, protobuf?.message)
  return envelope === 'debezium' ? debeziumProtoContract(message, source) : protoContract(message, source)
}
