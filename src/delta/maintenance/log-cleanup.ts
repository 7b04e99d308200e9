import { type Clock, systemClock } from '../../core/clock.ts'
import { mapBounded } from '../../core/concurrency.ts'
import type { Store } from '../../storage/store.ts'
import { readCheckpoint, STATE_COLUMNS, listCheckpointParts } from '../log/checkpoint-read.ts'
import { allowsOperation } from '../protocol/features.ts'
import { parseIntervalMs } from '../protocol/interval.ts'
import { type Checkpoint, findLogSegment } from '../log/log-segment.ts'
import { checkpointKey, checkpointPartKey, LOG_PREFIX, parseLogKey, sidecarKey } from '../protocol/paths.ts'
import { writerFeaturesOf } from '../protocol/protocol.ts'
import { isPropertySet } from '../protocol/table-properties.ts'
import { loadState } from '../log/snapshot.ts'
import { applyActions, EMPTY_STATE, type PartialState, completeState } from '../log/state.ts'

/** Configures the cleanup of a log. */
interface LogCleanupOptions {
  readonly clock?: Clock | undefined
  /** Maximum of files that one run deletes; the rest is left for the next run. No maximum by default. */
  readonly filesMax?: number | undefined
  /** Ends the run before the next hundred files are deleted. */
  readonly signal?: AbortSignal | undefined
}

/** Counts what a cleanup deleted. */
interface LogCleanupResult {
  /** Deleted files of the log: commits, checkpoints, checksums, compactions. */
  readonly files: number
  readonly sidecars: number
  /** Checkpoint from which on the log is complete; absent if nothing was deleted. */
  readonly checkpoint?: bigint
}

const NOTHING: LogCleanupResult = { files: 0, sidecars: 0 }
const DAY_MS = 86_400_000
const RETENTION_MS = 30 * DAY_MS
const DELETES_AT_ONCE = 8
const BATCH = 100

/** Names of files that belong to one version or start at one. */
const OF_VERSION = /^(\d{20})\.(?:json|crc|checkpoint\..+|(\d{20})\.compacted\.json)$/

/**
 * Deletes the files of the log before the newest checkpoint that existed `delta.logRetentionDuration` (30 days by
 * default) before midnight UTC: commits, checkpoints, checksums and compactions, oldest first, so that an interrupted
 * run leaves a complete log; then sidecars that no checkpoint references and that are older than a day. The checkpoint
 * is read first to verify it, and its commit stays. Leaves the log of a table alone that disables the cleanup
 * (`delta.enableExpiredLogCleanup`) or has a feature under which it is not supported. Memory does not grow with the
 * log. Spec: "Metadata Cleanup".
 * @throws KD_TABLE_CORRUPT if the checkpoint cannot be read
 */
export async function cleanUpLog(store: Store, options: LogCleanupOptions = {}): Promise<LogCleanupResult> {
  const { protocol, metadata } = await loadState(store, await findLogSegment(store))
  const { configuration } = metadata
  if (!isPropertySet(configuration, 'delta.enableExpiredLogCleanup', true)) return NOTHING
  if (!writerFeaturesOf(protocol).every((feature) => allowsOperation(feature, 'commit'))) return NOTHING
  const nowMs = (options.clock ?? systemClock).now()
  const retentionMs = parseIntervalMs(configuration['delta.logRetentionDuration'], RETENTION_MS)
  if (retentionMs === Infinity) return NOTHING
  const cutOffMs = midnight(nowMs - retentionMs)
  const checkpoint = await cutOffCheckpoint(store, cutOffMs)
  if (checkpoint === undefined) return NOTHING
  const files = await deleteBefore(store, checkpoint, options)
  if (files === 0) return NOTHING
  const sidecars = await deleteSidecars(store, midnight(nowMs) - DAY_MS, options)
  return { files, sidecars, checkpoint: checkpoint.version }
}

function midnight(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS
}

