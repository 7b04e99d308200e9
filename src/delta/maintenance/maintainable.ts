import { PipelineError } from '../../core/errors.ts'
import { loadState, readableMetadata } from '../log/snapshot.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import type { Store } from '../../storage/store.ts'
import { findSegment, type LogSegment } from '../log/log-segment.ts'
import { allowsUse, type Use } from '../protocol/features.ts'
import { checkReadable, writerFeatures } from '../protocol/protocol.ts'
import type { TableState } from '../log/state.ts'
import type { TableShape } from '../protocol/table-shape.ts'

/** What a command does to the table. */
export type Maintenance = Exclude<Use, 'append' | 'create'>

/** A table at its newest version that a command may work on. */
export interface Maintained {
  readonly segment: LogSegment
  readonly state: TableState
  readonly metadata: Metadata
  readonly shape: TableShape
}

/**
 * The newest version of the table. Throws `KD_TABLE_UNSUPPORTED` with the names of the features under which the command
 * cannot work rightly, `KD_TABLE_MISSING`, `KD_TABLE_CORRUPT`.
 * Spec: "Writer Requirements for Vacuum Protocol Check", "Table Features".
 */
export async function openMaintained(store: Store, what: Maintenance): Promise<Maintained> {
  const segment = await findSegment(store)
  const state = await loadState(store, segment)
  checkReadable(state.protocol, state.metadata)
  const metadata = readableMetadata(state.metadata)
  checkMaintainable(state.protocol, what)
  const clustering = state.domains.get('delta.clustering')?.configuration
  const shape = { protocol: state.protocol, metadata, ...(clustering === undefined ? {} : { clustering }) }
  return { segment, state, metadata, shape }
}

/** Refuses by the features' names. Throws `KD_TABLE_UNSUPPORTED`. */
export function checkMaintainable(protocol: Protocol, what: Maintenance): void {
  const features = writerFeatures(protocol).filter((feature) => !allowsUse(feature, what))
  if (protocol.minWriterVersion > 7) features.push(`writer version ${protocol.minWriterVersion}`)
  if (features.length === 0) return
  const detail = `cannot ${WORDS[what]} a table with ${features.join(', ')}`
  throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { features })
}

const WORDS: Readonly<Record<Maintenance, string>> = {
  rewrite: 'rewrite',
  vacuum: 'vacuum',
  verify: 'verify',
  commit: 'change',
}
