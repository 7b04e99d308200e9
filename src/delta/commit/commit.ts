import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { serialiseActions } from '../protocol/action-json.ts'
import type { Action } from '../protocol/actions.ts'
import { commitInfo } from './commit-info.ts'
import { judge, staleAppIds } from './conflicts.ts'
import { readCommit } from '../log/log-segment.ts'
import { commitKey } from '../protocol/paths.ts'
import { withRowIds } from '../log/row-tracking.ts'
import type { Commit, TableState } from '../log/state.ts'
import { applyActions } from '../log/state.ts'
import type { Append, CommitOutcome } from './table-writer.ts'

/** What a commit needs of its surroundings. */
export interface CommitParts {
  readonly store: Store
  readonly clock: Clock
  /** In [0, 1), for jitter. */
  readonly random: () => number
  /** Puts that one append tries at most. */
  readonly attemptsMax: number
}

/** Puts that one commit tries where nobody says how many. */
export const ATTEMPTS_MAX = 100

/** Puts that follow each other at once before waits begin: losing twice is common, losing often means a storm. */
const ATTEMPTS_WITHOUT_WAIT = 3
const WAIT_FIRST_MS = 10
const WAIT_MS_MAX = 1_000

/** How each append of a group ended, in their order, and the newest state of the table that was seen; of use also after an error. */
export interface Committed {
  readonly state: TableState
  readonly results: readonly (CommitOutcome | PipelineError)[]
}

/**
 * Appends all of a group in the version after `state`, or after whatever winners came first. An append of which somebody
 * else carried the offsets leaves the group, which goes on without it.
 *
 * A version is only passed over once it exists and is not ours, so that a put whose outcome is not known and which lands
 * late can at most take the version that it was meant for. Spec: "Delta Log Entries", "Creation of New Log Entries".
 */
export async function commitAppends(
  parts: CommitParts,
  from: TableState,
  appends: readonly Append[],
): Promise<Committed> {
  const { store, attemptsMax } = parts
  const txnId = randomUUID()
  const group = new Group(appends)
  let state = from
  let conflicts = 0
  let ambiguous = 0
  group.dropStale(state, { attempts: 0, conflicts })
  /** Goes on behind commits of others; ends the group where one of them is its own. */
  const meet = (winners: readonly Commit[], attempts: number): void => {
    const verdict = judge(state, winners, txnId)
    state = verdict.state
    if (verdict.ours !== undefined) {
      group.end({ kind: 'committed', version: verdict.ours, attempts, conflicts, ambiguous })
      return
    }
    conflicts += winners.length
    group.dropStale(state, { attempts, conflicts })
    if (verdict.changed) group.end({ kind: 'changed', attempts, conflicts })
  }
  for (let attempts = 1; attempts <= attemptsMax && group.waiting.length > 0; attempts++) {
    if (await pause(attempts, parts)) {
      // Whatever came meanwhile would make the put lose before it is sent.
      meet(await readTail(store, state.version + 1n), attempts - 1)
      if (group.waiting.length === 0) break
    }
    const version = state.version + 1n
    const actions = commitActions(parts, state, group.waiting, txnId)
    const put = await store.putIfAbsent(commitKey(version), serialiseActions(actions))
    if (put === 'unknown') ambiguous++
    if (put === 'created') {
      group.end({ kind: 'committed', version, attempts, conflicts, ambiguous })
      return { state: applyActions(state, version, actions), results: group.results() }
    }
    meet(await readTail(store, version), attempts)
  }
  const context = { table: store.uri, version: state.version, conflicts, ambiguous }
  group.end(new PipelineError('KD_COMMIT_CONTENDED', `all ${attemptsMax} attempts lost`, context))
  return { state, results: group.results() }
}

/** Appends on their way into one version, until each has ended in its own manner. */
class Group {
  readonly #appends: readonly Append[]
  readonly #ended = new Map<Append, CommitOutcome | PipelineError>()

  constructor(appends: readonly Append[]) {
    this.#appends = appends
  }

  get waiting(): readonly Append[] {
    return this.#appends.filter((append) => !this.#ended.has(append))
  }

  dropStale(state: TableState, counts: { readonly attempts: number; readonly conflicts: number }): void {
    for (const append of this.waiting) {
      const appIds = staleAppIds(state, append.txns)
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

/** Every commit from `version` on, one read each until there is none. */
export async function readTail(store: Store, version: bigint): Promise<readonly Commit[]> {
  const commits: Commit[] = []
  for (let next = version; ; next++) {
    const commit = await readCommit(store, next)
    if (commit === undefined) return commits
    commits.push(commit)
  }
}

/**
 * `commitInfo` first, as in-commit timestamps demand it; then what changes the table, `txn`s and files. Made anew for every
 * attempt, because times and row ids follow from the version before.
 * Spec: "Commit Provenance Information", "In-Commit Timestamps", "Row Tracking".
 */
function commitActions(
  parts: CommitParts,
  state: TableState,
  appends: readonly Append[],
  txnId: string,
): readonly Action[] {
  const now = parts.clock.now()
  const change = appends.find((append) => append.change !== undefined)?.change
  const facts = {
    operation: 'STREAMING UPDATE',
    operationParameters: together(appends, (append) => append.operationParameters, joinedTexts),
    operationMetrics: together(appends, (append) => append.operationMetrics, summedTexts),
    isolationLevel: 'Serializable',
    isBlindAppend: true,
  } as const
  return [
    commitInfo(facts, state, now, txnId),
    ...(change?.protocol === undefined ? [] : [{ kind: 'protocol', protocol: change.protocol } as const]),
    ...(change?.metadata === undefined ? [] : [{ kind: 'metaData', metaData: change.metadata } as const]),
    ...appends.flatMap(({ txns }) =>
      txns.map(({ appId, version, lastUpdated }): Action => ({
        kind: 'txn',
        txn: { appId, version, lastUpdated: lastUpdated ?? now },
      })),
    ),
    ...withRowIds(
      state,
      appends.flatMap(({ adds }) => adds.map((add): Action => ({ kind: 'add', add }))),
    ),
  ]
}

type Texts = Readonly<Record<string, string>>

/** One record of texts out of those of all appends of a commit. */
function together(appends: readonly Append[], of: (append: Append) => Texts, join: Join): Texts {
  const [first, ...others] = appends.map(of)
  return others.reduce((all, one) => {
    const names = new Set([...Object.keys(all), ...Object.keys(one)])
    return Object.fromEntries([...names].map((name) => [name, join(all[name], one[name])]))
  }, first ?? {})
}

type Join = (a: string | undefined, b: string | undefined) => string

const joinedTexts: Join = (a, b) =>
  a === undefined || b === undefined || a === b ? (a ?? b ?? '') : `${a},${b}`
const summedTexts: Join = (a, b) => String(Number(a ?? 0) + Number(b ?? 0))

/**
 * Waits before the next put of a commit that lost: exponentially longer, capped, and spread over the whole length so that
 * losers do not meet again. Says whether it did: the first few follow each other at once.
 */
export async function pause(
  attempts: number,
  { clock, random }: Pick<CommitParts, 'clock' | 'random'>,
): Promise<boolean> {
  if (attempts <= ATTEMPTS_WITHOUT_WAIT) return false
  const doublings = Math.min(attempts - ATTEMPTS_WITHOUT_WAIT, 20)
  await clock.sleep(random() * Math.min(WAIT_MS_MAX, WAIT_FIRST_MS * 2 ** doublings))
  return true
}
