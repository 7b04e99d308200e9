import { PipelineError } from '../../core/errors.ts'
import type { MetadataAction, Protocol } from '../protocol/actions.ts'
import { writerFeatures } from '../protocol/protocol.ts'
import type { TableState } from './state.ts'

/** Whether commits of the table carry their own time. Spec: "In-Commit Timestamps" (enablement). */
export function hasInCommitTimestamps({
  protocol,
  metadata,
}: {
  readonly protocol: Protocol
  readonly metadata: Pick<MetadataAction, 'configuration'>
}): boolean {
  if (!writerFeatures(protocol).includes('inCommitTimestamp')) return false
  return metadata.configuration['delta.enableInCommitTimestamps'] === 'true'
}

/**
 * The fields that `commitInfo`, which must come first, must have beside others in the commit after `state`: the time of
 * the attempt, but later than the commit before it. None for a table that asks for none.
 * Throws `KD_TABLE_CORRUPT` where the commit before it lacks its time. Spec: "Writer Requirements for In-Commit Timestamps".
 */
export function inCommitFields(state: TableState, nowMs: number): { readonly inCommitTimestamp?: number } {
  if (!hasInCommitTimestamps(state)) return {}
  const { inCommitMs: before, version } = state
  if (before === undefined) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'commitInfo.inCommitTimestamp is missing', { version })
  }
  return { inCommitTimestamp: Math.max(Math.floor(nowMs), before + 1) }
}
