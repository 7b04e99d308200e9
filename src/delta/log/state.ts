import { PipelineError } from '../../core/errors.ts'
import type {
  Action,
  CommitInfo,
  DomainMetadata,
  Metadata,
  MetadataAction,
  Protocol,
  Txn,
} from '../protocol/actions.ts'
import { asSafeInteger, asString } from '../protocol/fields.ts'
import { NO_FILES, type Totals, totalsAfter, totalsSince } from './totals.ts'

/** Everything of a table at one version except its files: what a writer holds in memory, however large the table is. */
export interface TableState {
  readonly version: bigint
  readonly protocol: Protocol
  readonly metadata: MetadataAction
  readonly txns: ReadonlyMap<string, Txn>
  readonly domains: ReadonlyMap<string, DomainMetadata>
  /** `inCommitTimestamp` of the newest commit, milliseconds since the epoch, where it has one. */
  readonly inCommitMs?: number | undefined
  /** `txnId` of the newest commit, where it has one. */
  readonly txnId?: string | undefined
  /** Of the files, as far as they were counted. */
  readonly totals?: Totals
}

/** One version of the log, its actions in the order of its lines. Spec: "Delta Log Entries". */
export interface Commit {
  readonly version: bigint
  readonly actions: readonly Action[]
}

/** The state before version 0, or while a checkpoint is being read. */
export interface PartialState {
  readonly version: bigint
  readonly protocol?: Protocol
  readonly metadata?: MetadataAction
  readonly txns: ReadonlyMap<string, Txn>
  readonly domains: ReadonlyMap<string, DomainMetadata>
  /** `inCommitTimestamp` of the newest commit, milliseconds since the epoch, where it has one. */
  readonly inCommitMs?: number | undefined
  /** `txnId` of the newest commit, where it has one. */
  readonly txnId?: string | undefined
  /** Of the files, as far as they were counted. */
  readonly totals?: Totals
}

/** The state that nothing has been applied to. */
export const EMPTY_STATE: PartialState = {
  version: -1n,
  txns: new Map(),
  domains: new Map(),
  totals: NO_FILES,
}

/** The state after actions of one commit or checkpoint; the old one stays as it was. Spec: "Action Reconciliation". */
export function applyActions<S extends PartialState>(
  state: S,
  version: bigint,
  actions: readonly Action[],
): S {
  let { protocol, metadata } = state
  let txns: Map<string, Txn> | undefined
  let domains: Map<string, DomainMetadata> | undefined
  let inCommitMs: number | undefined
  let txnId: string | undefined
  for (const action of actions) {
    if (action.kind === 'protocol') protocol = action.protocol
    else if (action.kind === 'metaData') metadata = action.metaData
    else if (action.kind === 'commitInfo') {
      inCommitMs = inCommitTimestamp(action.commitInfo)
      txnId = asString(action.commitInfo['txnId'])
    } else if (action.kind === 'txn') (txns ??= new Map(state.txns)).set(action.txn.appId, action.txn)
    else if (action.kind === 'domainMetadata') {
      domains ??= new Map(state.domains)
      if (action.domainMetadata.removed) domains.delete(action.domainMetadata.domain)
      else domains.set(action.domainMetadata.domain, action.domainMetadata)
    }
  }
  return {
    ...state,
    version,
    ...(protocol === undefined ? {} : { protocol }),
    ...(metadata === undefined ? {} : { metadata }),
    txns: txns ?? state.txns,
    domains: domains ?? state.domains,
    inCommitMs,
    txnId,
    totals: totalsAfter(state.totals ?? totalsSince(state.version), version, actions),
  }
}

/** The state once it must be whole. Throws `KD_TABLE_CORRUPT` where protocol or metadata never came. */
export function wholeState(state: PartialState): TableState {
  const { protocol, metadata } = state
  if (protocol === undefined) throw missing('protocol', state.version)
  if (metadata === undefined) throw missing('metaData', state.version)
  return { ...state, protocol, metadata }
}

/** The `commitInfo` of a commit, if it has one. */
export function commitInfoOf(commit: Commit): CommitInfo | undefined {
  for (const action of commit.actions) if (action.kind === 'commitInfo') return action.commitInfo
  return undefined
}

/** When a commit says of itself that it was made, milliseconds since the epoch. Spec: "In-Commit Timestamps". */
export function inCommitTimestamp(info: CommitInfo | undefined): number | undefined {
  return asSafeInteger(info?.['inCommitTimestamp'])
}

/** Whether both have the same protocol and metadata, to the letter: files made for one are right for the other. */
export function sameTable(a: Shaped, b: Shaped): boolean {
  if (a.protocol === b.protocol && a.metadata === b.metadata) return true
  const text = ({ protocol, metadata }: Shaped): string =>
    JSON.stringify([protocol, { ...metadata, schema: undefined }])
  return text(a) === text(b)
}

/** Metadata as it stands in the log, with or without its schema parsed. */
interface Shaped {
  readonly protocol: Protocol
  readonly metadata: MetadataAction | Metadata
}

function missing(action: string, version: bigint): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', `no ${action} action up to this version`, { version })
}
