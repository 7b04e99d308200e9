import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { commitHeadOf, readCommit } from '../log/log-segment.ts'
import { applyActions, type LogCommit, type TableState } from '../log/state.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import type { Action } from '../protocol/actions.ts'
import { commitKey } from '../protocol/paths.ts'
import { resolveConflicts } from './conflicts.ts'
import { checkSameTable, deleteIfUnchanged, undoUnlessSameTable } from './same-table.ts'

/** Configures how a commit is attempted. */
export interface CommitOptions {
  readonly store: Store
  readonly clock: Clock
  /** Random number in [0, 1), for jitter. */
  readonly random: () => number
  /** Maximum of puts for one commit. */
  readonly attemptsMax: number
}

/** Counts the attempts of a commit so far. */
export interface CommitCounts {
  /** Number of puts. */
  readonly attempts: number
  /** Number of versions that other writers took first. */
  readonly conflicts: number
}

/** Describes what is to be committed, and decides after commits of other writers whether it is committed after them. */
export interface CommitProposal {
  /** Returns the actions of the version after `state`; called for each put, because times and row ids depend on `state`. */
  actionsAfter(state: TableState, txnId: string): readonly Action[]
  /** Returns whether the proposal is still to be committed after `lost`. */
  continuesAfter(lost: LostVersions, counts: CommitCounts): boolean
}

/** Holds the commits of other writers that took versions before a proposal. */
export interface LostVersions {
  /** In ascending order; empty if a put was not confirmed and its version does not exist. */
  readonly winners: readonly LogCommit[]
  /** State of the table after the last of them. */
  readonly state: TableState
  /** True if protocol, schema, partitioning or properties of the table have changed. */
  readonly isTableChanged: boolean
}

/** Describes how a commit ended. `state` is the newest state of the table that was read, whatever the outcome. */
export type CommitResult = { readonly state: TableState } & (
  | (CommitCounts & {
      readonly kind: 'committed'
      /** State of the table at the committed version. */
      readonly committed: TableState
      /** Number of puts with an unknown outcome, which was settled by reading the log. */
      readonly ambiguous: number
    })
  /** The proposal does not continue after commits of other writers. Nothing was written. */
  | { readonly kind: 'ended' }
  /** All attempts lost. */
  | { readonly kind: 'contended'; readonly error: PipelineError }
)

/** Limits the puts of one commit unless an option sets another maximum. */
export const COMMIT_ATTEMPTS_MAX = 100

/** Puts that follow without a wait: losing twice is common, losing often means many concurrent writers. */
const ATTEMPTS_WITHOUT_WAIT = 3
const WAIT_FIRST_MS = 10
const WAIT_MS_MAX = 1_000

/**
 * Commits the proposal in the version after `from`, or after commits of other writers as long as it continues after
 * them. Throws store errors.
 *
 * Moves past a version only when it exists and is not our own commit. So a put with an unknown outcome that arrives
 * late can at most take the version it was meant for. Before and after a put it checks that the version before is still
 * there, so that nothing is written after another table has taken the place of this one. Spec: "Delta Log Entries",
 * "Creation of New Log Entries".
 * @throws KD_TABLE_REPLACED if the table was deleted, replaced or set back to an older version
 */
export async function commitOptimistically(
  options: CommitOptions,
  from: TableState,
  proposal: CommitProposal,
): Promise<CommitResult> {
  const { store, attemptsMax } = options
  const txnId = randomUUID()
  let state = from
  let conflicts = 0
  let ambiguous = 0
  /** Applies commits of other writers; returns the result if one of them is our own or ends the proposal. */
  const applyWinners = (winners: readonly LogCommit[], attempts: number): CommitResult | undefined => {
    const { own, isTableChanged, state: newest } = resolveConflicts(state, winners, txnId)
    state = newest
    if (own !== undefined) return { kind: 'committed', committed: own, state, attempts, conflicts, ambiguous }
    conflicts += winners.length
    const continues = proposal.continuesAfter({ winners, state, isTableChanged }, { attempts, conflicts })
    return continues ? undefined : { kind: 'ended', state }
  }
  await checkSameTable(store, state)
  for (let attempts = 1; attempts <= attemptsMax; attempts++) {
    if (await backOff(attempts, options)) {
      // A put after commits that arrived during the wait would be lost, so these are applied first.
      const winners = await readCommitsFrom(store, state.version + 1n)
      await checkSameTable(store, state)
      const ended = applyWinners(winners, attempts - 1)
      if (ended !== undefined) return ended
    }
    const version = state.version + 1n
    const actions = proposal.actionsAfter(state, txnId)
    const body = serialiseActions(actions)
    const key = commitKey(version)
    const put = await store.putIfAbsent(key, body)
    if (put === 'unknown') ambiguous++
    const winners = put === 'created' ? [] : await readCommitsFrom(store, version)
    // After the winners were read: until then another table may have taken the place of this one.
    await undoUnlessSameTable(store, state, () => deleteIfUnchanged(store, key, body))
    if (put === 'created') {
      const committed = applyActions(state, version, actions, commitHeadOf(body))
      return { kind: 'committed', committed, state: committed, attempts, conflicts, ambiguous }
    }
    const ended = applyWinners(winners, attempts)
    if (ended !== undefined) return ended
  }
  const detail = `no commit in ${attemptsMax} attempts: other writers came first or puts were not confirmed`
  const context = { table: store.uri, version: state.version, conflicts, ambiguous }
  return { kind: 'contended', state, error: new PipelineError('KD_COMMIT_CONTENDED', detail, context) }
}

/** Reads all commits from `version` on, one by one until there is none. */
export async function readCommitsFrom(store: Store, version: bigint): Promise<readonly LogCommit[]> {
  const commits: LogCommit[] = []
  for (let next = version; ; next++) {
    const commit = await readCommit(store, next)
    if (commit === undefined) return commits
    commits.push(commit)
  }
}

/**
 * Waits before the next put of a commit that lost: exponential backoff with a cap and full jitter, so that writers do
 * not collide again. Returns whether it waited: the first attempts follow without a wait.
 */
async function backOff(attempts: number, { clock, random }: CommitOptions): Promise<boolean> {
  if (attempts <= ATTEMPTS_WITHOUT_WAIT) return false
  const doublings = Math.min(attempts - ATTEMPTS_WITHOUT_WAIT, 20)
  await clock.sleep(random() * Math.min(WAIT_MS_MAX, WAIT_FIRST_MS * 2 ** doublings))
  return true
}
