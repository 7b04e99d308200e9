import { lastValueFrom, of } from 'rxjs'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import { commitDelta } from '../../../operators/commit-delta.ts'
import { toArrow } from '../../../operators/to-arrow.ts'
import { writeParquet } from '../../../operators/write-parquet.ts'
import { StructBuilder } from '../../arrow/builder.ts'
import { canCast } from '../../arrow/cast.ts'
import { NO_COUNTS, type Flush, type OffsetRange } from '../../core/batch.ts'
import { NO_TRACE } from '../../core/flush-trace.ts'
import { systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { fieldNamed, typeName, type DataType, type StructField, type StructType } from '../../core/schema.ts'
import { brokenSince } from '../../delta/constraints/check.ts'
import { evolve } from '../../delta/schema/evolve.ts'
import { layoutOf, type Layout } from '../../delta/files/layout.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import type { WriterOptions } from '../../delta/commit/log-writer.ts'
import { nullFaults } from '../../evolution/nulls.ts'
import type { RetryPatience } from '../../resilience/retries.ts'
import type { Store } from '../../storage/store.ts'
import type { TableLease, Tables } from './table-pool.ts'

/** What a table of the service's own holds: dead letters, or what became of them. */
export interface SideTableOptions extends WriterOptions {
  readonly uri: string
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  /** Columns beside `schema`, of whatever type the table has them; strings where they are added. */
  readonly others?: readonly string[]
  /** Whether columns that an existing table lacks are added; otherwise they are left out. */
  readonly evolves: boolean
  /** How hard its store tries. */
  readonly patience?: RetryPatience
}

/** A row: column → value as builders take it. */
export type SideRow = Readonly<Record<string, unknown>>

/** A table that the service keeps beside those of its topics. */
export interface SideTable {
  readonly table: TableWriter
  readonly store: Store
  /** The columns of rows: ours as the table has them now. */
  readonly schema: StructType
  /**
   * Appends rows in one commit with a `txn` `<appId>-<partition>` of version `last` for each range, each of which must
   * follow on from `follows`. `fenced` where one does not: then nothing was written.
   * @throws KD_SCHEMA_MISMATCH where the table takes such rows no more, and what a commit throws
   */
  append(
    rows: readonly SideRow[],
    appId: string,
    ranges: readonly OffsetRange[],
  ): Promise<'committed' | 'fenced'>
  /** Waits for what is on its way, and gives the table back. */
  release(): Promise<void>
}

/** Small files of text. */
const PARQUET = { compression: 'zstd', rowGroupRows: 65_536, rowGroupBytes: 16 * 1024 * 1024 } as const

/**
 * Opens a table of the service's own, or creates it where it is absent.
 * @throws KD_SCHEMA_MISMATCH where its columns cannot take the rows, and what opening or creating a table throws
 */
export async function openSideTable(tables: Tables, options: SideTableOptions): Promise<SideTable> {
  const lease = await tables.lease(options.uri, options.patience)
  try {
    const { partitionColumns } = options
    const schema = { ...options.schema, fields: [...options.schema.fields, ...otherFields(options)] }
    const table =
      (await lease.existing(options)) ?? (await lease.create({ schema, partitionColumns }, options))
    return new Side(lease, table, options)
  } catch (error) {
    await lease.release()
    throw error
  }
}

class Side implements SideTable {
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
    // Refused now rather than with the first row.
    this.#layout(this.#schema())
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
    const counts = { ...NO_COUNTS, records: rows.length, rows: rows.length }
    const payload = chunksOf(rows, schema, table)
    const flush: Flush<readonly Chunk[]> = {
      id: ++this.#flushes,
      ranges,
      payload,
      deadLetters: [],
      counts,
      bytes: 0,
      newestMs: 0,
      trace: NO_TRACE,
    }
    let unfit: string | undefined
    const committed = await lastValueFrom(
      of(flush).pipe(
        toArrow({
          layout: () => this.#layout(schema),
          unfit: (columns, { basis }) => brokenSince(columns, basis.metadata, clock.now()),
        }),
        writeParquet({ ...PARQUET, store, clock }),
        commitDelta({
          table,
          appId,
          clock,
          deadLetters: { write: () => Promise.resolve() },
          fenced: async ({ payload: files }, _, reason) => {
            unfit = reason
            await files.discard()
          },
        }),
      ),
      { defaultValue: undefined },
    )
    if (unfit !== undefined) throw new PipelineError('KD_SCHEMA_MISMATCH', unfit, { table: table.uri })
    return committed === undefined ? 'fenced' : 'committed'
  }

  release(): Promise<void> {
    return this.#lease.release()
  }

  /** Our columns as the table has them; those that it lacks as we would add them, or left out. */
  #schema(): StructType {
    const { schema: columns } = this.table.shape.metadata
    const fields = this.#options.schema.fields.flatMap((ours): readonly StructField[] => {
      const theirs = fieldNamed(columns, ours.name)
      if (theirs !== undefined) {
        if (!takes(theirs.type, ours.type)) throw this.#mismatch(theirs, ours)
        return [{ ...theirs, name: ours.name }]
      }
      return this.#options.evolves ? [ours] : []
    })
    for (const other of otherFields(this.#options)) {
      const theirs = fieldNamed(columns, other.name)
      if (theirs !== undefined || this.#options.evolves) fields.push(theirs ?? other)
    }
    return { type: 'struct', fields }
  }

  #mismatch(theirs: StructField, ours: StructField): PipelineError {
    const detail = `column ${theirs.name}: expected ${typeName(ours.type)}, got ${typeName(theirs.type)}`
    return new PipelineError('KD_SCHEMA_MISMATCH', detail, { table: this.table.uri })
  }

  #layout(schema: StructType): Layout {
    const { shape, uri } = this.table
    const faults = nullFaults(shape.metadata.schema, schema, new Set())
    if (faults.length > 0) throw new PipelineError('KD_SCHEMA_MISMATCH', faults.join('; '), { table: uri })
    const evolution = evolve(shape, schema, { add: this.#options.evolves, widen: false, casts: canCast })
    if (evolution === undefined) return layoutOf(shape)
    const { metadata, protocol } = evolution
    const change = { metadata, ...(protocol === undefined ? {} : { protocol }) }
    return { ...layoutOf(evolution.shape), basis: shape, change }
  }
}

