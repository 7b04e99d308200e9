import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../core/clock.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { serialiseActions } from './action-json.ts'
import type { Action, Add } from './actions.ts'
import { checkpointInterval, writeCheckpoint } from './checkpoint-write.ts'
import { readTail, waitMs } from './commit.ts'
import { Checksums } from './checksums.ts'
import { ENGINE_INFO } from './engine.ts'
import { inCommitFields } from './in-commit.ts'
import { commitKey } from './paths.ts'
import { trackedColumns, withRowIds } from './row-tracking.ts'
import { applyActions, type Commit, commitInfoOf, type TableState } from './state.ts'

/** A commit that is no append: what a maintenance command wants to write. */
export interface Change {
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  readonly operationMetrics: Readonly<Record<string, string>>
  readonly isolationLevel: 'Serializable' | 'SnapshotIsolation'
  /** New files get their row ids when they are committed; those of rows that move are preserved. */
  readonly actions: readonly Action[]
  /** Why the change would be wrong after this commit of another writer; `undefined` where it stays right. */
  conflict(winner: Commit): string | undefined
}

/** How a change ended. Given up: nothing of it is in the log, nor ever will be. */
export type ChangeOutcome =
  | { readonly kind: 'committed'; readonly state: TableState; readonly attempts: number }
  | {
      readonly kind: 'conflict'
      readonly state: TableState
      readonly version: bigint
      readonly reason: string
    }

/** What a change needs of its surroundings; every option has a default. */
export interface ChangeOptions {
  readonly clock?: Clock | undefined
  /** In [0, 1), for jitter. */
  readonly random?: (() => number) | undefined
  /** Puts that one change tries at most; 100 by default. */
  readonly attemptsMax?: number | undefined
  /** Is told what failed without harm: a checkpoint that could not be written. */
  readonly onWarning?: ((warning: PipelineError) => void) | undefined
}

const ATTEMPTS_MAX = 100
const ATTEMPTS_WITHOUT_WAIT = 3

/**
 * Writes the change in the version after `from`, or after whatever winners came first and are no conflict, and the
 * checkpoint that is due at that version. A version is only passed over once it exists and is not ours.
 * Throws `KD_COMMIT_CONTENDED` and what a store throws. Spec: "Delta Log Entries", "Creation of New Log Entries".
 */
export async function commitChange(
  store: Store,
  from: TableState,
  change: Change,
  options: ChangeOptions = {},
): Promise<ChangeOutcome> {
  const { clock = systemClock, random = Math.random, attemptsMax = ATTEMPTS_MAX } = options
  const txnId = randomUUID()
  let state = from
  for (let attempts = 1; attempts <= attemptsMax; attempts++) {
    if (attempts > ATTEMPTS_WITHOUT_WAIT) await clock.sleep(waitMs(attempts, random))
    const version = state.version + 1n
    const actions = [infoOf(change, state, clock.now(), txnId), ...withRowIds(state, change.actions)]
    const put = await store.putIfAbsent(commitKey(version), serialiseActions(actions))
    if (put === 'created') {
      const committed = applyActions(state, version, actions)
      await afterCommit(store, committed, options)
      return { kind: 'committed', state: committed, attempts }
    }
    let ours: TableState | undefined
    let fault: { version: bigint; reason: string } | undefined
    for (const winner of await readTail(store, version)) {
      state = applyActions(state, winner.version, winner.actions)
      if (commitInfoOf(winner)?.['txnId'] === txnId) ours = state
      const reason = change.conflict(winner) ?? domainConflict(change, winner)
      if (reason !== undefined) fault ??= { version: winner.version, reason }
    }
    if (ours !== undefined) {
      await afterCommit(store, ours, options)
      return { kind: 'committed', state: ours, attempts }
    }
    if (fault !== undefined) return { kind: 'conflict', state, ...fault }
  }
  const context = { table: store.uri, version: state.version }
  throw new PipelineError('KD_COMMIT_CONTENDED', `all ${attemptsMax} attempts lost`, context)
}

/** Two commits that both write one domain conflict, whatever else they are. Spec: "Domain Metadata". */
function domainConflict(change: Change, winner: Commit): string | undefined {
  const domains = ({ actions }: Pick<Commit, 'actions'>): string[] =>
    actions.flatMap((action) => (action.kind === 'domainMetadata' ? [action.domainMetadata.domain] : []))
  const theirs = new Set(domains(winner))
  const both = domains(change).find((domain) => theirs.has(domain))
  return both === undefined ? undefined : `it wrote the domain ${both}`
}

/** `metaData` or `protocol` in a winner's commit, which make any change wrong. */
export function tableChange(winner: Commit): string | undefined {
  const action = winner.actions.find(({ kind }) => kind === 'metaData' || kind === 'protocol')
  return action === undefined ? undefined : `it carries a ${action.kind} action`
}

/** The tombstone of a file: it names the file as its `add` did. Spec: "Add File and Remove File". */
export function removalOf(
  add: Omit<Add, 'modificationTime' | 'dataChange'>,
  nowMs: number,
  dataChange: boolean,
): Action {
  const { path, partitionValues, size, deletionVector, baseRowId, defaultRowCommitVersion } = add
  return {
    kind: 'remove',
    remove: {
      path,
      deletionTimestamp: nowMs,
      dataChange,
      extendedFileMetadata: true,
      partitionValues,
      size,
      ...(deletionVector === undefined ? {} : { deletionVector }),
      ...(baseRowId === undefined ? {} : { baseRowId }),
      ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
    },
  }
}

function infoOf(change: Change, state: TableState, nowMs: number, txnId: string): Action {
  const { operation, operationParameters, operationMetrics, isolationLevel } = change
  const inCommit = inCommitFields(state, nowMs)
  return {
    kind: 'commitInfo',
    commitInfo: {
      ...inCommit,
      timestamp: inCommit.inCommitTimestamp ?? nowMs,
      operation,
      operationParameters,
      readVersion: state.version,
      isolationLevel,
      isBlindAppend: false,
      operationMetrics,
      ...(trackedColumns(state) === undefined ? {} : { tags: { 'delta.rowTracking.preserved': 'true' } }),
      engineInfo: ENGINE_INFO,
      txnId,
    },
  }
}

/** What is written beside a commit: its checksum and, where it is due, its checkpoint. */
async function afterCommit(store: Store, state: TableState, options: ChangeOptions): Promise<void> {
  const checksums = new Checksums(store, (warning) => options.onWarning?.(warning))
  checksums.committed(state)
  await Promise.all([checksums.idle(), checkpointIfDue(store, state, options)])
}

/** A version that a change took is none at which a streaming writer would write the checkpoint that is due. */
async function checkpointIfDue(store: Store, state: TableState, options: ChangeOptions): Promise<void> {
  const { configuration } = state.metadata
  if (state.version % checkpointInterval(configuration) !== 0n) return
  try {
    await writeCheckpoint(store, state.version, { nowMs: (options.clock ?? systemClock).now(), known: state })
  } catch (cause) {
    const context = { table: store.uri, version: state.version }
    options.onWarning?.(new PipelineError('KD_CHECKPOINT_FAILED', messageOf(cause), context, { cause }))
  }
}
