import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { REFUSED_IN_NAMES, type StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import { logExists, readCommit } from '../log/log-segment.ts'
import { commitKey } from '../protocol/paths.ts'
import type { Action } from '../protocol/actions.ts'
import { Checksums } from '../commit/checksum-writer.ts'
import { type Enabled, enabled } from './feature-enablement.ts'
import { hasInCommitTimestamps } from '../log/in-commit-timestamp.ts'
import { serialiseSchema } from '../schema/schema-json.ts'
import { applyActions, commitInfoOf, EMPTY_STATE, wholeState } from '../log/state.ts'
import { ENGINE_INFO } from '../protocol/engine.ts'

/** A table to be. */
export interface NewTable {
  readonly schema: StructType
  /** Names of top-level columns, in the order of the directories. */
  readonly partitionColumns: readonly string[]
  /** Table properties, such as `delta.checkpointInterval`. */
  readonly configuration?: Readonly<Record<string, string>>
  readonly name?: string
  readonly description?: string
}

/** Puts that a creation tries at most while their outcome is not known. */
const ATTEMPTS_MAX = 20
const WAIT_MS = 100

/** Whether there is a Delta table in the store: a log with a commit or a checkpoint in it. */
export async function tableExists(store: Store): Promise<boolean> {
  return await logExists(store)
}

/**
 * Creates the table with version 0. `created` is false where there is a table already, or where another creator won the
 * race: theirs is then the table, and the caller opens it.
 * `onWarning` is told where the checksum of the version could not be written, which does no harm.
 * Throws `KD_SCHEMA_MISMATCH` for a schema that no table can have, `KD_TABLE_UNSUPPORTED` for properties that ask for
 * unsupported features. Spec: "Delta Log Entries", "Change Metadata", "Protocol Evolution".
 */
export async function createTable(
  store: Store,
  table: NewTable,
  clock: Clock = systemClock,
  onWarning: (warning: PipelineError) => void = () => undefined,
): Promise<{ readonly created: boolean }> {
  checkTable(table)
  const as = enabled(table.schema, table.configuration ?? {})
  if (await tableExists(store)) return { created: false }
  const txnId = randomUUID()
  const actions = firstActions(table, as, clock.now(), txnId)
  const body = serialiseActions(actions)
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const put = await store.putIfAbsent(commitKey(0n), body)
    if (put === 'created') {
      const checksums = new Checksums(store, onWarning)
      checksums.committed(wholeState(applyActions(EMPTY_STATE, 0n, actions)))
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

function firstActions(table: NewTable, as: Enabled, nowMs: number, txnId: string): readonly Action[] {
  const { protocol, schema, configuration } = as
  const isTimed = hasInCommitTimestamps({ protocol, metadata: as })
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

/** Spec: "Schema Serialization Format": names are unique regardless of case. */
function checkTable({ schema, partitionColumns, configuration = {} }: NewTable): void {
  const isMapped = (configuration['delta.columnMapping.mode'] ?? 'none') !== 'none'
  const fault = schemaFault(schema, isMapped) ?? partitionFault(schema, partitionColumns)
  if (fault !== undefined) throw new PipelineError('KD_SCHEMA_MISMATCH', fault)
}

function schemaFault(schema: StructType, isMapped: boolean): string | undefined {
  if (schema.fields.length === 0) return 'a table needs at least one column'
  const seen = new Set<string>()
  for (const { name } of schema.fields) {
    if (seen.has(name.toLowerCase())) return `the column ${name} is there twice, regardless of case`
    // Without column mapping no Parquet writer of the field accepts these in a name.
    if (!isMapped && REFUSED_IN_NAMES.test(name))
      return `the column name ${JSON.stringify(name)} holds one of " ,;{}()\\n\\t="`
    seen.add(name.toLowerCase())
  }
  return undefined
}

function partitionFault(schema: StructType, partitionColumns: readonly string[]): string | undefined {
  if (new Set(partitionColumns).size !== partitionColumns.length) return 'a partition column is named twice'
  for (const name of partitionColumns) {
    const field = schema.fields.find((one) => one.name === name)
    if (field === undefined) return `the partition column ${name} is not in the schema`
    if (typeof field.type !== 'string') return `the partition column ${name} is not of a primitive type`
  }
  if (partitionColumns.length === schema.fields.length) return 'every column is a partition column'
  return undefined
}
