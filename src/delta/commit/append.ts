import type { PipelineError } from '../../core/errors.ts'
import { assignRowIds } from '../log/row-tracking.ts'
import type { TableState } from '../log/state.ts'
import type { Action } from '../protocol/actions.ts'
import { createCommitInfo } from './commit-info.ts'
import { commitOptimistically, type CommitCounts, type CommitOptions, type CommitResult } from './commit.ts'
import { findFencedAppIds } from './conflicts.ts'
import type { Append, CommitOutcome } from './table-writer.ts'

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
 */
export async function commitAppends(
  options: CommitOptions,
  from: TableState,
  appends: readonly Append[],
): Promise<CommittedAppends> {
  const group = new AppendGroup(appends)
  group.fenceStale(from, { attempts: 0, conflicts: 0 })
  if (group.waiting.length === 0) return { state: from, results: group.results() }
  const result = await commitOptimistically(options, from, {
    actionsAfter: (state, txnId) => commitActions(state, group.waiting, options.clock.now(), txnId),
    continuesAfter({ state, isTableChanged }, counts) {
      group.fenceStale(state, counts)
      if (isTableChanged) group.end({ kind: 'changed', ...counts })
      return group.waiting.length > 0
    },
  })
  const ended = outcomeOf(result)
  if (ended !== undefined) group.end(ended)
  return { state: result.state, results: group.results() }
}

/** Returns the outcome for the appends that are still in the group; `undefined` if none is left. */
function outcomeOf(result: CommitResult): CommitOutcome | PipelineError | undefined {
  if (result.kind === 'ended') return undefined
  if (result.kind === 'contended') return result.error
  const { committed, attempts, conflicts, ambiguous } = result
  return { kind: 'committed', version: committed.version, attempts, conflicts, ambiguous }
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

  fenceStale(state: TableState, counts: CommitCounts): void {
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

/**
 * Returns the actions of a commit: `commitInfo` first, as in-commit timestamps require; then changes of the table,
 * `txn`s and files. Made for every attempt, because times and row ids depend on the previous version. Spec: "Commit
 * Provenance Information", "In-Commit Timestamps", "Row Tracking".
 */
function commitActions(
  state: TableState,
  appends: readonly Append[],
  nowMs: number,
  txnId: string,
): readonly Action[] {
  const change = appends.find((append) => append.change !== undefined)?.change
  const description = {
    operation: 'STREAMING UPDATE',
    operationParameters: mergeTexts(appends, (append) => append.operationParameters, joinTexts),
    operationMetrics: mergeTexts(appends, (append) => append.operationMetrics, sumTexts),
    isolationLevel: 'Serializable',
    isBlindAppend: true,
  } as const
  return [
    createCommitInfo(description, state, nowMs, txnId),
    ...(change?.protocol === undefined ? [] : [{ kind: 'protocol', protocol: change.protocol } as const]),
    ...(change?.metadata === undefined ? [] : [{ kind: 'metaData', metaData: change.metadata } as const]),
    ...appends.flatMap(({ txns }) =>
      txns.map(({ appId, version, lastUpdated }): Action => ({
        kind: 'txn',
        txn: { appId, version, lastUpdated: lastUpdated ?? nowMs },
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
