import { type Clock, systemClock } from '../../core/clock.ts'
import { mapBounded } from '../../core/concurrency.ts'
import type { Store } from '../../storage/store.ts'
import { readCheckpoint, STATE_COLUMNS, checkpointParts } from '../log/checkpoint-read.ts'
import { allowsUse } from '../protocol/features.ts'
import { intervalMs } from '../protocol/interval.ts'
import { type Checkpoint, findSegment } from '../log/log-segment.ts'
import { checkpointKey, checkpointPartKey, LOG_PREFIX, parseLogKey, sidecarKey } from '../protocol/paths.ts'
import { writerFeatures } from '../protocol/protocol.ts'
import { loadState } from '../log/snapshot.ts'
import { applyActions, EMPTY_STATE, type PartialState, wholeState } from '../log/state.ts'

/** How the log is cleaned up. */
export interface LogCleanupOptions {
  readonly clock?: Clock | undefined
  /** Files that one run deletes at most; what is left is for the next. All by default. */
  readonly filesMax?: number | undefined
  /** Aborting it ends the run before the next hundred files are deleted. */
  readonly signal?: AbortSignal | undefined
}

/** What became of the log. */
export interface LogCleaned {
  /** Files of the log that were deleted: commits, checkpoints, checksums, compactions. */
  readonly files: number
  readonly sidecars: number
  /** The checkpoint up to which the log is complete no more; absent where nothing was to be deleted. */
  readonly checkpoint?: bigint
}

const NOTHING: LogCleaned = { files: 0, sidecars: 0 }
const DAY_MS = 86_400_000
const RETENTION_MS = 30 * DAY_MS
const DELETES_AT_ONCE = 8
const BATCH = 100

/** Names of files that belong to one version, or begin with it. */
const OF_VERSION = /^(\d{20})\.(?:json|crc|checkpoint\..+|(\d{20})\.compacted\.json)$/

/**
 * Deletes what of the log is older than the newest checkpoint that was there `delta.logRetentionDuration` (30 days by
 * default) before midnight UTC: commits, checkpoints, checksums and compactions, the oldest first, so that a run that ends
 * early leaves a whole log; then sidecars that no checkpoint names and that are older than a day. The checkpoint is read
 * beforehand, and its commit stays. A table that says no (`delta.enableExpiredLogCleanup`) or that has a feature under which
 * the log is not ours to clean is left alone. Memory does not grow with the log.
 * Throws `KD_TABLE_CORRUPT` where the checkpoint cannot be read. Spec: "Metadata Cleanup".
 */
export async function cleanUpLog(store: Store, options: LogCleanupOptions = {}): Promise<LogCleaned> {
  const { protocol, metadata } = await loadState(store, await findSegment(store))
  const { configuration } = metadata
  if (configuration['delta.enableExpiredLogCleanup']?.toLowerCase() === 'false') return NOTHING
  if (!writerFeatures(protocol).every((feature) => allowsUse(feature, 'commit'))) return NOTHING
  const nowMs = (options.clock ?? systemClock).now()
  const retentionMs = intervalMs(configuration['delta.logRetentionDuration'], RETENTION_MS)
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

/** The newest whole checkpoint that is not newer than the newest commit of the time before `cutOffMs`. */
async function cutOffCheckpoint(store: Store, cutOffMs: number): Promise<Checkpoint | undefined> {
  let found: Checkpoint | undefined
  // A version's checkpoint is listed before its commit, which tells whether it is old enough.
  let next: Checkpoint | undefined
  let parts = { id: '', seen: 0 }
  for await (const { key, modifiedMs } of logFiles(store)) {
    const file = parseLogKey(key)
    if (file === undefined) continue
    const { version } = file
    if (file.kind === 'commit') {
      // Times grow with versions, but for clocks that run backwards: the first commit that is too young ends the search.
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

/** The rest of the log builds on the checkpoint. Throws `KD_TABLE_CORRUPT` where it cannot be read. */
async function checkReadable(store: Store, { version, keys }: Checkpoint): Promise<void> {
  let state: PartialState = EMPTY_STATE
  for await (const actions of readCheckpoint(store, { version, keys }, STATE_COLUMNS))
    state = applyActions(state, version, actions)
  wholeState({ ...state, version })
}

/** Deletes what is before the checkpoint; how many files. */
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
    // A compaction that begins with the checkpoint's version goes as well.
    if (first === version && end === undefined) continue
    if (files + due.length >= filesMax || signal?.aborted === true) break
    due.push(key)
    if (due.length >= BATCH) await flush()
  }
  await flush()
  return files
}

/** Files of versions, ascending. */
async function* logFiles(
  store: Store,
): AsyncGenerator<{ readonly key: string; readonly modifiedMs: number }> {
  for await (const object of store.list(LOG_PREFIX)) {
    if (object.key.charAt(LOG_PREFIX.length) > '9') return
    yield object
  }
}

/** Deletes sidecars that no checkpoint names; young ones may belong to one that is being written. */
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
    for (const { sidecar } of await checkpointParts(store, { version: file.version, keys: [key] }))
      if (sidecar !== undefined) named.add(sidecarKey(sidecar.path))
  }
  const due = old.filter((key) => !named.has(key))
  if (signal?.aborted === true) return 0
  await mapBounded(due, DELETES_AT_ONCE, (key) => store.delete(key))
  return due.length
}
