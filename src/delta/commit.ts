import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { PipelineError } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { serialiseActions } from './action-json.ts'
import type { Action, Txn } from './actions.ts'
import { judge, staleAppIds } from './conflicts.ts'
import { readCommit } from './log.ts'
import { commitKey } from './paths.ts'
import type { Commit, TableState } from './state.ts'
import { applyActions } from './state.ts'
import type { Append, CommitOutcome } from './table.ts'

/** What a commit needs of its surroundings. */
export interface CommitParts {
  readonly store: Store
  readonly clock: Clock
  /** In [0, 1), for jitter. */
  readonly random: () => number
  /** Puts that one append tries at most. */
  readonly attemptsMax: number
  readonly engineInfo: string
}

/** Puts that follow each other at once before waits begin: losing twice is common, losing often means a storm. */
const ATTEMPTS_WITHOUT_WAIT = 3
const WAIT_FIRST_MS = 10
const WAIT_MS_MAX = 1_000

/** How the append ended and the newest state of the table that it saw; `state` is of use also where `error` is set. */
export interface Committed {
  readonly state: TableState
  readonly result: CommitOutcome | PipelineError
}

/**
 * Appends in the version after `state`, or after whatever winners came first.
 *
 * A version is only passed over once it exists and is not ours, so that a put whose outcome is not known and which lands
 * late can at most take the version that it was meant for. Spec: "Delta Log Entries", "Creation of New Log Entries".
 */
export async function commitAppend(parts: CommitParts, from: TableState, append: Append): Promise<Committed> {
  const { store, clock, attemptsMax } = parts
  const txnId = randomUUID()
  let state = from
  let conflicts = 0
  let ambiguous = 0
  const stale = staleAppIds(state, append.txns)
  if (stale.length > 0) return { state, result: { kind: 'fenced', appIds: stale, attempts: 0, conflicts } }

  for (let attempts = 1; attempts <= attemptsMax; attempts++) {
    if (attempts > ATTEMPTS_WITHOUT_WAIT) await clock.sleep(waitMs(attempts, parts.random))
    const version = state.version + 1n
    const actions = commitActions(parts, state, append, txnId)
    const put = await store.putIfAbsent(commitKey(version), serialiseActions(actions))
    if (put === 'unknown') ambiguous++
    if (put === 'created') {
      const next = applyActions(state, version, actions)
      return { state: next, result: { kind: 'committed', version, attempts, conflicts, ambiguous } }
    }
    const winners = await readTail(store, version)
    const verdict = judge(state, winners, txnId, append.txns)
    state = verdict.state
    switch (verdict.kind) {
      case 'ours':
        return {
          state,
          result: { kind: 'committed', version: verdict.version, attempts, conflicts, ambiguous },
        }
      case 'changed':
        return { state, result: changedBy(store, verdict.version, verdict.action) }
      case 'fenced': {
        const appIds = verdict.appIds
        return { state, result: { kind: 'fenced', appIds, attempts, conflicts: conflicts + winners.length } }
      }
      case 'unrelated':
        conflicts += winners.length
    }
  }
  const detail = `all ${attemptsMax} attempts lost`
  const context = { table: store.uri, version: state.version, conflicts, ambiguous }
  return { state, result: new PipelineError('KD_COMMIT_CONTENDED', detail, context) }
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

/** The error for a table that is no longer the one which the files were made for. */
export function changedBy(store: Store, version: bigint, action: string): PipelineError {
  return new PipelineError('KD_COMMIT_CONFLICT', `the version carries a ${action} action`, {
    table: store.uri,
    version,
  })
}

/** `commitInfo` first, as in-commit timestamps will demand it; then `txn`s, then files. Spec: "Commit Provenance Information". */
function commitActions(
  parts: CommitParts,
  state: TableState,
  append: Append,
  txnId: string,
): readonly Action[] {
  const now = parts.clock.now()
  const commitInfo: Action = {
    kind: 'commitInfo',
    commitInfo: {
      timestamp: now,
      operation: 'STREAMING UPDATE',
      operationParameters: append.operationParameters,
      readVersion: state.version,
      isolationLevel: 'Serializable',
      isBlindAppend: true,
      operationMetrics: append.operationMetrics,
      engineInfo: parts.engineInfo,
      txnId,
    },
  }
  const txns = append.txns.map(({ appId, version, lastUpdated }): Action => ({
    kind: 'txn',
    txn: updatedTxn(appId, version, lastUpdated ?? now),
  }))
  return [commitInfo, ...txns, ...append.adds.map((add): Action => ({ kind: 'add', add }))]
}

function updatedTxn(appId: string, version: bigint, lastUpdated: number): Txn {
  return { appId, version, lastUpdated }
}

/** Milliseconds before attempt `attempts`: exponential, capped, and spread over its whole length so that losers do not meet again. */
export function waitMs(attempts: number, random: () => number): number {
  return random() * Math.min(WAIT_MS_MAX, WAIT_FIRST_MS * 2 ** Math.min(attempts - ATTEMPTS_WITHOUT_WAIT, 20))
}
