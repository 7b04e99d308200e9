import { PipelineError } from '../../core/errors.ts'
import type { MetadataAction, Protocol } from '../protocol/actions.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { isPropertySet } from '../protocol/table-properties.ts'
import type { TableState } from './state.ts'

/** Tells whether commits of the table carry in-commit timestamps. Spec: "In-Commit Timestamps" (enablement). */
export function hasInCommitTimestamps({
  protocol,
  metadata,
}: {
  readonly protocol: Protocol
  readonly metadata: Pick<MetadataAction, 'configuration'>
}): boolean {
  if (!writerFeaturesOf(protocol).includes('inCommitTimestamp')) return false
  return isPropertySet(metadata.configuration, 'delta.enableInCommitTimestamps')
}

/**
 * Returns the in-commit timestamp fields for `commitInfo` of the commit after `state`: the time of the attempt, but
 * later than the previous commit. Empty if the table does not use in-commit timestamps. `commitInfo` must then be the
 * first action. Spec: "Writer Requirements for In-Commit Timestamps".
 * @throws KD_TABLE_CORRUPT if the previous commit lacks its timestamp
 */
export function inCommitFieldsAfter(
  state: TableState,
  nowMs: number,
): { readonly inCommitTimestamp?: number } {
  if (!hasInCommitTimestamps(state)) return {}
  const { inCommitMs: before, version } = state
  if (before === undefined) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'commitInfo.inCommitTimestamp is missing', { version })
  }
  return { inCommitTimestamp: Math.max(Math.floor(nowMs), before + 1) }
}
