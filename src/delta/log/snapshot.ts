import type { StructType } from '../../core/schema.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Add, Metadata, MetadataAction, Protocol, Txn } from '../protocol/actions.ts'
import { readCheckpoint, STATE_COLUMNS } from './checkpoint-read.ts'
import { readChecksum } from './checksum.ts'
import { columnMappingOf } from '../schema/column-mapping.ts'
import { readLiveFiles } from './live-files.ts'
import { hasInCommitTimestamps } from './in-commit-timestamp.ts'
import { findLogSegment, type LogSegment, readCommit, readCommitHead, requireCommit } from './log-segment.ts'
import { checkReadable, readerFeaturesOf } from '../protocol/protocol.ts'
import { parseSchema } from '../schema/schema-json.ts'
import {
  applyActions,
  commitInfoOf,
  EMPTY_STATE,
  inCommitTimestampOf,
  type PartialState,
  type TableState,
  completeState,
} from './state.ts'
import { totalsSince } from './totals.ts'
import { checkTypeChanges } from '../schema/type-widening.ts'

/** A `Snapshot` is an immutable view of a table at one version. Its files are read from the log on demand. */
export interface Snapshot {
  readonly version: bigint
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly schema: StructType
  readonly txns: ReadonlyMap<string, Txn>
  readonly segment: LogSegment
  /** Yields all files of the table: those of the checkpoint first, then those of later commits in order. */
  files(): AsyncGenerator<Add>
}

/**
 * Reads the table at `version`, by default the newest version.
 * @throws KD_TABLE_MISSING, KD_TABLE_CORRUPT
 * @throws KD_TABLE_UNSUPPORTED for features that cannot be read
 * @throws KD_COMMAND_INVALID if the version does not exist
 */
export async function loadSnapshot(
  store: Store,
  options: { readonly version?: bigint | undefined } = {},
): Promise<Snapshot> {
  const segment = await findLogSegment(store, options.version)
  const state = await loadState(store, segment)
  checkReadable(state.protocol, state.metadata)
  const metadata = parseMetadata(state.metadata)
  // Unsupported mappings and type changes are refused here, before the first file is read.
  columnMappingOf(state.protocol, metadata)
  if (readerFeaturesOf(state.protocol).includes('typeWidening')) checkTypeChanges(metadata.schema)
  return {
    version: state.version,
    protocol: state.protocol,
    metadata,
    schema: metadata.schema,
    txns: state.txns,
    segment,
    async *files() {
      for await (const file of readLiveFiles(store, segment)) if (file.kind === 'add') yield file.add
    },
  }
}

/** Reads the state of the table without its files; memory does not grow with the number of files. */
export async function loadState(store: Store, segment: LogSegment): Promise<TableState> {
  let state: PartialState = EMPTY_STATE
  const { checkpoint } = segment
  if (checkpoint !== undefined) {
    for await (const actions of readCheckpoint(store, checkpoint, STATE_COLUMNS)) {
      state = applyActions(state, checkpoint.version, actions)
    }
    completeState({ ...state, version: checkpoint.version })
    // The files of the checkpoint were not read, so counting starts here.
    state = { ...state, totals: totalsSince(checkpoint.version) }
  }
  for (const version of segment.commits) {
    const { actions, head } = await requireCommit(store, version)
    state = applyActions(state, version, actions, head)
    // Spec: "Change Metadata": the first version of a table must contain a `metaData` action.
    if (version === 0n) completeState(state)
  }
  const whole = completeState({ ...state, version: segment.version })
  if (segment.commits.length > 0) return whole
  if (!hasInCommitTimestamps(whole))
    return { ...whole, head: await readCommitHead(store, segment.version), headBefore: undefined }
  // A checkpoint does not store the in-commit timestamp of its version, but the next commit depends on it.
  const commit = await readCommit(store, segment.version)
  const inCommitMs =
    inCommitTimestampOf(commit && commitInfoOf(commit)) ??
    (await readChecksum(store, segment.version))?.inCommitMs
  return { ...whole, inCommitMs, head: commit?.head, headBefore: undefined }
}

/**
 * Parses the schema of a `metaData` action. Spec: "Change Metadata".
 * @throws KD_TABLE_CORRUPT if the schema is invalid or lacks a partition column
 */
export function parseMetadata(action: MetadataAction): Metadata {
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
