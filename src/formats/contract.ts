import type { Contract } from '../contract/contract.ts'
import { createRegistry, type RegisteredSchema } from '../registry/registry.ts'
import { avroContract } from './avro-columns.ts'
import { readAvroFolder, readAvroSchema, registeredAvro } from './avro.ts'
import { protoContract } from './protobuf-columns.ts'
import { registeredProto } from './protobuf-load.ts'
import { contractOfProtoFile, messageOfFile } from './protobuf.ts'
import { plainContract } from './plain.ts'
import { registeredContract } from './registered-json.ts'
import type { FormatSettings } from './settings.ts'

/**
 * The contract that the schema of a format is, for a topic that has no other: of the schema file, of the only schema in
 * the folder, of the newest schema of the subject, of text and bytes the one column. `undefined` where there is none of these.
 * @throws KD_CONTRACT_INVALID where the schema cannot be read, or holds what no column can; KD_REGISTRY_FAILED
 */
export async function contractOfFormat(
  settings: FormatSettings & { readonly format: string },
): Promise<Contract | undefined> {
  const { format, framing, avro, subject, schemaRegistry } = settings
  if (framing === 'registry' && schemaRegistry !== undefined) {
    const latest = await createRegistry(schemaRegistry).latest(subject)
    const source = `${schemaRegistry.url} ${subject}`
    return latest === undefined ? undefined : contractOfSchema(settings, latest, source)
  }
  if (format === 'protobuf' && settings.protobuf?.schema !== undefined)
    return contractOfProtoFile(settings.protobuf.schema, settings.protobuf.message)
  if (format !== 'avro') return plainContract(format)
  if (avro.schema !== undefined) return avroContract(await readAvroSchema(avro.schema), avro.schema)
  const [only, ...others] = avro.schemas === undefined ? [] : await readAvroFolder(avro.schemas)
  return only === undefined || others.length > 0 ? undefined : avroContract(only, avro.schemas ?? '')
}

function contractOfSchema(
  { format, protobuf }: FormatSettings & { readonly format: string },
  schema: RegisteredSchema,
  source: string,
): Contract {
  if (format === 'avro') return avroContract(registeredAvro(schema, source), source)
  if (format === 'protobuf')
    return protoContract(messageOfFile(registeredProto(schema, source), source, protobuf?.message), source)
  return registeredContract(schema, source)
}
