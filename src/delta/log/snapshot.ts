import type { StructType } from '../../core/schema.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Add, Metadata, MetadataAction, Protocol, Txn } from '../protocol/actions.ts'
import { readCheckpoint, STATE_COLUMNS } from './checkpoint-read.ts'
import { readChecksum } from './checksum.ts'
import { columnMapping } from '../schema/column-mapping.ts'
import { liveFiles } from './live-files.ts'
import { hasInCommitTimestamps } from './in-commit-timestamp.ts'
import { findSegment, type LogSegment, needCommit, readCommit } from './log-segment.ts'
import { checkReadable, readerFeatures } from '../protocol/protocol.ts'
import { parseSchema } from '../schema/schema-json.ts'
import {
  applyActions,
  commitInfoOf,
  EMPTY_STATE,
  inCommitTimestamp,
  type PartialState,
  type TableState,
  wholeState,
} from './state.ts'
import { totalsSince } from './totals.ts'
import { checkTypeChanges } from '../schema/type-widening.ts'

/** A table as it is at one version; never changes. Files are read from the log when they are asked for. */
export interface Snapshot {
  readonly version: bigint
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly schema: StructType
  readonly txns: ReadonlyMap<string, Txn>
  readonly segment: LogSegment
  /** Every file of the table, those of the checkpoint first, then in the order of their commits. */
  files(): AsyncGenerator<Add>
}

/**
 * Reads the table at `version`, the newest by default. Throws `KD_TABLE_MISSING`, `KD_TABLE_CORRUPT`,
 * `KD_TABLE_UNSUPPORTED` for what cannot be read rightly, `KD_COMMAND_INVALID` for a version that is not there.
 */
export async function loadSnapshot(
  store: Store,
  options: { readonly version?: bigint | undefined } = {},
): Promise<Snapshot> {
  const segment = await findSegment(store, options.version)
  const state = await loadState(store, segment)
  checkReadable(state.protocol, state.metadata)
  const metadata = readableMetadata(state.metadata)
  // What cannot be read rightly is refused here, before the first file.
  columnMapping(state.protocol, metadata)
  if (readerFeatures(state.protocol).includes('typeWidening')) checkTypeChanges(metadata.schema)
  return {
    version: state.version,
    protocol: state.protocol,
    metadata,
    schema: metadata.schema,
    txns: state.txns,
    segment,
    async *files() {
      for await (const file of liveFiles(store, segment)) if (file.kind === 'add') yield file.add
    },
  }
}

/** Everything of the table but its files, in memory that does not grow with their number. */
export async function loadState(store: Store, segment: LogSegment): Promise<TableState> {
  let state: PartialState = EMPTY_STATE
  const { checkpoint } = segment
  if (checkpoint !== undefined) {
    for await (const actions of readCheckpoint(store, checkpoint, STATE_COLUMNS)) {
      state = applyActions(state, checkpoint.version, actions)
    }
    wholeState({ ...state, version: checkpoint.version })
    // Its files were not read.
    state = { ...state, totals: totalsSince(checkpoint.version) }
  }
  for (const version of segment.commits) {
    const { actions } = await needCommit(store, version)
    state = applyActions(state, version, actions)
    // Spec: "Change Metadata": the first version of a table must contain a `metaData` action.
    if (version === 0n) wholeState(state)
  }
  const whole = wholeState({ ...state, version: segment.version })
  if (segment.commits.length > 0 || !hasInCommitTimestamps(whole)) return whole
  // A checkpoint does not keep the time of its commit, which those that follow depend on.
  const commit = await readCommit(store, segment.version)
  const inCommitMs = inCommitTimestamp(commit && commitInfoOf(commit))
  return { ...whole, inCommitMs: inCommitMs ?? (await readChecksum(store, segment.version))?.inCommitMs }
}

/** Metadata with its schema parsed. Throws `KD_TABLE_CORRUPT`. Spec: "Change Metadata". */
export function readableMetadata(action: MetadataAction): Metadata {
  const schema = parseSchema(action.schemaString)
  const names = new Set(schema.fields.map((field) => field.name))
  const missing = action.partitionColumns.filter((column) => !names.has(column))
  if (missing.length > 0) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'partition columns are not in the schema', {
      columns: missing,
    })
  }
  return { ...action, schema }
}