/** Those of `others` that `schema` has not. */
function otherFields({ schema, others = [] }: SideTableOptions): readonly StructField[] {
  return others
    .filter((name) => fieldNamed(schema, name) === undefined)
    .map((name) => ({ name, type: 'string', nullable: true, metadata: {} }))
}

/** Rows in columns, a chunk for each table partition. Throws `KD_SCHEMA_MISMATCH` for a value that the table's column cannot hold. */
function chunksOf(rows: readonly SideRow[], schema: StructType, table: TableWriter): readonly Chunk[] {
  const { partitionColumns } = table.metadata
  const builders = new Map<string, { builder: StructBuilder; partition: readonly unknown[] }>()
  for (const row of rows) {
    const partition = partitionColumns.map((name) => row[fieldNamed(schema, name)?.name ?? name] ?? null)
    const key = JSON.stringify(partition, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    const of = builders.get(key) ?? { builder: new StructBuilder(schema), partition }
    builders.set(key, of)
    const fault = of.builder.append(row)
    if (fault !== undefined) throw new PipelineError('KD_SCHEMA_MISMATCH', fault, { table: table.uri })
  }
  return [...builders.values()].map(({ builder, partition }) => ({
    columns: builder.finishColumns(),
    labels: undefined,
    partitions: [partition],
  }))
}

/** Whether a column of the first type holds any value of the second: times as text, and integers as wider ones, too. */
function takes(theirs: DataType, ours: DataType): boolean {
  if (theirs === 'string') return ours === 'string' || ours === 'date' || ours === 'timestamp'
  if (theirs === 'long') return ours === 'long' || ours === 'integer'
  return typeName(theirs) === typeName(ours)
}
