import { messageOf, PipelineError } from '../../core/errors.ts'
import { undefinedIfNotFound, type Store } from '../../storage/store.ts'
import { findLogSegment, readCommitHead, type LogSegment } from '../log/log-segment.ts'
import { loadState } from '../log/snapshot.ts'
import type { TableState } from '../log/state.ts'

/** Selects the state of a table that a check needs. */
type KnownState = Pick<TableState, 'version' | 'metadata' | 'head' | 'headBefore'>

/**
 * Checks that the log still holds the newest commit of `state` and the one before it: then the next version continues
 * the same table. A commit never changes, so its first bytes prove it. Where its file is missing, because it was deleted
 * or has expired, the log decides. Sends two requests at once. Throws store errors.
 * @throws KD_TABLE_REPLACED if the table was deleted, replaced or set back to an older version
 */
export async function checkSameTable(store: Store, state: KnownState): Promise<void> {
  const { version, head, headBefore } = state
  const [holdsNewest, holdsBefore] = await Promise.all([
    holdsCommit(store, version, head),
    headBefore === undefined || holdsCommit(store, version - 1n, headBefore),
  ])
  if (!holdsNewest || !holdsBefore) await checkByLog(store, state)
}

/**
 * Checks after a write into the log that its newest commit is still that of `state`; calls `undo` if not. `checkpoint`
 * is the key of a checkpoint that was written: it alone proves nothing. Throws store errors.
 * @throws KD_TABLE_REPLACED if the table was deleted, replaced or set back to an older version
 */
export async function undoUnlessSameTable(
  store: Store,
  state: KnownState,
  undo: () => Promise<void>,
  checkpoint?: string,
): Promise<void> {
  try {
    if (!(await holdsCommit(store, state.version, state.head))) await checkByLog(store, state, checkpoint)
  } catch (error) {
    if (isReplacedTableError(error)) await undo()
    throw error
  }
}

/** Deletes an object if it still has the contents that were written. */
export async function deleteIfUnchanged(store: Store, key: string, body: Uint8Array): Promise<void> {
  const found = await undefinedIfNotFound(store.get(key))
  if (found !== undefined && Buffer.compare(found, body) === 0) await store.delete(key)
}

/** Returns true for the error of a table that was deleted or replaced. */
export function isReplacedTableError(error: unknown): error is PipelineError {
  return error instanceof PipelineError && error.code === 'KD_TABLE_REPLACED'
}

/**
 * Returns whether the log holds the commit; `false` also if its file is missing or `head` is unknown.
 * @throws KD_TABLE_REPLACED if the log holds another commit of this version
 */
async function holdsCommit(store: Store, version: bigint, head: Uint8Array | undefined): Promise<boolean> {
  const found = await readCommitHead(store, version)
  if (found === undefined || head === undefined) return false
  if (Buffer.compare(found, head) === 0) return true
  throw replacedTableError(store, `version ${version} is not the commit that was read or written before`)
}

/** Decides by the whole log, for a commit that may have expired beside a checkpoint. */
async function checkByLog(
  store: Store,
  { version, metadata }: KnownState,
  checkpoint?: string,
): Promise<void> {
  let segment: LogSegment
  try {
    segment = await findLogSegment(store)
  } catch (error) {
    const isGone = error instanceof PipelineError && /^KD_TABLE_(?:MISSING|CORRUPT)$/u.test(error.code)
    throw isGone ? replacedTableError(store, messageOf(error), error) : error
  }
  if (checkpoint !== undefined && segment.checkpoint?.keys.includes(checkpoint) === true)
    throw replacedTableError(store, `version ${version} is gone`)
  if (segment.version < version)
    throw replacedTableError(store, `its newest version is ${segment.version}, expected at least ${version}`)
  const { id } = (await loadState(store, segment)).metadata
  if (id !== metadata.id)
    throw replacedTableError(store, `the table has the id ${id}, expected ${metadata.id}`)
}

function replacedTableError(store: Store, found: string, cause?: unknown): PipelineError {
  const detail = `${found}; nothing is written to it. If that is intended, start the topic again: its records are then read again for the new table`
  return new PipelineError('KD_TABLE_REPLACED', detail, { table: store.uri }, { cause })
}
