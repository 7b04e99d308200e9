import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Contract } from '../../contract/contract.ts'
import { withoutMarks } from '../../contract/json-schema/delta-type.ts'
import { contractOfTable } from '../../contract/existing.ts'
import { readContract } from '../../contract/file.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import { compiledConstraints } from '../../delta/constraints/check.ts'
import { generatedColumns } from '../../delta/constraints/constraints.ts'
import { tableExists } from '../../delta/maintenance/create.ts'
import type { Metadata } from '../../delta/protocol/actions.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import { checkProperties } from '../../delta/protocol/table-properties.ts'
import type { WriterOptions } from '../../delta/commit/log-writer.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import { generatedColumn } from '../../enrichments/generated-columns.ts'
import { ingestValues } from '../../evolution/ingest-values.ts'
import { RESCUED_DATA } from '../../evolution/policy.ts'
import { RowColumns } from '../../evolution/row-columns.ts'
import { contractOfFormat } from '../../formats/open/contract.ts'
import { withEventColumns } from '../../formats/debezium/columns.ts'
import type { FormatOptions } from '../../formats/format.ts'
import type { Transforms } from '../../pipeline.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import { openStore } from '../../storage/open/open.ts'
import type { Store } from '../../storage/store.ts'
import { configuredColumns, configuredEnrichments } from './enrichments.ts'
import { patienceOf } from '../connections/retry-options.ts'
import { registryOf } from '../connections/registry-options.ts'
import { type OpenStore, type TableLease, Tables } from './table-pool.ts'
import {
  checkDestinations,
  contractAfter,
  declaredColumns,
  messageOptions,
  openTransforms,
  transformParts,
} from './transforms.ts'

/** Where the rows of a topic go, and what they must be. */
export interface Target {
  readonly store: Store
  /** Of all topics of the process that go into the table. */
  readonly table: TableWriter
  /** Waits for what is on its way, and closes the store where no other topic needs it. Once. */
  readonly release: () => Promise<void>
  readonly contract: Contract
  /** The columns that messages fill; they follow the messages and the table. */
  readonly columns: RowColumns
  readonly enrichments: readonly Enrichment[]
  /** What formats are told of messages. */
  readonly messages: FormatOptions
  /** What becomes of messages before they are rows; absent where nothing does. */
  readonly transforms?: Transforms
  readonly partitionColumns: readonly string[]
}

/**
 * Opens the table of a topic, or creates it from the contract where it is absent, and checks that the contract, the Kafka
 * columns and the derived columns fit it, or will once it is changed as the policy allows. Where neither a schema nor a
 * table says the columns, those of `inferred` are taken.
 * @throws KD_CONFIG_INVALID, KD_CONTRACT_INVALID, KD_SCHEMA_MISMATCH, KD_TABLE_UNSUPPORTED, KD_TABLE_CORRUPT, and what a store throws
 */
export async function openTarget(
  topic: TopicConfig,
  config: Pick<Config, 'storage' | 'schemaRegistry'>,
  options: WriterOptions,
  tables: Tables = tablesOf(config),
  inferred?: Contract,
): Promise<Target> {
  const written = await writtenContract(topic, config, tables.circuits)
  const lease = await tables.lease(topic.table.uri, patienceOf(topic))
  try {
    return await targetOf(lease, topic, { written, inferred }, options)
  } catch (error) {
    await lease.release()
    throw error
  }
}

/** Whether a schema or a table says what the columns of a topic are. @throws what `openTarget` throws */
export async function hasColumns(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  tables: Tables,
): Promise<boolean> {
  if (topic.compatibility !== 'none') return true
  if ((await writtenContract(topic, config, tables.circuits)) !== undefined) return true
  const lease = await tables.lease(topic.table.uri, patienceOf(topic))
  try {
    return await tableExists(lease.store)
  } finally {
    await lease.release()
  }
}

async function writtenContract(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  circuits: Circuits | undefined,
): Promise<Contract | undefined> {
  // The columns of the table alone count, whatever the format says of its values.
  if (topic.compatibility !== 'none') return undefined
  const contract =
    topic.contract === undefined
      ? await contractOfFormat({ ...topic, ...registryOf(config, topic, circuits) })
      : await readContract(topic.contract)
  if (contract === undefined || topic.envelope !== 'debezium') return contract
  return withEventColumns(contract, topic.debezium.fields)
}

/** Tables in the stores of a configuration; one for all topics of a process. With `circuits` stores that fail are waited for. */
export function tablesOf({ storage }: Pick<Config, 'storage'>, circuits?: Circuits): Tables {
  const open: OpenStore = (uri, patience) =>
    openStore(uri, {
      ...storage,
      ...(patience === undefined ? {} : { patience }),
      ...(circuits === undefined ? {} : { circuits }),
    })
  return new Tables(open, circuits)
}

