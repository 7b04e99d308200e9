import type { Action } from '../protocol/actions.ts'
import { ENGINE_INFO } from '../protocol/engine.ts'
import { inCommitFieldsAfter } from '../log/in-commit-timestamp.ts'
import { rowTrackingColumnsOf } from '../log/row-tracking.ts'
import type { TableState } from '../log/state.ts'

/** Describes a commit in its `commitInfo`, beyond version and time. */
export interface CommitDescription {
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  readonly operationMetrics: Readonly<Record<string, string>>
  readonly isolationLevel: 'Serializable' | 'SnapshotIsolation'
  readonly isBlindAppend: boolean
}

/**
 * Returns the `commitInfo` of the version after `state`. `txnId` distinguishes the commit from those of other writers;
 * it declares that moved rows keep their row ids. Spec: "Commit Provenance Information", "In-Commit Timestamps", "Row
 * Tracking".
 */
export function createCommitInfo(
  description: CommitDescription,
  state: TableState,
  nowMs: number,
  txnId: string,
): Action {
  const { operation, operationParameters, operationMetrics, isolationLevel, isBlindAppend } = description
  const inCommit = inCommitFieldsAfter(state, nowMs)
  return {
    kind: 'commitInfo',
    commitInfo: {
      ...inCommit,
      timestamp: inCommit.inCommitTimestamp ?? nowMs,
      operation,
      operationParameters,
      readVersion: state.version,
      isolationLevel,
      isBlindAppend,
      operationMetrics,
      ...(rowTrackingColumnsOf(state) === undefined
        ? {}
        : { tags: { 'delta.rowTracking.preserved': 'true' } }),
      engineInfo: ENGINE_INFO,
      txnId,
    },
  }
}
