import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import type { FileTarget, OrphanedFiles } from '../../../operators/write-parquet.ts'
import { StructBuilder } from '../../arrow/builder.ts'
import { createFlush, type OffsetRange } from '../../core/batch.ts'
import { systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { findField, typeName, type DataType, type StructField, type StructType } from '../../core/schema.ts'
import { recheckConstraints } from '../../delta/constraints/constraint-violations.ts'
import type { Layout } from '../../delta/files/layout.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import type { TableWriterOptions } from '../../delta/commit/log-writer.ts'
import { rowLayoutOf } from '../../evolution/row-layout.ts'
import type { RetryPolicy } from '../../resilience/retries.ts'
import type { Store } from '../../storage/store.ts'
import { commitRowFiles, writeRowFiles } from './commit-rows.ts'
import type { TableLease, TablePool } from './table-pool.ts'

/** Describes a table for the service's own records: dead letters or the replay ledger. */
interface SideTableOptions extends TableWriterOptions {
  readonly uri: string
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  /** Columns in addition to `schema`, in the type that the table has; added as strings when it lacks them. */
  readonly extraColumns?: readonly string[]
  /** True when columns that an existing table lacks are added; otherwise these columns are left out. */
  readonly evolves: boolean
  /** Retry policy of the table's store. */
  readonly retryPolicy?: RetryPolicy
}

/** Maps columns to values as the column builders accept them. */
export type SideRow = Readonly<Record<string, unknown>>

/** A table that the service keeps in addition to the tables of its topics. */
export interface SideTable {
  readonly table: TableWriter
  readonly store: Store
  /** Columns of the rows, as the table has them now. */
  readonly schema: StructType
  /**
   * Appends rows in one commit. For each range the commit has a `txn` `<appId>-<partition>` with version `last`,
   * which must follow `follows`. Returns `fenced` when one does not; nothing was written then.
   * @throws KD_SCHEMA_MISMATCH when the table no longer accepts the rows, and the errors of a commit
   */
  append(
    rows: readonly SideRow[],
    appId: string,
    ranges: readonly OffsetRange[],
  ): Promise<'committed' | 'fenced'>
  /** Waits for pending writes and releases the table. */
  release(): Promise<void>
}

/** These files are small and mostly text. */
const PARQUET = { compression: 'zstd', rowGroupRows: 65_536, rowGroupBytes: 16 * 1024 * 1024 } as const

/**
 * Opens a side table, or creates it when it does not exist.
 * @throws KD_SCHEMA_MISMATCH when its columns cannot hold the rows, and the errors of opening or creating a table
 */
export async function openSideTable(tables: TablePool, options: SideTableOptions): Promise<SideTable> {
  const lease = await tables.lease(options.uri, options.retryPolicy)
  try {
    const { partitionColumns } = options
    const schema = { ...options.schema, fields: [...options.schema.fields, ...extraFieldsOf(options)] }
    const table =
      (await lease.openExisting(options)) ?? (await lease.openOrCreate({ schema, partitionColumns }, options))
    return new DeltaSideTable(lease, table, options)
  } catch (error) {
    await lease.release()
    throw error
  }
}

class DeltaSideTable implements SideTable {
  readonly table: TableWriter
  readonly store: Store
  readonly #lease: TableLease
  readonly #options: SideTableOptions
  #flushes = 0

  constructor(lease: TableLease, table: TableWriter, options: SideTableOptions) {
    this.table = table
    this.store = lease.store
    this.#lease = lease
    this.#options = options
    // Checked at the start instead of with the first row.
    const { incompatibleReason } = this.#layout(this.#schema())
    if (incompatibleReason !== undefined) throw this.#refusal(incompatibleReason)
  }

  get schema(): StructType {
    return this.#schema()
  }

  async append(
    rows: readonly SideRow[],
    appId: string,
    ranges: readonly OffsetRange[],
  ): Promise<'committed' | 'fenced'> {
    const { clock = systemClock } = this.#options
    const { table, store } = this
    const schema = this.#schema()
    const files: FileTarget = {
      arrow: {
        layout: () => this.#layout(schema),
        incompatibleReasonOf: (columns, { baseSnapshot }) =>
          recheckConstraints(columns, baseSnapshot.metadata, clock.now()),
      },
      parquet: { store, parquet: PARQUET, clock, onOrphaned: (orphaned) => this.#warnOrphaned(orphaned) },
    }
    const flush = createFlush(chunksOf(rows, schema, table), {
      id: ++this.#flushes,
      ranges,
      counts: { records: rows.length, rows: rows.length },
    })
    const written = await writeRowFiles(flush, files)
    const outcome = await commitRowFiles(written, { table, appId, files, clock })
    if (outcome.kind === 'unfit') throw this.#refusal(outcome.reason)
    return outcome.kind
  }

  release(): Promise<void> {
    return this.#lease.release()
  }

  #warnOrphaned({ keys, reason }: OrphanedFiles): void {
    const detail = `${keys.length} data files that no version has could not be deleted; VACUUM deletes them`
    const place = { table: this.table.uri }
    this.#options.onWarning?.(new PipelineError('KD_STORE_FAILED', detail, place, { cause: reason }))
  }

  /** Returns the service's columns in the types of the table; missing columns as they would be added, or left out. */
  #schema(): StructType {
    const { schema: columns } = this.table.shape.metadata
    const fields = this.#options.schema.fields.flatMap((own): readonly StructField[] => {
      const actual = findField(columns, own.name)
      if (actual !== undefined) {
        if (!canHold(actual.type, own.type)) throw this.#mismatch(actual, own)
        return [{ ...actual, name: own.name }]
      }
      return this.#options.evolves ? [own] : []
    })
    for (const other of extraFieldsOf(this.#options)) {
      const actual = findField(columns, other.name)
      if (actual !== undefined || this.#options.evolves) fields.push(actual ?? other)
    }
    return { type: 'struct', fields }
  }

  #mismatch(actual: StructField, own: StructField): PipelineError {
    return this.#refusal(
      `column ${actual.name}: expected ${typeName(own.type)}, got ${typeName(actual.type)}`,
    )
  }

  #refusal(detail: string): PipelineError {
    return new PipelineError('KD_SCHEMA_MISMATCH', detail, { table: this.table.uri })
  }

  #layout(schema: StructType): Layout {
    return rowLayoutOf(this.table.shape, schema, { add: this.#options.evolves, widen: false })
  }
}

