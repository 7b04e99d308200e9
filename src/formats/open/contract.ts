import type { Contract } from '../../contract/contract.ts'
import { createRegistry, type RegisteredSchema } from '../../registry/registry.ts'
import { avroContract } from '../avro/columns.ts'
import type { AvroNode } from '../avro/schema.ts'
import { readAvroFolder, readAvroSchema, registeredAvro } from '../avro/format.ts'
import { avroRowContract, protoRowContract } from '../debezium/schema.ts'
import { withLogicalTypes } from '../avro/connect-types.ts'
import { protoContract } from '../protobuf/columns.ts'
import { readProtoFile, registeredProto, type ProtoFile } from '../protobuf/load.ts'
import { messageOfFile } from '../protobuf/format.ts'
import { plainContract } from '../text/plain.ts'
import { registeredContract } from '../json/registered-json.ts'
import type { FormatSettings } from '../settings.ts'
import { waysOf } from './candidates.ts'

type Settings = FormatSettings & { readonly format: string }

/**
 * The contract that the schema of a format is, for a topic that has no other: of the reader's schema, of the schema file, of
 * the only schema in the folder, of the newest schema of the subject, of text and bytes the one column; where there are
 * several formats, of the first that has one; of events, that of the rows in them. `undefined` where there is none of these.
 * @throws KD_CONTRACT_INVALID where the schema cannot be read, or holds what no column can; KD_REGISTRY_FAILED
 */
export async function contractOfFormat(settings: Settings): Promise<Contract | undefined> {
  const { formats, ...rest } = settings
  if (formats === undefined) return await contractOfOne(settings)
  for (const format of formats) {
    for (const { framing } of waysOf(format, settings)) {
      const contract = await contractOfOne({ ...rest, format, framing }, REGISTERED[format])
      if (contract !== undefined) return contract
    }
  }
  return undefined
}

/** Types of the registry by format. */
const REGISTERED: Readonly<Record<string, string>> = {
  json: 'JSON',
  jsonl: 'JSON',
  avro: 'AVRO',
  protobuf: 'PROTOBUF',
}

/** The contract of one format; a registered schema of another type than `only` is none. */
async function contractOfOne(settings: Settings, only?: string): Promise<Contract | undefined> {
  const { format, framing, avro, subject, schemaRegistry } = settings
  if (format === 'avro' && avro.readerSchema !== undefined)
    return ofAvro(await readAvroSchema(avro.readerSchema), avro.readerSchema, settings)
  if (framing === 'registry' && schemaRegistry !== undefined) {
    const latest = await createRegistry(schemaRegistry).latest(subject)
    const source = `${schemaRegistry.url} ${subject}`
    const other = only !== undefined && latest?.type !== only
    return latest === undefined || other ? undefined : contractOfSchema(settings, latest, source)
  }
  if (format === 'protobuf' && settings.protobuf?.schema !== undefined)
    return ofProto(await readProtoFile(settings.protobuf.schema), settings.protobuf.schema, settings)
  if (format !== 'avro') return plainContract(format)
  if (framing === 'container') return undefined
  if (avro.schema !== undefined) return ofAvro(await readAvroSchema(avro.schema), avro.schema, settings)
  const [single, ...others] = avro.schemas === undefined ? [] : await readAvroFolder(avro.schemas)
  return single === undefined || others.length > 0 ? undefined : ofAvro(single, avro.schemas ?? '', settings)
}

function contractOfSchema(
  settings: Settings,
  schema: RegisteredSchema,
  source: string,
): Contract | undefined {
  const { format, envelope } = settings
  if (format === 'protobuf') return ofProto(registeredProto(schema, source), source, settings)
  if (format !== 'avro') return envelope === 'debezium' ? undefined : registeredContract(schema, source)
  const adapt = envelope === 'debezium' ? withLogicalTypes : undefined
  return ofAvro(registeredAvro(schema, source, adapt), source, settings)
}

function ofAvro(schema: AvroNode, source: string, { envelope }: FormatSettings): Contract {
  return envelope === 'debezium' ? avroRowContract(schema, source) : avroContract(schema, source)
}

function ofProto(file: ProtoFile, source: string, { envelope, protobuf }: FormatSettings): Contract {
  const message = messageOfFile(file, source, protobuf?.message)
  return envelope === 'debezium' ? protoRowContract(message, source) : protoContract(message, source)
}
