import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import type { Action } from '../protocol/actions.ts'
import { createCommitInfo } from './commit-info.ts'
import { resolveConflicts, findFencedAppIds } from './conflicts.ts'
import { readCommit } from '../log/log-segment.ts'
import { commitKey } from '../protocol/paths.ts'
import { assignRowIds } from '../log/row-tracking.ts'
import type { LogCommit, TableState } from '../log/state.ts'
import { applyActions } from '../log/state.ts'
import type { Append, CommitOutcome } from './table-writer.ts'

/** Configures how appends are committed. */
export interface CommitAppendsOptions {
  readonly store: Store
  readonly clock: Clock
  /** Random number in [0, 1), for jitter. */
  readonly random: () => number
  /** Maximum of puts for one append. */
  readonly attemptsMax: number
}

/** Limits the puts of one commit unless an option sets another maximum. */
export const COMMIT_ATTEMPTS_MAX = 100

/** Puts that follow without a wait: losing twice is common, losing often means many concurrent writers. */
const ATTEMPTS_WITHOUT_WAIT = 3
const WAIT_FIRST_MS = 10
const WAIT_MS_MAX = 1_000

/**
 * Holds the outcome of each append of a group, in order, and the newest state of the table that was read, which is
 * valid also after an error.
 */
interface CommittedAppends {
  readonly state: TableState
  readonly results: readonly (CommitOutcome | PipelineError)[]
}

/**
 * Commits a group of appends in one version: the one after `from`, or after commits of other writers. An append whose
 * offsets another writer has committed is fenced and leaves the group; the others continue.
 *
 * Moves past a version only when it exists and is not our own commit. So a put with an unknown outcome that arrives
 * late can at most take the version it was meant for. Spec: "Delta Log Entries", "Creation of New Log Entries".
 */
export async function commitAppends(
  options: CommitAppendsOptions,
  from: TableState,
  appends: readonly Append[],
): Promise<CommittedAppends> {
  const { store, attemptsMax } = options
  const txnId = randomUUID()
  const group = new AppendGroup(appends)
  let state = from
  let conflicts = 0
  let ambiguous = 0
  group.fenceStale(state, { attempts: 0, conflicts })
  /** Applies commits of other writers; ends the group if one of them is our own or changed the table. */
  const applyWinners = (winners: readonly LogCommit[], attempts: number): void => {
    const resolution = resolveConflicts(state, winners, txnId)
    state = resolution.state
    if (resolution.ownVersion !== undefined) {
      group.end({ kind: 'committed', version: resolution.ownVersion, attempts, conflicts, ambiguous })
      return
    }
    conflicts += winners.length
    group.fenceStale(state, { attempts, conflicts })
    if (resolution.isTableChanged) group.end({ kind: 'changed', attempts, conflicts })
  }
  for (let attempts = 1; attempts <= attemptsMax && group.waiting.length > 0; attempts++) {
    if (await backOff(attempts, options)) {
      // A put after commits that arrived during the wait would be lost, so these are applied first.
      applyWinners(await readCommitsFrom(store, state.version + 1n), attempts - 1)
      if (group.waiting.length === 0) break
    }
    const version = state.version + 1n
    const actions = commitActions(options, state, group.waiting, txnId)
    const put = await store.putIfAbsent(commitKey(version), serialiseActions(actions))
    if (put === 'unknown') ambiguous++
    if (put === 'created') {
      group.end({ kind: 'committed', version, attempts, conflicts, ambiguous })
      return { state: applyActions(state, version, actions), results: group.results() }
    }
    applyWinners(await readCommitsFrom(store, version), attempts)
  }
  const context = { table: store.uri, version: state.version, conflicts, ambiguous }
  group.end(
    new PipelineError(
      'KD_COMMIT_CONTENDED',
      `no commit in ${attemptsMax} attempts: other writers came first or puts were not confirmed`,
      context,
    ),
  )
  return { state, results: group.results() }
}

