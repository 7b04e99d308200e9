import type { Config, TopicConfig } from '../../../config/types.ts'
import { schemaAfter } from '../../../operators/rows/row-operator.ts'
import type { Contract } from '../../contract/contract.ts'
import { withoutInternalMetadata } from '../../contract/json-schema/delta-type.ts'
import { contractOfTable } from '../../contract/table-contract.ts'
import { readContract } from '../../contract/file.ts'
import { derived, type Changing } from '../../core/changing.ts'
import { runThenCleanUp } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import { compileTableConstraints } from '../../delta/constraints/constraint-violations.ts'
import { generatedColumnsOf } from '../../delta/constraints/constraints.ts'
import { tableExists } from '../../delta/maintenance/create.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import { checkTableProperties } from '../../delta/protocol/table-properties.ts'
import type { TableWriterOptions } from '../../delta/commit/log-writer.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import { generatedColumn } from '../../enrichments/generated-columns.ts'
import { createIngestCoercion } from '../../evolution/ingest-values.ts'
import { RESCUED_DATA } from '../../evolution/policy.ts'
import { RowColumns } from '../../evolution/row-columns.ts'
import { findContract, type FoundContract } from '../../formats/open/contract.ts'
import { withDebeziumColumns } from '../../formats/debezium/columns.ts'
import type { FormatOptions } from '../../formats/format.ts'
import type { PipelineTransforms } from '../../pipeline.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import { openStore } from '../../storage/open/open.ts'
import type { Store } from '../../storage/store.ts'
import { extensionColumnsOf, statesColumns, type TopicExtensions } from '../operators/extensions.ts'
import { configuredColumnsOf, createEnrichments } from './enrichments.ts'
import { noMessageColumnsError, reshapedColumnsOf, sharedColumnsOf } from './row-columns.ts'
import { retryPolicyOf } from '../connections/retry-options.ts'
import { registryOptionsOf } from '../connections/registry-options.ts'
import { type TableStoreOpener, type TableLease, TablePool } from './table-pool.ts'
import {
  checkTransformDestinations,
  columnTransformsOf,
  contractAfterTransforms,
  declaredColumnsOf,
  formatOptionsOf,
  openTransforms,
  transformOptionsOf,
} from './transforms.ts'

/** Describes the table of a topic and how rows for it are made. */
export interface Target {
  readonly store: Store
  /** The writer that all topics of the table share. */
  readonly table: TableWriter
  /** Waits for pending writes, and closes the store when no other topic uses it. Call it once. */
  readonly release: () => Promise<void>
  readonly contract: Contract
  /** The columns that messages fill; they follow the messages, and the table unless operators change the columns. */
  readonly columns: RowColumns
  /** Lays out the rows for the files of the table: the same as `columns` unless operators change the columns. */
  readonly rowColumns: Pick<RowColumns, 'layout'>
  readonly enrichments: readonly (Enrichment | Changing<Enrichment>)[]
  /** Options for the format that decodes the messages; they follow `columns`. */
  readonly formatOptions: Changing<FormatOptions>
  /** Transforms between the messages and the rows, if any. */
  readonly transforms?: PipelineTransforms
  readonly partitionColumns: readonly string[]
}

/**
 * Opens the table of a topic, or creates it from the contract when it does not exist. Checks that the contract, the
 * Kafka columns and the derived columns fit the table, or will fit once the table is changed as the policy allows.
 * When neither a schema nor a table defines the columns, `inferred` does. With operators that state other columns, the
 * contract and the schema policy hold for the messages before them, and the table has the columns after them.
 * @throws KD_CONFIG_INVALID, KD_CONTRACT_INVALID, KD_SCHEMA_MISMATCH, KD_TABLE_UNSUPPORTED, KD_TABLE_CORRUPT and the
 * errors of the store
 */
export async function openTarget(
  topic: TopicConfig,
  config: Pick<Config, 'storage' | 'schemaRegistry'>,
  options: TableWriterOptions,
  tables: TablePool = createTablePool(config),
  { inferred, extensions = {} }: TargetSources = {},
): Promise<Target> {
  const { contract: written } = await findWrittenContract(topic, config, tables.circuits, extensions)
  const lease = await tables.lease(topic.table.uri, retryPolicyOf(topic))
  try {
    return await targetOf(lease, topic, { written, inferred, extensions }, options)
  } catch (error) {
    await lease.release()
    throw error
  }
}

/** Holds what defines columns besides the configuration and the table. */
export interface TargetSources {
  /** Columns inferred from the first messages. */
  readonly inferred?: Contract | undefined
  readonly extensions?: TopicExtensions | undefined
}