/** Finds the newest complete checkpoint that is not newer than the newest commit before `cutOffMs`. */
async function cutOffCheckpoint(store: Store, cutOffMs: number): Promise<Checkpoint | undefined> {
  let found: Checkpoint | undefined
  // A checkpoint is listed before the commit of its version, whose time tells whether it is old enough.
  let next: Checkpoint | undefined
  let parts = { id: '', seen: 0 }
  for await (const { key, modifiedMs } of logFiles(store)) {
    const file = parseLogKey(key)
    if (file === undefined) continue
    const { version } = file
    if (file.kind === 'commit') {
      // Times ascend with versions unless clocks run backwards: the first commit that is too young ends the search.
      if (modifiedMs > cutOffMs) break
      if (next !== undefined && next.version <= version) found = next
    } else if (file.kind === 'checkpoint') next = { version, keys: [checkpointKey(version)] }
    else if (file.kind === 'checkpointV2') next = { version, keys: [file.key] }
    else {
      const id = `${version}/${file.parts}`
      parts = { id, seen: parts.id === id ? parts.seen + 1 : 1 }
      if (parts.seen < file.parts) continue
      const keyAt = (at: number): string => checkpointPartKey(version, at + 1, file.parts)
      next = { version, keys: Array.from({ length: file.parts }, (_, at) => keyAt(at)) }
    }
  }
  if (found !== undefined) await checkReadable(store, found)
  return found
}

/**
 * Checks that the checkpoint can be read, because the remaining log depends on it.
 * @throws KD_TABLE_CORRUPT if it cannot
 */
async function checkReadable(store: Store, { version, keys }: Checkpoint): Promise<void> {
  let state: PartialState = EMPTY_STATE
  for await (const actions of readCheckpoint(store, { version, keys }, STATE_COLUMNS))
    state = applyActions(state, version, actions)
  completeState({ ...state, version })
}

/** Deletes the files before the checkpoint and returns their number. */
async function deleteBefore(
  store: Store,
  { version }: Checkpoint,
  { filesMax = Infinity, signal }: LogCleanupOptions,
): Promise<number> {
  let files = 0
  let due: string[] = []
  const flush = async (): Promise<void> => {
    await mapBounded(due, DELETES_AT_ONCE, (key) => store.delete(key))
    files += due.length
    due = []
  }
  for await (const { key } of logFiles(store)) {
    const [, digits, end] = OF_VERSION.exec(key.slice(LOG_PREFIX.length)) ?? []
    if (digits === undefined) continue
    const first = BigInt(digits)
    if (first > version) break
    // A compaction that starts at the version of the checkpoint is deleted as well.
    if (first === version && end === undefined) continue
    if (files + due.length >= filesMax || signal?.aborted === true) break
    due.push(key)
    if (due.length >= BATCH) await flush()
  }
  await flush()
  return files
}

/** Yields the files of versions, ascending. */
async function* logFiles(
  store: Store,
): AsyncGenerator<{ readonly key: string; readonly modifiedMs: number }> {
  for await (const object of store.list(LOG_PREFIX)) {
    if (object.key.charAt(LOG_PREFIX.length) > '9') return
    yield object
  }
}

/** Deletes sidecars that no checkpoint references; young ones may belong to a checkpoint that is being written. */
async function deleteSidecars(
  store: Store,
  beforeMs: number,
  { signal }: LogCleanupOptions,
): Promise<number> {
  const prefix = `${LOG_PREFIX}_sidecars/`
  const old: string[] = []
  for await (const { key, modifiedMs } of store.list(prefix)) if (modifiedMs < beforeMs) old.push(key)
  if (old.length === 0) return 0
  const named = new Set<string>()
  for await (const { key } of logFiles(store)) {
    const file = parseLogKey(key)
    if (file?.kind !== 'checkpoint' && file?.kind !== 'checkpointV2') continue
    for (const { sidecar } of await listCheckpointParts(store, { version: file.version, keys: [key] }))
      if (sidecar !== undefined) named.add(sidecarKey(sidecar.path))
  }
  const due = old.filter((key) => !named.has(key))
  if (signal?.aborted === true) return 0
  await mapBounded(due, DELETES_AT_ONCE, (key) => store.delete(key))
  return due.length
}
