import { type Clock, systemClock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Action, Add } from '../protocol/actions.ts'
import { CheckpointScheduler } from './checkpoint-scheduler.ts'
import { ChecksumWriter } from './checksum-writer.ts'
import { createCommitInfo, type CommitDescription } from './commit-info.ts'
import { COMMIT_ATTEMPTS_MAX, commitOptimistically } from './commit.ts'
import { findDomainConflict } from './conflicts.ts'
import { assignRowIds } from '../log/row-tracking.ts'
import type { LogCommit, TableState } from '../log/state.ts'

/** Describes a commit other than an append: what a maintenance command writes. */
export interface TableChange extends Omit<CommitDescription, 'isBlindAppend'> {
  /** Actions to commit. Row ids of new files are assigned at commit; ids of moved rows are preserved. */
  readonly actions: readonly Action[]
  /**
   * Returns why the change is wrong after this commit of another writer, in words that follow its version; `undefined`
   * if the change stays correct.
   */
  conflict(winner: LogCommit): string | undefined
}

/** Describes how a change ended. After a conflict nothing of the change is in the log, now or later. */
type TableChangeOutcome =
  | { readonly kind: 'committed'; readonly state: TableState; readonly attempts: number }
  | {
      readonly kind: 'conflict'
      readonly state: TableState
      readonly version: bigint
      readonly reason: string
    }

/** Configures how a change is committed; every option has a default. */
export interface TableChangeOptions {
  readonly clock?: Clock | undefined
  /** Random number in [0, 1), for jitter. */
  readonly random?: (() => number) | undefined
  /** Maximum of puts for one change; 100 by default. */
  readonly attemptsMax?: number | undefined
  /** Receives harmless failures, such as a checkpoint that could not be written. */
  readonly onWarning?: ((warning: PipelineError) => void) | undefined
}

/**
 * Commits the change in the version after `from`, or after commits of other writers that do not conflict with it, and
 * writes the checkpoint that is due at that version. Throws store errors.
 * @throws KD_COMMIT_CONTENDED if all attempts lost
 */
export async function commitTableChange(
  store: Store,
  from: TableState,
  change: TableChange,
  options: TableChangeOptions = {},
): Promise<TableChangeOutcome> {
  const { clock = systemClock, random = Math.random, attemptsMax = COMMIT_ATTEMPTS_MAX } = options
  const description = { ...change, isBlindAppend: false }
  let conflict: Conflict | undefined
  const result = await commitOptimistically({ store, clock, random, attemptsMax }, from, {
    actionsAfter: (state, txnId) => [
      createCommitInfo(description, state, clock.now(), txnId),
      ...assignRowIds(state, change.actions),
    ],
    continuesAfter({ winners }) {
      conflict = findConflict(change, winners)
      return conflict === undefined
    },
  })
  if (result.kind === 'contended') throw result.error
  if (result.kind === 'committed') {
    await afterCommit(store, result.committed, options)
    return { kind: 'committed', state: result.committed, attempts: result.attempts }
  }
  return { kind: 'conflict', state: result.state, ...(conflict as Conflict) }
}

/** The first commit of another writer after which the change is wrong. */
interface Conflict {
  readonly version: bigint
  readonly reason: string
}

function findConflict(change: TableChange, winners: readonly LogCommit[]): Conflict | undefined {
  for (const winner of winners) {
    const reason = change.conflict(winner) ?? findDomainConflict(change, winner)
    if (reason !== undefined) return { version: winner.version, reason }
  }
  return undefined
}

/** Returns the `remove` action of a file, with the fields of its `add`. Spec: "Add File and Remove File". */
export function removeActionOf(
  add: Omit<Add, 'modificationTime' | 'dataChange'>,
  nowMs: number,
  dataChange: boolean,
): Action {
  const { path, partitionValues, size, deletionVector, baseRowId, defaultRowCommitVersion } = add
  return {
    kind: 'remove',
    remove: {
      path,
      deletionTimestamp: nowMs,
      dataChange,
      extendedFileMetadata: true,
      partitionValues,
      size,
      ...(deletionVector === undefined ? {} : { deletionVector }),
      ...(baseRowId === undefined ? {} : { baseRowId }),
      ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
    },
  }
}

/** Writes the checksum of the commit and, if one is due, a checkpoint. */
async function afterCommit(store: Store, state: TableState, options: TableChangeOptions): Promise<void> {
  const onWarning = options.onWarning ?? (() => undefined)
  const checksums = new ChecksumWriter(store, onWarning)
  // A streaming writer does not write the checkpoint of a version that a change took.
  const checkpoints = new CheckpointScheduler(store, options.clock ?? systemClock, onWarning)
  checksums.onCommit(state)
  checkpoints.onCommit(state)
  await Promise.all([checksums.idle(), checkpoints.idle()])
}
