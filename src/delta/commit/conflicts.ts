import type { Append } from './table-writer.ts'
import type { Commit, TableState } from '../log/state.ts'
import { applyActions, commitInfoOf, sameTable } from '../log/state.ts'

/** What the commits of winners mean for a commit that lost to them. */
export interface Verdict {
  /** The version of one of them that is our own, from a put whose outcome was not known. */
  readonly ours: bigint | undefined
  /** The table is another one now: schema, partitioning, properties or protocol. */
  readonly changed: boolean
  /** The table after the last of them. */
  readonly state: TableState
}

/**
 * Judges winners, ascending from the version that was wanted, against what blind appends depend on beside their own
 * `txn`s: protocol and metadata. Added and removed files are no concern of them. `state` is the table before the first
 * winner.
 */
export function judge(state: TableState, winners: readonly Commit[], txnId: string): Verdict {
  let ours: bigint | undefined
  let after = state
  for (const commit of winners) {
    after = applyActions(after, commit.version, commit.actions)
    if (commitInfoOf(commit)?.['txnId'] === txnId) ours = commit.version
  }
  return { ours, changed: !sameTable(state, after), state: after }
}

/** The appIds whose last version in the table is not the one that the append continues from. */
export function staleAppIds(state: TableState, txns: Append['txns']): readonly string[] {
  return txns
    .filter(({ appId, follows }) => state.txns.get(appId)?.version !== follows)
    .map(({ appId }) => appId)
}
