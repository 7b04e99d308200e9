import { PipelineError } from '../../core/errors.ts'
import { loadState, parseMetadata } from '../log/snapshot.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import type { Store } from '../../storage/store.ts'
import { findLogSegment, type LogSegment } from '../log/log-segment.ts'
import { allowsOperation, type TableOperation } from '../protocol/features.ts'
import { checkReadable, writerFeaturesOf } from '../protocol/protocol.ts'
import type { TableState } from '../log/state.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** Names what a maintenance command does to a table. */
type MaintenanceOperation = Exclude<TableOperation, 'append' | 'create'>

/** Holds the newest version of a table that a maintenance command may work on. */
export interface MaintainedTable {
  readonly segment: LogSegment
  readonly state: TableState
  readonly metadata: Metadata
  readonly shape: TableShape
}

/**
 * Opens the newest version of a table for maintenance. Spec: "Writer Requirements for Vacuum Protocol Check", "Table
 * Features".
 * @throws KD_TABLE_UNSUPPORTED with the names of the features under which `operation` is not supported
 * @throws KD_TABLE_MISSING, KD_TABLE_CORRUPT
 */
export async function openMaintainedTable(
  store: Store,
  operation: MaintenanceOperation,
): Promise<MaintainedTable> {
  const segment = await findLogSegment(store)
  const state = await loadState(store, segment)
  checkReadable(state.protocol, state.metadata)
  const metadata = parseMetadata(state.metadata)
  checkMaintenanceAllowed(state.protocol, operation)
  const clustering = state.domains.get('delta.clustering')?.configuration
  const shape = { protocol: state.protocol, metadata, ...(clustering === undefined ? {} : { clustering }) }
  return { segment, state, metadata, shape }
}

/**
 * Refuses a maintenance operation under features that do not support it.
 * @throws KD_TABLE_UNSUPPORTED with the names of the features
 */
export function checkMaintenanceAllowed(protocol: Protocol, operation: MaintenanceOperation): void {
  const features = writerFeaturesOf(protocol).filter((feature) => !allowsOperation(feature, operation))
  if (protocol.minWriterVersion > 7) features.push(`writer version ${protocol.minWriterVersion}`)
  if (features.length === 0) return
  const detail = `cannot ${VERBS[operation]} a table with ${features.join(', ')}`
  throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { features })
}

const VERBS: Readonly<Record<MaintenanceOperation, string>> = {
  rewrite: 'rewrite',
  vacuum: 'vacuum',
  verify: 'verify',
  commit: 'change',
}
