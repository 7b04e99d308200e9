import { MapRow, StructRow, type Table, Vector } from 'apache-arrow'
import { messageOf, PipelineError } from '../core/errors.ts'
import { readTables } from '../parquet/reader.ts'
import type { Store } from '../storage/store.ts'
import type { Action } from './actions.ts'
import { readAction } from './action-json.ts'
import type { Checkpoint } from './log.ts'

/** The actions that a checkpoint may hold; each is a column of its own. Spec: "Checkpoint Schema". */
export type CheckpointColumn = 'protocol' | 'metaData' | 'txn' | 'domainMetadata' | 'add' | 'remove'

/** Columns of everything but files: what a writer reads. */
export const STATE_COLUMNS: readonly CheckpointColumn[] = ['protocol', 'metaData', 'txn', 'domainMetadata']

/** Columns of files. */
export const FILE_COLUMNS: readonly CheckpointColumn[] = ['add', 'remove']

/**
 * Actions of a checkpoint of one or many parts, some thousands at a time, of the columns asked for alone.
 * Throws `KD_TABLE_CORRUPT`. Spec: "Checkpoints" (V1 spec).
 */
export async function* readCheckpoint(
  store: Store,
  checkpoint: Checkpoint,
  columns: readonly CheckpointColumn[],
): AsyncGenerator<readonly Action[]> {
  const { version } = checkpoint
  for (const key of checkpoint.keys) {
    const bytes = await store.get(key)
    try {
      for (const table of readTables(key, bytes, { columns })) yield actionsOf(table, columns)
    } catch (cause) {
      throw new PipelineError('KD_TABLE_CORRUPT', messageOf(cause), { version, checkpoint: key }, { cause })
    }
  }
}

function actionsOf(table: Table, columns: readonly string[]): readonly Action[] {
  const actions: Action[] = []
  for (const name of columns) {
    const column = table.getChild(name)
    if (column === null) continue
    for (let row = 0; row < column.length; row++) {
      const body: unknown = column.get(row)
      if (body === null) continue
      const action = readAction(name, plain(body))
      if (action !== undefined) actions.push(action)
    }
  }
  return actions
}

/** Arrow's rows as plain objects and arrays; longs stay `bigint`. */
function plain(value: unknown): unknown {
  if (value instanceof StructRow || value instanceof MapRow) {
    return Object.fromEntries(
      [...(value as Iterable<[string, unknown]>)].map(([key, item]) => [key, plain(item)]),
    )
  }
  if (value instanceof Vector) return [...(value as Iterable<unknown>)].map(plain)
  return value
}
