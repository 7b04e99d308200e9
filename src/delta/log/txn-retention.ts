import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { requireCommit } from './log-segment.ts'
import type { TableState } from './state.ts'

const PROPERTY = 'delta.setTransactionRetentionDuration'

/**
 * Finds out which appIds without a `txn` in the table may have had one that expired; returns an error for each of them,
 * KD_OFFSETS_VANISHED. The others never had one.
 *
 * Under the property above, other writers drop old `txn`s from their checkpoints. A `txn` that is still in the log
 * counts regardless of its age. If there is none, only a log that reaches back to version 0 proves that none was ever
 * written. The log is read once for all appIds. Spec: "Transaction Identifiers".
 */
export async function findExpiredTxns(
  store: Store,
  state: TableState,
  appIds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, PipelineError>> {
  const expired = new Map<string, PipelineError>()
  const retention = state.metadata.configuration[PROPERTY]
  if (retention === undefined || appIds.size === 0) return expired
  const errorOf = (appId: string, found: string, cause?: unknown): PipelineError => {
    const detail = `the table holds no txn of this appId; it may have expired under ${PROPERTY} (${retention})`
    const context = { table: store.uri, appId, version: state.version }
    return new PipelineError('KD_OFFSETS_VANISHED', detail + found, context, { cause })
  }
  try {
    for (let version = 0n; version <= state.version && expired.size < appIds.size; version++) {
      const { actions } = await requireCommit(store, version)
      for (const action of actions) {
        const appId = action.kind === 'txn' ? action.txn.appId : undefined
        if (appId !== undefined && appIds.has(appId) && !expired.has(appId))
          expired.set(appId, errorOf(appId, `: version ${version} had one`))
      }
    }
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_TABLE_CORRUPT') throw cause
    for (const appId of appIds) if (!expired.has(appId)) expired.set(appId, errorOf(appId, '', cause))
  }
  return expired
}