type WrittenSources = TargetSources & {
  readonly written: Contract | undefined
  readonly extensions: TopicExtensions
}

/** Says what defines the columns of a topic before its first message. */
export interface ColumnSource {
  /** True when a schema or a table defines them. */
  readonly isKnown: boolean
  /** The subject whose schema would define them and that the registry lacks, if values name schemas of the registry. */
  readonly missingSubject: string | undefined
}

/**
 * Looks for what defines the columns of a topic.
 * @throws the errors of `openTarget`
 */
export async function findColumnSource(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  tables: TablePool,
  extensions: TopicExtensions = {},
): Promise<ColumnSource> {
  if (topic.compatibility !== 'none') return { isKnown: true, missingSubject: undefined }
  const { contract, missingSubject } = await findWrittenContract(topic, config, tables.circuits, extensions)
  if (contract === undefined && statesColumns(extensions)) throw noMessageColumnsError(topic)
  if (contract !== undefined) return { isKnown: true, missingSubject: undefined }
  const lease = await tables.lease(topic.table.uri, retryPolicyOf(topic))
  const isKnown = await runThenCleanUp(
    () => tableExists(lease.store),
    () => lease.release(),
  )
  return { isKnown, missingSubject }
}

async function findWrittenContract(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  circuits: Circuits | undefined,
  { format }: TopicExtensions,
): Promise<FoundContract> {
  // In this mode only the columns of the table count, whatever the format declares.
  if (topic.compatibility !== 'none') return {}
  if (topic.contract === undefined && format !== undefined) return { contract: format.contract }
  const found =
    topic.contract === undefined
      ? await findContract({ ...topic, ...registryOptionsOf(config, topic, circuits) })
      : { contract: await readContract(topic.contract) }
  const { contract } = found
  if (contract === undefined || topic.envelope !== 'debezium') return found
  return { contract: withDebeziumColumns(contract, topic.debezium.fields) }
}

/**
 * Creates the pool of tables for one process, with the stores of the configuration. With `circuits`, failing stores
 * are waited for.
 */
export function createTablePool({ storage }: Pick<Config, 'storage'>, circuits?: Circuits): TablePool {
  const open: TableStoreOpener = (uri, retryPolicy) =>
    openStore(uri, {
      ...storage,
      ...(retryPolicy === undefined ? {} : { retryPolicy: retryPolicy }),
      ...(circuits === undefined ? {} : { circuits }),
    })
  return new TablePool(open, circuits)
}

async function targetOf(
  lease: TableLease,
  topic: TopicConfig,
  { written, inferred, extensions }: WrittenSources,
  options: TableWriterOptions,
): Promise<Target> {
  const existing = await lease.openExisting(options)
  if (existing === undefined && topic.compatibility !== 'none') {
    const expected = `expected an existing table for topic ${topic.topic}, because compatibility takes the columns from it`
    throw new PipelineError('KD_TABLE_MISSING', expected, { uri: topic.table.uri })
  }
  const messages =
    written ?? (existing === undefined ? inferred : undefined) ?? contractOf(topic, existing, extensions)
  const prefix = `topics.${topic.topic}.`
  const transformation = await openTransforms(topic, messages.schema, { prefix, env: process.env })
  // In this mode only the columns of the table count, so transforms add none.
  const shaping = topic.compatibility === 'none' ? transformation : undefined
  const isReshaped = statesColumns(extensions)
  if (isReshaped && written === undefined) throw noMessageColumnsError(topic)
  const messageTable = isReshaped ? undefined : existing
  const contract = shaping
    ? contractAfterTransforms(messages, shaping, { table: messageTable?.schema, prefix })
    : messages
  const declared = shaping && declaredColumnsOf(messages.schema, shaping)
  const after = schemaAfter(extensions.rows ?? [], contract.schema)
  if (shaping !== undefined) checkTransformDestinations(topic, contract.schema, shaping, messageTable)
  const configured = createEnrichments(topic, after, existing?.schema, extensions.enrichments)
  const given = [...after.fields, ...configured.flatMap((enrichment) => enrichment.fields)]
  if (existing === undefined && written === undefined) checkPartitions(topic, given)
  const table = existing ?? (await create(lease, topic, { type: 'struct', fields: given }, options))
  // Checked for a new table as well: another process may have won the race to create it.
  const generated = createGeneratedColumns(table)
  const enrichments = [...configured, generated]
  const addedColumns = addedColumnsOf(given, configured, generated.current())
  const partitionColumns = partitionColumnsOf(topic, table)
  const coerceValue = coercionOf(topic)
  const tableColumns = {
    topic: topic.topic,
    hasWrittenContract: written !== undefined,
    table,
    addedColumns,
    policy: topic.table.schemaEvolution,
    clock: options.clock,
  }
  const messageColumns = {
    contract,
    declaredColumns: written === undefined ? declared : undefined,
    checksByWriter: topic.contract === undefined,
    coerceValue,
  }
  const { columns, rowColumns } = isReshaped
    ? reshapedColumnsOf(tableColumns, messageColumns, after)
    : sharedColumnsOf(new RowColumns({ ...tableColumns, ...messageColumns }))
  const onColumns = transformation && columnTransformsOf(topic, written, transformation)
  return {
    store: lease.store,
    table,
    release: () => lease.release(),
    contract,
    columns,
    rowColumns,
    enrichments,
    partitionColumns,
    formatOptions:
      transformation === undefined
        ? columns
        : formatOptionsOf(written, columns, transformation, { onColumns, coerceValue }),
    ...(transformation === undefined
      ? {}
      : { transforms: { transformation, ...transformOptionsOf(topic, written, columns, onColumns) } }),
  }
}