async function targetOf(
  lease: TableLease,
  topic: TopicConfig,
  { written, inferred }: { readonly written: Contract | undefined; readonly inferred: Contract | undefined },
  options: WriterOptions,
): Promise<Target> {
  const existing = await lease.existing(options)
  if (existing === undefined && topic.compatibility !== 'none') {
    const expected = `expected a table for topic ${topic.topic}, since its columns say what rows are`
    throw new PipelineError('KD_TABLE_MISSING', expected, { uri: topic.table.uri })
  }
  const messages = written ?? (existing === undefined ? inferred : undefined) ?? contractOf(topic, existing)
  const prefix = `topics.${topic.topic}.`
  const transformation = await openTransforms(topic, messages.schema, { prefix, env: process.env })
  // Where the columns of the table alone count, transforms make none.
  const shaping = topic.compatibility === 'none' ? transformation : undefined
  const contract = shaping ? contractAfter(messages, shaping, { table: existing?.schema, prefix }) : messages
  const declared = shaping && declaredColumns(messages.schema, shaping)
  if (shaping !== undefined) checkDestinations(topic, contract.schema, shaping, existing)
  const configured = configuredEnrichments(topic, contract.schema, existing?.schema)
  const given = [...contract.schema.fields, ...configured.flatMap((enrichment) => enrichment.fields)]
  if (existing === undefined && written === undefined) checkPartitions(topic, given)
  const table = existing ?? (await create(lease, topic, { type: 'struct', fields: given }, options))
  // Asked of a new table as well: who lost the race to create it has the winner's.
  const made = tableColumns(table)
  const enrichments = [...configured, made]
  const named = new Set(given.map(({ name }) => name.toLowerCase()))
  const added = [
    ...configured.flatMap((enrichment) => enrichment.fields),
    ...made.fields.filter(({ name }) => !named.has(name.toLowerCase())),
  ]
  const partitionColumns = partitionColumnsOf(topic, table)
  const columns = new RowColumns({
    topic: topic.topic,
    contract,
    written: written !== undefined,
    declared: written === undefined ? declared : undefined,
    table,
    added,
    policy: topic.table.schemaEvolution,
    ...(topic.compatibility === 'none'
      ? {}
      : { coerce: ingestValues({ hexadecimal: topic.format === 'json' }) }),
    clock: options.clock,
  })
  const { store } = lease
  const release = (): Promise<void> => lease.release()
  return {
    store,
    table,
    release,
    contract,
    columns,
    enrichments,
    partitionColumns,
    messages: transformation === undefined ? columns : messageOptions(written, columns, transformation),
    ...(transformation === undefined
      ? {}
      : { transforms: { transformation, ...transformParts(topic, written, columns) } }),
  }
}

function contractOf(topic: TopicConfig, table: TableWriter | undefined): Contract {
  if (table === undefined) {
    const expected = `topic ${topic.topic}: expected a contract, since there is no table yet to take the schema from`
    throw new PipelineError('KD_CONFIG_INVALID', expected, { uri: topic.table.uri })
  }
  const ours = new Set([...configuredColumns(topic), RESCUED_DATA])
  const fields = table.schema.fields.filter((field) => !ours.has(field.name))
  return contractOfTable({ type: 'struct', fields }, table.uri)
}

/** Partition columns of a table that is made of what messages showed. */
function checkPartitions({ topic, table }: TopicConfig, fields: readonly StructField[]): void {
  const lacking = table.partitionColumns.find((column) => !fields.some(({ name }) => name === column))
  if (lacking === undefined) return
  const names = fields.map(({ name }) => name).join(', ')
  const fault = `topic ${topic}: table.partitionColumns: ${lacking} is none of the columns that the first messages have (${names}); a contract would say more`
  throw new PipelineError('KD_CONFIG_INVALID', fault, { uri: table.uri })
}

/** The generated columns of the table as it is now: computed where rows lack them, filled where rows hold no value in them. */
function tableColumns(table: TableWriter): Enrichment {
  const madeFor = (metadata: Metadata): { of: Metadata; columns: readonly Enrichment[] } => {
    // Refused now rather than with the next record.
    compiledConstraints(metadata)
    const columns = generatedColumns(metadata).map(({ field, expression }) =>
      generatedColumn(field, expression, metadata.schema),
    )
    return { of: metadata, columns }
  }
  let made = madeFor(table.metadata)
  const current = (): readonly Enrichment[] => {
    if (made.of !== table.metadata) made = madeFor(table.metadata)
    return made.columns
  }
  return {
    get fields() {
      return current().flatMap((column) => column.fields)
    },
    columns: (rows, reject) => current().flatMap((column) => column.columns(rows, reject)),
  }
}

async function create(
  lease: TableLease,
  topic: TopicConfig,
  schema: StructType,
  options: WriterOptions,
): Promise<TableWriter> {
  const { checkpointInterval, partitionColumns, properties } = topic.table
  checkProperties(properties)
  const configuration = { 'delta.checkpointInterval': String(checkpointInterval), ...properties }
  return await lease.create({ schema: withoutMarks(schema), partitionColumns, configuration }, options)
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
