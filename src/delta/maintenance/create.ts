import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { findNameFault, type StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import { commitHeadOf, logExists, readCommit } from '../log/log-segment.ts'
import { commitKey } from '../protocol/paths.ts'
import { columnMappingModeOf } from '../protocol/table-properties.ts'
import type { Action } from '../protocol/actions.ts'
import { ChecksumWriter } from '../commit/checksum-writer.ts'
import { type EnabledFeatures, enableFeatures } from './feature-enablement.ts'
import { hasInCommitTimestamps } from '../log/in-commit-timestamp.ts'
import { findTypeFault, serialiseSchema } from '../schema/schema-json.ts'
import { applyActions, commitInfoOf, EMPTY_STATE, completeState } from '../log/state.ts'
import { ENGINE_INFO } from '../protocol/engine.ts'

/** Describes a table to create. */
export interface NewTable {
  readonly schema: StructType
  /** Names of top-level columns, in the order of directories. */
  readonly partitionColumns: readonly string[]
  /** Table properties such as `delta.checkpointInterval`. */
  readonly configuration?: Readonly<Record<string, string>>
  readonly name?: string
  readonly description?: string
}

/** Maximum of puts while the outcome of a creation is unknown. */
const ATTEMPTS_MAX = 20
const WAIT_MS = 100

/** Tells whether the store holds a Delta table: a log with a commit or a checkpoint. */
export async function tableExists(store: Store): Promise<boolean> {
  return await logExists(store)
}

/**
 * Creates the table with version 0. `created` is false if a table exists or another process created it first: the
 * caller then opens that table. `onWarning` receives the failure of the version's checksum, which is harmless. Spec:
 * "Delta Log Entries", "Change Metadata", "Protocol Evolution".
 * @throws KD_SCHEMA_MISMATCH for a schema that a table cannot have
 * @throws KD_TABLE_UNSUPPORTED for properties that require unsupported features
 * @throws KD_COMMIT_CONTENDED if the outcome stays unknown
 */
export async function createTable(
  store: Store,
  table: NewTable,
  clock: Clock = systemClock,
  onWarning: (warning: PipelineError) => void = () => undefined,
): Promise<{ readonly created: boolean }> {
  checkTable(table)
  const features = enableFeatures(table.schema, table.configuration ?? {})
  if (await tableExists(store)) return { created: false }
  const txnId = randomUUID()
  const actions = firstActions(table, features, clock.now(), txnId)
  const body = serialiseActions(actions)
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const put = await store.putIfAbsent(commitKey(0n), body)
    if (put === 'created') {
      const checksums = new ChecksumWriter(store, onWarning)
      checksums.onCommit(completeState(applyActions(EMPTY_STATE, 0n, actions, commitHeadOf(body))))
      await checksums.idle()
      return { created: true }
    }
    const first = await readCommit(store, 0n)
    if (first !== undefined) return { created: commitInfoOf(first)?.['txnId'] === txnId }
    await clock.sleep(WAIT_MS)
  }
  throw new PipelineError('KD_COMMIT_CONTENDED', `version 0 is still absent after ${ATTEMPTS_MAX} attempts`, {
    table: store.uri,
  })
}

function firstActions(
  table: NewTable,
  features: EnabledFeatures,
  nowMs: number,
  txnId: string,
): readonly Action[] {
  const { protocol, schema, configuration } = features
  const isTimed = hasInCommitTimestamps({ protocol, metadata: features })
  return [
    {
      kind: 'commitInfo',
      commitInfo: {
        ...(isTimed ? { inCommitTimestamp: nowMs } : {}),
        timestamp: nowMs,
        operation: 'CREATE TABLE',
        operationParameters: {
          partitionBy: JSON.stringify(table.partitionColumns),
          properties: JSON.stringify(table.configuration ?? {}),
        },
        isolationLevel: 'Serializable',
        isBlindAppend: true,
        operationMetrics: {},
        engineInfo: ENGINE_INFO,
        txnId,
      },
    },
    { kind: 'protocol', protocol },
    {
      kind: 'metaData',
      metaData: {
        id: randomUUID(),
        ...(table.name === undefined ? {} : { name: table.name }),
        ...(table.description === undefined ? {} : { description: table.description }),
        format: { provider: 'parquet', options: {} },
        schemaString: serialiseSchema(schema),
        partitionColumns: table.partitionColumns,
        configuration,
        createdTime: nowMs,
      },
    },
  ]
}

/** Column names are unique without regard to case. Spec: "Schema Serialization Format". */
function checkTable({ schema, partitionColumns, configuration = {} }: NewTable): void {
  const isMapped = columnMappingModeOf(configuration) !== 'none'
  const fault = schemaFault(schema, isMapped) ?? partitionFault(schema, partitionColumns)
  if (fault !== undefined) throw new PipelineError('KD_SCHEMA_MISMATCH', fault)
}

function schemaFault(schema: StructType, isMapped: boolean): string | undefined {
  if (schema.fields.length === 0) return 'a table needs at least one column'
  const type = findTypeFault(schema)
  if (type !== undefined) return `column ${JSON.stringify(type.path)} ${type.fault}`
  const found = findNameFault(schema, isMapped)
  if (found === undefined) return undefined
  return `the name of column ${JSON.stringify(found.path)} ${found.fault}`
}

function partitionFault(schema: StructType, partitionColumns: readonly string[]): string | undefined {
  if (new Set(partitionColumns).size !== partitionColumns.length) return 'a partition column is named twice'
  for (const name of partitionColumns) {
    const field = schema.fields.find((candidate) => candidate.name === name)
    if (field === undefined) return `the partition column ${name} is not in the schema`
    // The log holds partition values as text, which bytes lack.
    if (typeof field.type !== 'string' || field.type === 'binary')
      return `the partition column ${name} is ${typeof field.type === 'string' ? field.type : `of type ${field.type.type}`}; neither binary nor nested columns can partition a table`
  }
  if (partitionColumns.length === schema.fields.length) return 'every column is a partition column'
  return undefined
}
