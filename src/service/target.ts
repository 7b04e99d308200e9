import type { Config, TopicConfig } from '../../config/types.ts'
import { checkCompatible } from '../contract/compatible.ts'
import type { Contract } from '../contract/contract.ts'
import { contractOfTable } from '../contract/existing.ts'
import { readContract } from '../contract/file.ts'
import { PipelineError } from '../core/errors.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import { createTable, tableExists } from '../delta/create.ts'
import type { TableWriter } from '../delta/table.ts'
import { checkProperties } from '../delta/table-properties.ts'
import { openTableWriter, type WriterOptions } from '../delta/writer.ts'
import { datePart } from '../enrichments/date-parts.ts'
import type { Enrichment } from '../enrichments/enrichment.ts'
import { KAFKA_FIELDS, kafkaColumns } from '../enrichments/kafka-columns.ts'
import { openStore } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'

/** Where the rows of a topic go, and what they must be. */
export interface Target {
  readonly store: Store
  readonly table: TableWriter
  readonly contract: Contract
  readonly enrichments: readonly Enrichment[]
  readonly partitionColumns: readonly string[]
}

/**
 * Opens the table of a topic, or creates it from the contract where it is absent, and checks that the contract, the Kafka
 * columns and the derived columns fit it.
 * @throws KD_CONFIG_INVALID, KD_CONTRACT_INVALID, KD_SCHEMA_MISMATCH, KD_TABLE_UNSUPPORTED, KD_TABLE_CORRUPT, and what a store throws
 */
export async function openTarget(
  topic: TopicConfig,
  config: Pick<Config, 'storage'>,
  options: WriterOptions,
): Promise<Target> {
  const written = topic.contract === undefined ? undefined : await readContract(topic.contract)
  const store = await openStore(topic.table.uri, config.storage)
  const existing = (await tableExists(store)) ? await openTableWriter(store, options) : undefined
  const contract = written ?? contractOf(topic, existing)
  const enrichments = enrichmentsOf(topic, contract.schema)
  const added = enrichments.flatMap((enrichment) => enrichment.fields)
  const table =
    existing ??
    (await create(store, topic, { type: 'struct', fields: [...contract.schema.fields, ...added] }, options))
  checkCompatible(contract.schema, table.schema, added)
  const partitionColumns = partitionColumnsOf(topic, table)
  return { store, table, contract: withNullability(contract, table.schema), enrichments, partitionColumns }
}

function contractOf(topic: TopicConfig, table: TableWriter | undefined): Contract {
  if (table === undefined) {
    const expected = `topic ${topic.topic}: expected a contract, since there is no table yet to take the schema from`
    throw new PipelineError('KD_CONFIG_INVALID', expected, { uri: topic.table.uri })
  }
  const ours = new Set([
    ...Object.keys(topic.derive),
    ...(topic.kafkaColumns ? KAFKA_FIELDS.map((field) => field.name) : []),
  ])
  const fields = table.schema.fields.filter((field) => !ours.has(field.name))
  return contractOfTable({ type: 'struct', fields }, table.uri)
}

function enrichmentsOf(topic: TopicConfig, schema: StructType): readonly Enrichment[] {
  const enrichments = topic.kafkaColumns ? [kafkaColumns()] : []
  const fields: StructField[] = [...schema.fields, ...enrichments.flatMap((enrichment) => enrichment.fields)]
  for (const [name, expression] of Object.entries(topic.derive)) {
    const derived = datePart(name, expression, { type: 'struct', fields })
    enrichments.push(derived)
    fields.push(...derived.fields)
  }
  return enrichments
}

async function create(
  store: Store,
  topic: TopicConfig,
  schema: StructType,
  options: WriterOptions,
): Promise<TableWriter> {
  const { checkpointInterval, partitionColumns, properties } = topic.table
  checkProperties(properties)
  const configuration = { 'delta.checkpointInterval': String(checkpointInterval), ...properties }
  // Who loses the race to create it opens the winner's.
  await createTable(store, { schema, partitionColumns, configuration }, options.clock)
  return openTableWriter(store, options)
}

function partitionColumnsOf(topic: TopicConfig, table: TableWriter): readonly string[] {
  const wanted = topic.table.partitionColumns
  const actual = table.metadata.partitionColumns
  if (wanted.length > 0 && wanted.join('\n') !== actual.join('\n')) {
    const got = actual.length === 0 ? 'none' : actual.join(', ')
    throw new PipelineError(
      'KD_SCHEMA_MISMATCH',
      `expected the partition columns ${wanted.join(', ')}, the table has ${got}`,
      { uri: table.uri },
    )
  }
  const lacking = actual.filter(
    (name) => !table.schema.fields.some((field) => field.name === name && canPartition(field.type)),
  )
  if (lacking.length > 0)
    throw new PipelineError('KD_SCHEMA_MISMATCH', `${lacking.join(', ')} cannot partition a table`, {
      uri: table.uri,
    })
  return actual
}

/** Bytes that are no text have no place in the log, and nested values have no text. */
function canPartition(type: DataType): boolean {
  return typeof type === 'string' && type !== 'binary'
}

/** The contract with the table's NOT NULLs: a row that breaks one is refused while its columns are built, not by bytes alone. */
function withNullability(contract: Contract, table: StructType): Contract {
  const required = new Set(table.fields.filter((field) => !field.nullable).map((field) => field.name))
  if (required.size === 0) return contract
  const fields = contract.schema.fields.map((field) =>
    required.has(field.name) ? { ...field, nullable: false } : field,
  )
  return { ...contract, schema: { type: 'struct', fields }, plain: undefined }
}
