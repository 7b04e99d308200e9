import type { Contract } from '../contract/contract.ts'
import { avroContract } from './avro-columns.ts'
import { readAvroFolder, readAvroSchema } from './avro.ts'
import type { FormatSettings } from './settings.ts'

/**
 * The contract that the schema of a format is, for a topic that has no other; `undefined` where the format has none.
 * @throws KD_CONTRACT_INVALID where the schema cannot be read, or holds what no column can
 */
export async function contractOfFormat(choice: {
  readonly format: string
  readonly avro: FormatSettings['avro']
}): Promise<Contract | undefined> {
  return choice.format === 'avro' ? contractOfAvro(choice.avro) : undefined
}

async function contractOfAvro({ schema, schemas }: FormatSettings['avro']): Promise<Contract | undefined> {
  if (schema !== undefined) return avroContract(await readAvroSchema(schema), schema)
  const [only, ...others] = schemas === undefined ? [] : await readAvroFolder(schemas)
  return only === undefined || others.length > 0 ? undefined : avroContract(only, schemas ?? '')
}
