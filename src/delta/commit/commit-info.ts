import type { Action } from '../protocol/actions.ts'
import { ENGINE_INFO } from '../protocol/engine.ts'
import { inCommitFields } from '../log/in-commit-timestamp.ts'
import { trackedColumns } from '../log/row-tracking.ts'
import type { TableState } from '../log/state.ts'

/** What a commit says of itself beyond its version and time. */
export interface CommitFacts {
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, string>>
  readonly operationMetrics: Readonly<Record<string, string>>
  readonly isolationLevel: 'Serializable' | 'SnapshotIsolation'
  readonly isBlindAppend: boolean
}

/**
 * The `commitInfo` of the version after `state`; `txnId` tells the commit from those of other writers, and rows that it moves
 * keep their ids. Spec: "Commit Provenance Information", "In-Commit Timestamps", "Row Tracking".
 */
export function commitInfo(facts: CommitFacts, state: TableState, nowMs: number, txnId: string): Action {
  const { operation, operationParameters, operationMetrics, isolationLevel, isBlindAppend } = facts
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
      isBlindAppend,
      operationMetrics,
      ...(trackedColumns(state) === undefined ? {} : { tags: { 'delta.rowTracking.preserved': 'true' } }),
      engineInfo: ENGINE_INFO,
      txnId,
    },
  }
}