/** Returns the extra columns that `schema` lacks. */
function extraFieldsOf({ schema, extraColumns = [] }: SideTableOptions): readonly StructField[] {
  return extraColumns
    .filter((name) => findField(schema, name) === undefined)
    .map((name) => ({ name, type: 'string', nullable: true, metadata: {} }))
}

/**
 * Builds columns from rows, one chunk for each table partition.
 * @throws KD_SCHEMA_MISMATCH when a column cannot hold a value
 */
function chunksOf(rows: readonly SideRow[], schema: StructType, table: TableWriter): readonly Chunk[] {
  const { partitionColumns } = table.metadata
  const builders = new Map<string, { builder: StructBuilder; partition: readonly unknown[] }>()
  for (const row of rows) {
    const partition = partitionColumns.map((name) => row[findField(schema, name)?.name ?? name] ?? null)
    const key = JSON.stringify(partition, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    const group = builders.get(key) ?? { builder: new StructBuilder(schema), partition }
    builders.set(key, group)
    const fault = group.builder.append(row)
    if (fault !== undefined) throw new PipelineError('KD_SCHEMA_MISMATCH', fault, { table: table.uri })
  }
  return [...builders.values()].map(({ builder, partition }) => ({
    columns: builder.finishColumns(),
    labels: undefined,
    partitions: [partition],
  }))
}

/**
 * Returns true when a column of the table's type can hold all values of the service's type: times also as text,
 * integers also as wider integers.
 */
function canHold(actual: DataType, own: DataType): boolean {
  if (actual === 'string') return own === 'string' || own === 'date' || own === 'timestamp'
  if (actual === 'long') return own === 'long' || own === 'integer'
  return typeName(actual) === typeName(own)
}