/** Returns the columns of rows that neither messages nor operators fill: those of enrichments and generated ones. */
function addedColumnsOf(
  given: readonly StructField[],
  configured: readonly Enrichment[],
  generated: Enrichment,
): readonly StructField[] {
  const named = new Set(given.map(({ name }) => name.toLowerCase()))
  return [
    ...configured.flatMap((enrichment) => enrichment.fields),
    ...generated.fields.filter(({ name }) => !named.has(name.toLowerCase())),
  ]
}

/** Returns how values are converted for their columns, in the mode in which only the columns of the table count. */
function coercionOf(topic: TopicConfig): ReturnType<typeof createIngestCoercion> | undefined {
  return topic.compatibility === 'none'
    ? undefined
    : createIngestCoercion({ isHexadecimal: topic.format === 'json' })
}

function contractOf(
  topic: TopicConfig,
  table: TableWriter | undefined,
  extensions: TopicExtensions,
): Contract {
  if (table === undefined) {
    const expected = `topic ${topic.topic}: expected a contract, since there is no table to take the schema from`
    throw new PipelineError('KD_CONFIG_INVALID', expected, { uri: topic.table.uri })
  }
  const added = extensionColumnsOf(extensions).map(({ name }) => name)
  const reserved = new Set([...configuredColumnsOf(topic), ...added, RESCUED_DATA])
  const fields = table.schema.fields.filter((field) => !reserved.has(field.name))
  return contractOfTable({ type: 'struct', fields }, table.uri)
}

/** Checks the partition columns of a table whose columns are inferred from messages. */
function checkPartitions({ topic, table }: TopicConfig, fields: readonly StructField[]): void {
  const lacking = table.partitionColumns.find((column) => !fields.some(({ name }) => name === column))
  if (lacking === undefined) return
  const names = fields.map(({ name }) => name).join(', ')
  const fault = `topic ${topic}: table.partitionColumns: expected one of the columns inferred from the first messages (${names}), got ${lacking}; define the columns in a contract`
  throw new PipelineError('KD_CONFIG_INVALID', fault, { uri: table.uri })
}

/**
 * Returns an enrichment for the generated columns of the table as it is now: it computes them when rows lack the
 * column or hold null.
 */
function createGeneratedColumns(table: TableWriter): Changing<Enrichment> {
  return derived({ current: () => table.metadata }, (metadata) => {
    // Checked at the start instead of with the next record.
    compileTableConstraints(metadata)
    const generated = generatedColumnsOf(metadata).map(({ field, expression }) =>
      generatedColumn(field, expression, metadata.schema),
    )
    return {
      fields: generated.flatMap(({ fields }) => fields),
      columns: (rows, reject) => generated.flatMap((column) => column.columns(rows, reject)),
    }
  })
}

async function create(
  lease: TableLease,
  topic: TopicConfig,
  schema: StructType,
  options: TableWriterOptions,
): Promise<TableWriter> {
  const { checkpointInterval, partitionColumns, properties } = topic.table
  checkTableProperties(properties)
  const configuration = { 'delta.checkpointInterval': String(checkpointInterval), ...properties }
  return await lease.openOrCreate(
    { schema: withoutInternalMetadata(schema), partitionColumns, configuration },
    options,
  )
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
    throw new PipelineError(
      'KD_SCHEMA_MISMATCH',
      `${lacking.join(', ')} cannot partition a table: expected neither a binary nor a nested type`,
      {
        uri: table.uri,
      },
    )
  return actual
}

/**
 * Returns true for types that can partition a table: the log stores partition values as text, which binary and nested
 * values lack.
 */
function canPartition(type: DataType): boolean {
  return typeof type === 'string' && type !== 'binary'
}
