import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import type { Action, Add } from '../protocol/actions.ts'
import { CheckpointScheduler } from './checkpoint-scheduler.ts'
import { ChecksumWriter } from './checksum-writer.ts'
import { createCommitInfo, type CommitDescription } from './commit-info.ts'
import { backOff, COMMIT_ATTEMPTS_MAX, readCommitsFrom } from './commit.ts'
import { findDomainConflict } from './conflicts.ts'
import { commitKey } from '../protocol/paths.ts'
import { assignRowIds } from '../log/row-tracking.ts'
import { applyActions, type LogCommit, commitInfoOf, type TableState } from '../log/state.ts'

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
 * writes the checkpoint that is due at that version. Moves past a version only when it exists and is not our own
 * commit. Throws store errors. Spec: "Delta Log Entries", "Creation of New Log Entries".
 * @throws KD_COMMIT_CONTENDED if all attempts lost
 */
export async function commitTableChange(
  store: Store,
  from: TableState,
  change: TableChange,
  options: TableChangeOptions = {},
): Promise<TableChangeOutcome> {
  const { clock = systemClock, random = Math.random, attemptsMax = COMMIT_ATTEMPTS_MAX } = options
  const txnId = randomUUID()
  const description = { ...change, isBlindAppend: false }
  let state = from
  /** Applies commits of other writers; returns the outcome if one of them is our own or conflicts with the change. */
  const applyWinners = (winners: readonly LogCommit[], attempts: number): TableChangeOutcome | undefined => {
    let ours: TableState | undefined
    let fault: { version: bigint; reason: string } | undefined
    for (const winner of winners) {
      state = applyActions(state, winner.version, winner.actions)
      if (commitInfoOf(winner)?.['txnId'] === txnId) ours = state
      const reason = change.conflict(winner) ?? findDomainConflict(change, winner)
      if (reason !== undefined) fault ??= { version: winner.version, reason }
    }
    if (ours !== undefined) return { kind: 'committed', state: ours, attempts }
    return fault === undefined ? undefined : { kind: 'conflict', state, ...fault }
  }
  const attempt = async (attempts: number): Promise<TableChangeOutcome | undefined> => {
    if (await backOff(attempts, { clock, random })) {
      // A put after commits that arrived during the wait would be lost, so these are applied first.
      const ended = applyWinners(await readCommitsFrom(store, state.version + 1n), attempts - 1)
      if (ended !== undefined) return ended
    }
    const version = state.version + 1n
    const actions = [
      createCommitInfo(description, state, clock.now(), txnId),
      ...assignRowIds(state, change.actions),
    ]
    const put = await store.putIfAbsent(commitKey(version), serialiseActions(actions))
    if (put === 'created')
      return { kind: 'committed', state: applyActions(state, version, actions), attempts }
    return applyWinners(await readCommitsFrom(store, version), attempts)
  }
  for (let attempts = 1; attempts <= attemptsMax; attempts++) {
    const outcome = await attempt(attempts)
    if (outcome?.kind === 'committed') await afterCommit(store, outcome.state, options)
    if (outcome !== undefined) return outcome
  }
  const context = { table: store.uri, version: state.version }
  throw new PipelineError(
    'KD_COMMIT_CONTENDED',
    `no commit in ${attemptsMax} attempts: other writers came first or puts were not confirmed`,
    context,
  )
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
