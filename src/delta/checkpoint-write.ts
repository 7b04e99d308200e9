import type { RecordBatch } from 'apache-arrow'
import { StructBuilder } from '../arrow/builder.ts'
import { arrowSchema, recordBatch } from '../arrow/record-batch.ts'
import { PipelineError } from '../core/errors.ts'
import { parquetBytes, type ParquetOptions } from '../parquet/writer.ts'
import type { Store } from '../storage/store.ts'
import type { Remove } from './actions.ts'
import { CHECKPOINT_SCHEMA, type CheckpointRow } from './checkpoint-schema.ts'
import { liveFiles } from './files.ts'
import { intervalMs } from './interval.ts'
import { writeLastCheckpoint } from './last-checkpoint.ts'
import { findSegment } from './log.ts'
import { checkpointKey } from './paths.ts'
import { loadState } from './snapshot.ts'
import type { TableState } from './state.ts'

type Configuration = Readonly<Record<string, string>>

const INTERVAL = 10n
const TOMBSTONES_KEPT_MS = 7 * 86_400_000
const PARQUET: ParquetOptions = { compression: 'zstd', rowGroupRows: 50_000 }
/** Rows that are turned into columns at a time. */
const BATCH_ROWS = 2_048

/** Commits between two checkpoints: `delta.checkpointInterval`, 10 by default. */
export function checkpointInterval(configuration: Configuration): bigint {
  const text = configuration['delta.checkpointInterval'] ?? ''
  return /^[1-9]\d{0,8}$/.test(text) ? BigInt(text) : INTERVAL
}

/**
 * Why no checkpoint of the table can be written that holds what its properties demand; `undefined` where one can.
 * Spec: "Checkpoints" (`stats_parsed`, `partitionValues_parsed`).
 */
export function checkpointObstacle(configuration: Configuration): string | undefined {
  const key = 'delta.checkpoint.writeStatsAsStruct'
  return configuration[key] === 'true' ? `${key} is not supported` : undefined
}

/**
 * Writes the classic checkpoint of `version` and names it in `_last_checkpoint`. Actions stream from the log into the
 * file, so memory does not grow with the table beyond what reading the checkpoint before it takes.
 * `known` saves reading the state where the caller holds it. Spec: "Checkpoints", "Classic checkpoint", "V1 Spec".
 */
export async function writeCheckpoint(
  store: Store,
  version: bigint,
  options: { readonly nowMs: number; readonly known?: TableState },
): Promise<void> {
  const segment = await findSegment(store, version)
  const state = options.known?.version === version ? options.known : await loadState(store, segment)
  const counts = { rows: 0, adds: 0 }
  const rows = counted(counts, checkpointRows(state, liveFiles(store, segment), options.nowMs))
  const { bytes } = await store.put(checkpointKey(version), parquetBytes(batches(rows), PARQUET))
  await writeLastCheckpoint(store, {
    version: Number(version),
    size: counts.rows,
    sizeInBytes: bytes,
    numOfAddFiles: counts.adds,
  })
}

async function* checkpointRows(
  state: TableState,
  files: ReturnType<typeof liveFiles>,
  nowMs: number,
): AsyncGenerator<CheckpointRow> {
  const { configuration } = state.metadata
  const withStats = configuration['delta.checkpoint.writeStatsAsJson'] !== 'false'
  const keptMs = intervalMs(configuration['delta.deletedFileRetentionDuration'], TOMBSTONES_KEPT_MS)
  yield { protocol: state.protocol }
  yield { metaData: state.metadata }
  for (const txn of state.txns.values()) yield { txn }
  for (const domainMetadata of state.domains.values()) yield { domainMetadata }
  for await (const file of files) {
    // A checkpoint only restates: none of its rows is a change of data.
    if (file.kind === 'add') {
      const { stats, ...rest } = file.add
      yield { add: { ...rest, ...(withStats && stats !== undefined ? { stats } : {}), dataChange: false } }
    } else if (!expired(file.remove, nowMs - keptMs)) {
      yield { remove: { ...file.remove, dataChange: false } }
    }
  }
}

/** Spec: "Add File and Remove File": a tombstone expires once the threshold has passed since the removal. */
function expired(remove: Remove, beforeMs: number): boolean {
  return (remove.deletionTimestamp ?? 0) < beforeMs
}

async function* counted(
  counts: { rows: number; adds: number },
  rows: AsyncIterable<CheckpointRow>,
): AsyncGenerator<CheckpointRow> {
  for await (const row of rows) {
    counts.rows++
    if ('add' in row) counts.adds++
    yield row
  }
}

async function* batches(rows: AsyncIterable<CheckpointRow>): AsyncGenerator<RecordBatch> {
  const schema = arrowSchema(CHECKPOINT_SCHEMA)
  const builder = new StructBuilder(CHECKPOINT_SCHEMA)
  const batch = (): RecordBatch => {
    const { columns, length } = builder.finishColumns()
    return recordBatch(schema, columns, length)
  }
  for await (const row of rows) {
    const fault = builder.append(row)
    if (fault !== undefined) throw new PipelineError('KD_TABLE_CORRUPT', `an action does not fit: ${fault}`)
    if (builder.length >= BATCH_ROWS) yield batch()
  }
  if (builder.length > 0) yield batch()
}
