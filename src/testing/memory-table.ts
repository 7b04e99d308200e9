import { StructBuilder } from '../arrow/builder.ts'
import { rowAt } from '../arrow/values.ts'
import type { DeadLetter } from '../core/batch.ts'
import { PipelineError } from '../core/errors.ts'
import { openTableWriter } from '../delta/commit/log-writer.ts'
import type { TableWriter } from '../delta/commit/table-writer.ts'
import { loadSnapshot } from '../delta/log/snapshot.ts'
import { createTable, type NewTable } from '../delta/maintenance/create.ts'
import { readRowLines } from '../delta/rewrite/row-lines.ts'
import { parseExact } from '../formats/json/exact.ts'
import { appIdOf } from '../../operators/commit-delta.ts'
import type { RowSchema } from '../rows/row-types.ts'
import { MemoryStore } from '../storage/memory.ts'

/** A Delta table in memory, for tests. */
export interface MemoryTable<T extends object> {
  /** Rooted at the table. */
  readonly store: MemoryStore
  /** Writes to the table. */
  readonly table: TableWriter
  /** The dead letters that were written to `sink`, in order. */
  readonly deadLetters: readonly DeadLetter[]
  /** Keeps dead letters in `deadLetters`. */
  readonly sink: {
    /** Keeps the letters. */
    write(letters: readonly DeadLetter[]): Promise<void>
  }
  /** Returns the rows of the newest version as operators see them, in the order of files and rows. */
  readonly rows: () => Promise<readonly T[]>
  /** Returns the number of the newest version; 0 is the empty table. */
  readonly version: () => Promise<bigint>
  /** Returns the last offset that the table holds for a partition under `appId`. */
  readonly offset: (appId: string, partition: number) => Promise<bigint | undefined>
  /**
   * Commits `offset` for a partition without rows, as another process with the same `appId` does. A chain whose flush begins
   * before it is fenced.
   */
  readonly fence: (appId: string, partition: number, offset: bigint) => Promise<void>
}

/**
 * Creates an empty table in memory with the columns of `schema`.
 * @throws KD_SCHEMA_MISMATCH for a schema that a table cannot have
 */
export async function memoryTable<Out extends object, In extends object>(
  schema: RowSchema<Out, In>,
  options: Partial<Pick<NewTable, 'partitionColumns' | 'configuration'>> = {},
): Promise<MemoryTable<Out>> {
  const store = new MemoryStore()
  const { partitionColumns = [], configuration = {} } = options
  await createTable(store, { schema, partitionColumns, configuration })
  const table = await openTableWriter(store)
  const deadLetters: DeadLetter[] = []
  return {
    store,
    table,
    deadLetters,
    sink: {
      write: (letters) => {
        deadLetters.push(...letters)
        return Promise.resolve()
      },
    },
    rows: async () => (await readRows(store)) as readonly Out[],
    version: async () => (await loadSnapshot(store)).version,
    offset: (appId, partition) => table.txn(appIdOf(appId, partition)),
    fence: (appId, partition, offset) => commitOffset(store, appIdOf(appId, partition), offset),
  }
}

async function readRows(store: MemoryStore): Promise<readonly object[]> {
  const snapshot = await loadSnapshot(store)
  const builder = new StructBuilder(snapshot.schema)
  for await (const line of readRowLines(store, snapshot)) {
    const fault = builder.append(parseExact(line))
    if (fault !== undefined) throw new Error(`Broken invariant: ${fault}`)
  }
  const columns = builder.finishColumns()
  return Array.from({ length: columns.length }, (_, row) => rowAt(columns, row))
}

async function commitOffset(store: MemoryStore, appId: string, version: bigint): Promise<void> {
  const other = await openTableWriter(store)
  const outcome = await other.append({
    adds: [],
    txns: [{ appId, version, lastUpdated: Date.UTC(2026, 2, 1), follows: await other.txn(appId) }],
    operationParameters: {},
    operationMetrics: {},
  })
  if (outcome.kind !== 'committed')
    throw new PipelineError('KD_COMMIT_CONFLICT', 'another writer has committed at the same time')
}
