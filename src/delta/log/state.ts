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
import { NO_FILES, type FileTotals, totalsAfter, totalsSince } from './totals.ts'

/**
 * A `TableState` is a table at one version without its files. A writer holds it in memory, however large the table is.
 */
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
  /** First bytes of the newest commit, which no other table has; absent if its file was not read. */
  readonly head?: Uint8Array | undefined
  /** First bytes of the commit before the newest one; absent if its file was not read. */
  readonly headBefore?: Uint8Array | undefined
  /** Files and bytes of the table, as far as they were counted. */
  readonly totals?: FileTotals
}

/** A `LogCommit` is one version of the log, with its actions in line order. Spec: "Delta Log Entries". */
export interface LogCommit {
  readonly version: bigint
  readonly actions: readonly Action[]
  /** First bytes of its file. */
  readonly head?: Uint8Array
}

/** A `PartialState` is a state before version 0, or while a checkpoint is being read. */
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
  /** First bytes of the newest commit, which no other table has; absent if its file was not read. */
  readonly head?: Uint8Array | undefined
  /** First bytes of the commit before the newest one; absent if its file was not read. */
  readonly headBefore?: Uint8Array | undefined
  /** Files and bytes of the table, as far as they were counted. */
  readonly totals?: FileTotals
}

/** Holds the state before any action is applied. */
export const EMPTY_STATE: PartialState = {
  version: -1n,
  txns: new Map(),
  domains: new Map(),
  totals: NO_FILES,
}

/**
 * Returns the state after the actions of a commit or checkpoint; the given state is not modified. `head` holds the first
 * bytes of the commit. Spec: "Action Reconciliation".
 */
export function applyActions<S extends PartialState>(
  state: S,
  version: bigint,
  actions: readonly Action[],
  head?: Uint8Array,
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
      inCommitMs = inCommitTimestampOf(action.commitInfo)
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
    head,
    headBefore: state.head,
    totals: totalsAfter(state.totals ?? totalsSince(state.version), version, actions),
  }
}

/**
 * Returns the state as a complete one.
 * @throws KD_TABLE_CORRUPT if protocol or metadata is missing
 */
export function completeState(state: PartialState): TableState {
  const { protocol, metadata } = state
  if (protocol === undefined) throw missingActionError('protocol', state.version)
  if (metadata === undefined) throw missingActionError('metaData', state.version)
  return { ...state, protocol, metadata }
}

/** Returns the `commitInfo` of a commit, if it has one. */
export function commitInfoOf(commit: LogCommit): CommitInfo | undefined {
  for (const action of commit.actions) if (action.kind === 'commitInfo') return action.commitInfo
  return undefined
}

/** Returns the in-commit timestamp, milliseconds since the epoch. Spec: "In-Commit Timestamps". */
export function inCommitTimestampOf(info: CommitInfo | undefined): number | undefined {
  return asSafeInteger(info?.['inCommitTimestamp'])
}

/** Tells whether protocol and metadata are identical: files made for one table state are then valid for the other. */
export function hasSameProtocolAndMetadata(a: ProtocolAndMetadata, b: ProtocolAndMetadata): boolean {
  if (a.protocol === b.protocol && a.metadata === b.metadata) return true
  const text = ({ protocol, metadata }: ProtocolAndMetadata): string =>
    JSON.stringify([protocol, { ...metadata, schema: undefined }])
  return text(a) === text(b)
}

/** Protocol and metadata, with or without the schema parsed. */
interface ProtocolAndMetadata {
  readonly protocol: Protocol
  readonly metadata: MetadataAction | Metadata
}

function missingActionError(action: string, version: bigint): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', `no ${action} action up to this version`, { version })
}
