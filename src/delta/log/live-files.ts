import type { Store } from '../../storage/store.ts'
import type { Action } from '../protocol/actions.ts'
import { fileKey } from '../protocol/actions.ts'
import { FILE_COLUMNS, type OmittedField, readCheckpoint } from './checkpoint-read.ts'
import { type LogSegment, needCommit } from './log-segment.ts'

/** A file action that nothing later cancelled: a file of the table, or the tombstone of one that left it. */
export type FileAction = Extract<Action, { kind: 'add' | 'remove' }>

/**
 * Files and tombstones of the table, each logical file once: those of the checkpoint first, then in the order of commits.
 * Memory holds the commits after the checkpoint, never the checkpoint. What is `omitted` may be absent where it is in a
 * checkpoint. Spec: "Action Reconciliation".
 */
export async function* liveFiles(
  store: Store,
  segment: LogSegment,
  omitted: readonly OmittedField[] = [],
): AsyncGenerator<FileAction> {
  const tail = await filesAfterCheckpoint(store, segment)
  if (segment.checkpoint !== undefined) {
    for await (const actions of readCheckpoint(store, segment.checkpoint, FILE_COLUMNS, omitted)) {
      yield* notIn(tail, actions)
    }
  }
  yield* tail.values()
}

/** What the commits after the checkpoint say of files, the last word on each logical file alone, in their order. */
export async function filesAfterCheckpoint(
  store: Store,
  segment: LogSegment,
): Promise<ReadonlyMap<string, FileAction>> {
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
  return tail
}

/** Those files of a checkpoint that nothing later speaks of. */
export function* notIn(
  tail: ReadonlyMap<string, FileAction>,
  actions: readonly Action[],
): Generator<FileAction> {
  for (const action of actions) {
    if (action.kind !== 'add' && action.kind !== 'remove') continue
    if (!tail.has(fileKey(action.kind === 'add' ? action.add : action.remove))) yield action
  }
}