/** Tracks the appends of one version until each has an outcome. */
class AppendGroup {
  readonly #appends: readonly Append[]
  readonly #ended = new Map<Append, CommitOutcome | PipelineError>()

  constructor(appends: readonly Append[]) {
    this.#appends = appends
  }

  get waiting(): readonly Append[] {
    return this.#appends.filter((append) => !this.#ended.has(append))
  }

  fenceStale(state: TableState, counts: { readonly attempts: number; readonly conflicts: number }): void {
    for (const append of this.waiting) {
      const appIds = findFencedAppIds(state, append.txns)
      if (appIds.length > 0) this.#ended.set(append, { kind: 'fenced', appIds, ...counts })
    }
  }

  end(result: CommitOutcome | PipelineError): void {
    for (const append of this.waiting) this.#ended.set(append, result)
  }

  results(): readonly (CommitOutcome | PipelineError)[] {
    return this.#appends.map((append) => this.#ended.get(append) as CommitOutcome | PipelineError)
  }
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
 * Returns the actions of a commit: `commitInfo` first, as in-commit timestamps require; then changes of the table,
 * `txn`s and files. Made for every attempt, because times and row ids depend on the previous version. Spec: "Commit
 * Provenance Information", "In-Commit Timestamps", "Row Tracking".
 */
function commitActions(
  options: CommitAppendsOptions,
  state: TableState,
  appends: readonly Append[],
  txnId: string,
): readonly Action[] {
  const now = options.clock.now()
  const change = appends.find((append) => append.change !== undefined)?.change
  const description = {
    operation: 'STREAMING UPDATE',
    operationParameters: mergeTexts(appends, (append) => append.operationParameters, joinTexts),
    operationMetrics: mergeTexts(appends, (append) => append.operationMetrics, sumTexts),
    isolationLevel: 'Serializable',
    isBlindAppend: true,
  } as const
  return [
    createCommitInfo(description, state, now, txnId),
    ...(change?.protocol === undefined ? [] : [{ kind: 'protocol', protocol: change.protocol } as const]),
    ...(change?.metadata === undefined ? [] : [{ kind: 'metaData', metaData: change.metadata } as const]),
    ...appends.flatMap(({ txns }) =>
      txns.map(({ appId, version, lastUpdated }): Action => ({
        kind: 'txn',
        txn: { appId, version, lastUpdated: lastUpdated ?? now },
      })),
    ),
    ...assignRowIds(
      state,
      appends.flatMap(({ adds }) => adds.map((add): Action => ({ kind: 'add', add }))),
    ),
  ]
}

type Texts = Readonly<Record<string, string>>

/** Merges the text values of all appends of a commit. */
function mergeTexts(appends: readonly Append[], of: (append: Append) => Texts, join: Join): Texts {
  const [first, ...others] = appends.map(of)
  return others.reduce((all, one) => {
    const names = new Set([...Object.keys(all), ...Object.keys(one)])
    return Object.fromEntries([...names].map((name) => [name, join(all[name], one[name])]))
  }, first ?? {})
}

type Join = (a: string | undefined, b: string | undefined) => string

const joinTexts: Join = (a, b) =>
  a === undefined || b === undefined || a === b ? (a ?? b ?? '') : `${a},${b}`
const sumTexts: Join = (a, b) => String(Number(a ?? 0) + Number(b ?? 0))

/**
 * Waits before the next put of a commit that lost: exponential backoff with a cap and full jitter, so that writers do
 * not collide again. Returns whether it waited: the first attempts follow without a wait.
 */
export async function backOff(
  attempts: number,
  { clock, random }: Pick<CommitAppendsOptions, 'clock' | 'random'>,
): Promise<boolean> {
  if (attempts <= ATTEMPTS_WITHOUT_WAIT) return false
  const doublings = Math.min(attempts - ATTEMPTS_WITHOUT_WAIT, 20)
  await clock.sleep(random() * Math.min(WAIT_MS_MAX, WAIT_FIRST_MS * 2 ** doublings))
  return true
}
