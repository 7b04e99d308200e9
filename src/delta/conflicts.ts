import type { Append } from './table.ts'
import type { Commit, TableState } from './state.ts'
import { applyActions, commitInfoOf } from './state.ts'

/** What the commits of winners mean for an append that lost to them. */
export type Verdict =
  /** One of them is our own, from a put whose outcome was not known. */
  | { readonly kind: 'ours'; readonly version: bigint; readonly state: TableState }
  /** Nothing that the append depends on changed: it may go on after them. */
  | { readonly kind: 'unrelated'; readonly state: TableState }
  /** The table is another one now: schema, partitioning, properties or protocol. */
  | {
      readonly kind: 'changed'
      readonly version: bigint
      readonly action: 'metaData' | 'protocol'
      readonly state: TableState
    }
  /** Somebody else carried offsets of ours. */
  | { readonly kind: 'fenced'; readonly appIds: readonly string[]; readonly state: TableState }

/**
 * Judges winners, ascending from the version that was wanted, against what a blind append depends on: protocol,
 * metadata and its own `txn`s. Added and removed files are no concern of it.
 * `state` is the table before the first of them; the verdict's `state` is the one after the last.
 */
export function judge(
  state: TableState,
  winners: readonly Commit[],
  txnId: string,
  txns: Append['txns'],
): Verdict {
  let changed: { version: bigint; action: 'metaData' | 'protocol' } | undefined
  let ours: bigint | undefined
  let after = state
  for (const commit of winners) {
    after = applyActions(after, commit.version, commit.actions)
    if (commitInfoOf(commit)?.['txnId'] === txnId) ours = commit.version
    for (const { kind } of commit.actions) {
      if (kind === 'metaData' || kind === 'protocol') changed ??= { version: commit.version, action: kind }
    }
  }
  if (ours !== undefined) return { kind: 'ours', version: ours, state: after }
  if (changed !== undefined) return { kind: 'changed', ...changed, state: after }
  const appIds = staleAppIds(after, txns)
  return appIds.length > 0 ? { kind: 'fenced', appIds, state: after } : { kind: 'unrelated', state: after }
}

/** The appIds whose last version in the table is not the one that the append continues from. */
export function staleAppIds(state: TableState, txns: Append['txns']): readonly string[] {
  return txns
    .filter(({ appId, follows }) => state.txns.get(appId)?.version !== follows)
    .map(({ appId }) => appId)
}
