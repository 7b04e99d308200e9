import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { requireCommit } from './log-segment.ts'
import type { TableState } from './state.ts'

const PROPERTY = 'delta.setTransactionRetentionDuration'

/**
 * Asserts that an appId without a `txn` in the table never had one, rather than an expired one.
 *
 * Under the property above, other writers drop old `txn`s from their checkpoints. A `txn` that is still in the log
 * counts regardless of its age. If there is none, only a log that reaches back to version 0 proves that none was ever
 * written. Spec: "Transaction Identifiers".
 * @throws KD_OFFSETS_VANISHED without that proof
 */
export async function assertTxnNotExpired(store: Store, state: TableState, appId: string): Promise<void> {
  const retention = state.metadata.configuration[PROPERTY]
  if (retention === undefined) return
  const context = { table: store.uri, appId, version: state.version }
  const detail = `the table holds no txn of this appId; it may have expired under ${PROPERTY} (${retention})`
  try {
    for (let version = 0n; version <= state.version; version++) {
      const { actions } = await requireCommit(store, version)
      if (actions.some((action) => action.kind === 'txn' && action.txn.appId === appId)) {
        throw new PipelineError('KD_OFFSETS_VANISHED', `${detail}: version ${version} had one`, context)
      }
    }
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_TABLE_CORRUPT') throw cause
    throw new PipelineError('KD_OFFSETS_VANISHED', detail, context, { cause })
  }
}
