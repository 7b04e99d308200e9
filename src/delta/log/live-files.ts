import type { Store } from '../../storage/store.ts'
import type { Action } from '../protocol/actions.ts'
import { logicalFileKey } from '../protocol/actions.ts'
import { FILE_COLUMNS, type OmittedField, readCheckpoint } from './checkpoint-read.ts'
import { type LogSegment, requireCommit } from './log-segment.ts'

/** A `FileAction` is a live file of the table, or the tombstone of a removed file. */
export type FileAction = Extract<Action, { kind: 'add' | 'remove' }>

/**
 * Yields the files and tombstones of the table, each logical file once: those of the checkpoint first, then those of
 * later commits in order. Memory holds the file actions of commits after the checkpoint, never those of the checkpoint.
 * `omitted` fields may be absent for files from a checkpoint. Spec: "Action Reconciliation".
 */
export async function* readLiveFiles(
  store: Store,
  segment: LogSegment,
  omitted: readonly OmittedField[] = [],
): AsyncGenerator<FileAction> {
  const tail = await readFilesAfterCheckpoint(store, segment)
  if (segment.checkpoint !== undefined) {
    for await (const actions of readCheckpoint(store, segment.checkpoint, FILE_COLUMNS, omitted)) {
      yield* skipCancelled(tail, actions)
    }
  }
  yield* tail.values()
}

/**
 * Reads the file actions of the commits after the checkpoint: the last action of each logical file, in commit order.
 */
export async function readFilesAfterCheckpoint(
  store: Store,
  segment: LogSegment,
): Promise<ReadonlyMap<string, FileAction>> {
  const tail = new Map<string, FileAction>()
  for (const version of segment.commits) {
    const { actions } = await requireCommit(store, version)
    const files = actions.filter((action) => action.kind === 'add' || action.kind === 'remove')
    // Actions of one commit have no order: a commit that removes a file and adds it with a new deletion vector uses two
    // keys.
    for (const action of files) {
      const key = logicalFileKey(action.kind === 'add' ? action.add : action.remove)
      tail.delete(key)
      tail.set(key, action)
    }
  }
  return tail
}

/** Yields the file actions of a checkpoint that no later commit replaces. */
export function* skipCancelled(
  tail: ReadonlyMap<string, FileAction>,
  actions: readonly Action[],
): Generator<FileAction> {
  for (const action of actions) {
    if (action.kind !== 'add' && action.kind !== 'remove') continue
    if (!tail.has(logicalFileKey(action.kind === 'add' ? action.add : action.remove))) yield action
  }
}
