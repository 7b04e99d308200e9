import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { needCommit } from './log-segment.ts'
import type { TableState } from './state.ts'

const PROPERTY = 'delta.setTransactionRetentionDuration'

/**
 * Makes sure that an appId which the table does not hold was never there, rather than expired.
 *
 * Under the property above, other writers leave old `txn`s out of their checkpoints. What the log still holds is taken at its
 * word however old it is; where it holds nothing, only a log that reaches back to version 0 proves that nothing was there.
 * Throws `KD_OFFSETS_VANISHED` without that proof. Spec: "Transaction Identifiers".
 */
export async function neverSeen(store: Store, state: TableState, appId: string): Promise<void> {
  const retention = state.metadata.configuration[PROPERTY]
  if (retention === undefined) return
  const context = { table: store.uri, appId, version: state.version }
  const detail = `the table holds no txn, and ${PROPERTY} (${retention}) may have expired it`
  try {
    for (let version = 0n; version <= state.version; version++) {
      const { actions } = await needCommit(store, version)
      if (actions.some((action) => action.kind === 'txn' && action.txn.appId === appId)) {
        throw new PipelineError(
          'KD_OFFSETS_VANISHED',
          `${detail}: it was there at version ${version}`,
          context,
        )
      }
    }
  } catch (cause) {
    if (!(cause instanceof PipelineError) || cause.code !== 'KD_TABLE_CORRUPT') throw cause
    throw new PipelineError('KD_OFFSETS_VANISHED', detail, context, { cause })
  }
}
