import type { Append } from './table-writer.ts'
import type { LogCommit, TableState } from '../log/state.ts'
import { applyActions, commitInfoOf, hasSameProtocolAndMetadata } from '../log/state.ts'

/** Tells what the commits of other writers mean for a commit that lost to them. */
interface ConflictResolution {
  /** State of the table after our own commit among them, from a put whose outcome was unknown. */
  readonly own: TableState | undefined
  /** True if protocol, schema, partitioning or properties of the table have changed. */
  readonly isTableChanged: boolean
  /** State of the table after the last of them. */
  readonly state: TableState
}

/**
 * Reads what the commits that took a version first mean for the commit that wanted it. A blind append depends only on
 * protocol and metadata, and on its own `txn`s (see `findFencedAppIds`): files that other writers added or removed do
 * not conflict with it.
 *
 * `winners` ascend from the wanted version; `state` is the table before the first of them; `txnId` identifies our own
 * commit.
 */
export function resolveConflicts(
  state: TableState,
  winners: readonly LogCommit[],
  txnId: string,
): ConflictResolution {
  let own: TableState | undefined
  let after = state
  for (const commit of winners) {
    after = applyActions(after, commit.version, commit.actions, commit.head)
    if (commitInfoOf(commit)?.['txnId'] === txnId) own = after
  }
  return { own, isTableChanged: !hasSameProtocolAndMetadata(state, after), state: after }
}

/**
 * Returns the appIds whose last `txn` version in the table differs from the version that the append follows: another
 * writer has committed their offsets, so the append is fenced. A constant may also be there with the same value.
 */
export function findFencedAppIds(state: TableState, txns: Append['txns']): readonly string[] {
  return txns
    .filter(({ appId, version, follows, isConstant }) => {
      const held = state.txns.get(appId)?.version
      return held !== follows && !(isConstant === true && held === version)
    })
    .map(({ appId }) => appId)
}

/** Returns why a change is wrong after a commit of another writer that changed metadata or protocol. */
export function findMetadataConflict(winner: LogCommit): string | undefined {
  const action = winner.actions.find(({ kind }) => kind === 'metaData' || kind === 'protocol')
  return action === undefined ? undefined : `wrote a ${action.kind} action`
}

/** Returns why two commits conflict that write the same metadata domain. Spec: "Domain Metadata". */
export function findDomainConflict(change: CommitActions, winner: CommitActions): string | undefined {
  const domainsOf = ({ actions }: CommitActions): string[] =>
    actions.flatMap((action) => (action.kind === 'domainMetadata' ? [action.domainMetadata.domain] : []))
  const theirs = new Set(domainsOf(winner))
  const shared = domainsOf(change).find((domain) => theirs.has(domain))
  return shared === undefined ? undefined : `wrote the domain ${shared}`
}

type CommitActions = Pick<LogCommit, 'actions'>
