import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import type { Action, Add } from '../protocol/actions.ts'
import { Checkpoints } from './checkpoint-scheduler.ts'
import { Checksums } from './checksum-writer.ts'
import { commitInfo, type CommitFacts } from './commit-info.ts'
import { ATTEMPTS_MAX, pause, readTail } from './commit.ts'
import { commitKey } from '../protocol/paths.ts'
import { withRowIds } from '../log/row-tracking.ts'
import { applyActions, type Commit, commitInfoOf, type TableState } from '../log/state.ts'

/** A commit that is no append: what a maintenance command wants to write. */
export interface Change extends Omit<CommitFacts, 'isBlindAppend'> {
  /** New files get their row ids when they are committed; those of rows that move are preserved. */
  readonly actions: readonly Action[]
  /** Why the change would be wrong after this commit of another writer; `undefined` where it stays right. */
  conflict(winner: Commit): string | undefined
}

/** How a change ended. Given up: nothing of it is in the log, nor ever will be. */
export type ChangeOutcome =
  | { readonly kind: 'committed'; readonly state: TableState; readonly attempts: number }
  | {
      readonly kind: 'conflict'
      readonly state: TableState
      readonly version: bigint
      readonly reason: string
    }

/** What a change needs of its surroundings; every option has a default. */
export interface ChangeOptions {
  readonly clock?: Clock | undefined
  /** In [0, 1), for jitter. */
  readonly random?: (() => number) | undefined
  /** Puts that one change tries at most; 100 by default. */
  readonly attemptsMax?: number | undefined
  /** Is told what failed without harm: a checkpoint that could not be written. */
  readonly onWarning?: ((warning: PipelineError) => void) | undefined
}

/**
 * Writes the change in the version after `from`, or after whatever winners came first and are no conflict, and the
 * checkpoint that is due at that version. A version is only passed over once it exists and is not ours.
 * Throws `KD_COMMIT_CONTENDED` and what a store throws. Spec: "Delta Log Entries", "Creation of New Log Entries".
 */
export async function commitChange(
  store: Store,
  from: TableState,
  change: Change,
  options: ChangeOptions = {},
): Promise<ChangeOutcome> {
  const { clock = systemClock, random = Math.random, attemptsMax = ATTEMPTS_MAX } = options
  const txnId = randomUUID()
  const facts = { ...change, isBlindAppend: false }
  let state = from
  /** Goes on behind commits of others; says how the change ended where one of them is its own or speaks against it. */
  const meet = (winners: readonly Commit[], attempts: number): ChangeOutcome | undefined => {
    let ours: TableState | undefined
    let fault: { version: bigint; reason: string } | undefined
    for (const winner of winners) {
      state = applyActions(state, winner.version, winner.actions)
      if (commitInfoOf(winner)?.['txnId'] === txnId) ours = state
      const reason = change.conflict(winner) ?? domainConflict(change, winner)
      if (reason !== undefined) fault ??= { version: winner.version, reason }
    }
    if (ours !== undefined) return { kind: 'committed', state: ours, attempts }
    return fault === undefined ? undefined : { kind: 'conflict', state, ...fault }
  }
  const attempt = async (attempts: number): Promise<ChangeOutcome | undefined> => {
    if (await pause(attempts, { clock, random })) {
      // Whatever came meanwhile would make the put lose before it is sent.
      const ended = meet(await readTail(store, state.version + 1n), attempts - 1)
      if (ended !== undefined) return ended
    }
    const version = state.version + 1n
    const actions = [commitInfo(facts, state, clock.now(), txnId), ...withRowIds(state, change.actions)]
    const put = await store.putIfAbsent(commitKey(version), serialiseActions(actions))
    if (put === 'created')
      return { kind: 'committed', state: applyActions(state, version, actions), attempts }
    return meet(await readTail(store, version), attempts)
  }
  for (let attempts = 1; attempts <= attemptsMax; attempts++) {
    const outcome = await attempt(attempts)
    if (outcome?.kind === 'committed') await afterCommit(store, outcome.state, options)
    if (outcome !== undefined) return outcome
  }
  const context = { table: store.uri, version: state.version }
  throw new PipelineError('KD_COMMIT_CONTENDED', `all ${attemptsMax} attempts lost`, context)
}

/** Two commits that both write one domain conflict, whatever else they are. Spec: "Domain Metadata". */
function domainConflict(change: Change, winner: Commit): string | undefined {
  const domains = ({ actions }: Pick<Commit, 'actions'>): string[] =>
    actions.flatMap((action) => (action.kind === 'domainMetadata' ? [action.domainMetadata.domain] : []))
  const theirs = new Set(domains(winner))
  const both = domains(change).find((domain) => theirs.has(domain))
  return both === undefined ? undefined : `it wrote the domain ${both}`
}

/** `metaData` or `protocol` in a winner's commit, which make any change wrong. */
export function tableChange(winner: Commit): string | undefined {
  const action = winner.actions.find(({ kind }) => kind === 'metaData' || kind === 'protocol')
  return action === undefined ? undefined : `it carries a ${action.kind} action`
}

/** The tombstone of a file: it names the file as its `add` did. Spec: "Add File and Remove File". */
export function removalOf(
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

/** What is written beside a commit: its checksum and, where it is due, its checkpoint. */
async function afterCommit(store: Store, state: TableState, options: ChangeOptions): Promise<void> {
  const onWarning = options.onWarning ?? (() => undefined)
  const checksums = new Checksums(store, onWarning)
  // A version that a change took is none at which a streaming writer would write the checkpoint that is due.
  const checkpoints = new Checkpoints(store, options.clock ?? systemClock, onWarning)
  checksums.committed(state)
  checkpoints.committed(state)
  await Promise.all([checksums.idle(), checkpoints.idle()])
}
