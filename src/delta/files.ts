import type { Store } from '../storage/store.ts'
import type { Action } from './actions.ts'
import { fileKey } from './actions.ts'
import { FILE_COLUMNS, readCheckpoint } from './checkpoint-read.ts'
import { type LogSegment, needCommit } from './log.ts'

/** A file action that nothing later cancelled: a file of the table, or the tombstone of one that left it. */
export type FileAction = Extract<Action, { kind: 'add' | 'remove' }>

/**
 * Files and tombstones of the table, each logical file once: those of the checkpoint first, then in the order of commits.
 * Memory holds the commits after the checkpoint, never the checkpoint. Spec: "Action Reconciliation".
 */
export async function* liveFiles(store: Store, segment: LogSegment): AsyncGenerator<FileAction> {
  const tail = new Map<string, FileAction>()
  for (const version of segment.commits) {
    const { actions } = await needCommit(store, version)
    const files = actions.filter((action) => action.kind === 'add' || action.kind === 'remove')
    // Actions of one commit have no order: one that removes a file and adds it with a new deletion vector has two keys.
    for (const action of files) {
      const key = fileKey(action.kind === 'add' ? action.add : action.remove)
      tail.delete(key)
      tail.set(key, action)
    }
  }
  if (segment.checkpoint !== undefined) {
    for await (const actions of readCheckpoint(store, segment.checkpoint, FILE_COLUMNS)) {
      for (const action of actions) {
        if (action.kind === 'add' && !tail.has(fileKey(action.add))) yield action
        else if (action.kind === 'remove' && !tail.has(fileKey(action.remove))) yield action
      }
    }
  }
  yield* tail.values()
}
