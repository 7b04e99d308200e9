import { messageOf, PipelineError } from '../../core/errors.ts'
import { orAbsent, type Store } from '../../storage/store.ts'
import type { Action } from '../protocol/actions.ts'
import { parseAction } from '../protocol/action-json.ts'
import { readLastCheckpoint } from './last-checkpoint.ts'
import type { LogFile } from '../protocol/paths.ts'
import {
  checkpointKey,
  checkpointPartKey,
  commitKey,
  LOG_PREFIX,
  paddedVersion,
  parseLogKey,
} from '../protocol/paths.ts'
import type { Commit } from './state.ts'

/** The files that make up the table at `version`: a checkpoint, if there is one, and every commit after it. */
export interface LogSegment {
  readonly version: bigint
  readonly checkpoint: Checkpoint | undefined
  /** Versions of the commits after the checkpoint, ascending, without a gap. */
  readonly commits: readonly bigint[]
}

/** A complete checkpoint: its parts in their order; one for a classic one and for one named by a UUID. */
export interface Checkpoint {
  readonly version: bigint
  readonly keys: readonly string[]
}

/** A commit's bytes as actions. Throws `KD_TABLE_CORRUPT` with version and line. Spec: "Delta Log Entries". */
export function parseCommit(version: bigint, body: Uint8Array): Commit {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new PipelineError('KD_TABLE_CORRUPT', 'a commit is not UTF-8', { version }, { cause })
  }
  const actions: Action[] = []
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return
    try {
      const action = parseAction(line)
      if (action !== undefined) actions.push(action)
    } catch (cause) {
      throw new PipelineError('KD_TABLE_CORRUPT', messageOf(cause), { version, line: index + 1 }, { cause })
    }
  })
  return { version, actions }
}

/** The commit of `version`, or `undefined` where it does not exist (yet, or no more). */
export async function readCommit(store: Store, version: bigint): Promise<Commit | undefined> {
  const body = await orAbsent(store.get(commitKey(version)))
  return body === undefined ? undefined : parseCommit(version, body)
}

/** The commit of `version`, which must exist. Throws `KD_TABLE_CORRUPT`. */
export async function needCommit(store: Store, version: bigint): Promise<Commit> {
  const commit = await readCommit(store, version)
  if (commit === undefined) throw new PipelineError('KD_TABLE_CORRUPT', 'a commit is missing', { version })
  return commit
}

/**
 * Files of the log from version `from` on, ascending.
 * `_` sorts after every digit, so the listing ends where the names of versions end. Spec: "Last Checkpoint File".
 */
export async function* listLog(store: Store, from: bigint): AsyncGenerator<LogFile> {
  for await (const { file } of listObjects(store, from)) yield file
}

/** Every commit that the log still holds, ascending, with the time at which the store says that its file was written. */
export async function listCommitTimes(
  store: Store,
): Promise<readonly { readonly version: bigint; readonly modifiedMs: number }[]> {
  const commits: { version: bigint; modifiedMs: number }[] = []
  for await (const { file, modifiedMs } of listObjects(store, 0n)) {
    if (file.kind === 'commit') commits.push({ version: file.version, modifiedMs })
  }
  return commits
}

async function* listObjects(
  store: Store,
  from: bigint,
): AsyncGenerator<{ readonly file: LogFile; readonly modifiedMs: number }> {
  for await (const { key, modifiedMs } of store.list(LOG_PREFIX, `${LOG_PREFIX}${paddedVersion(from)}`)) {
    if (key.charAt(LOG_PREFIX.length) > '9') return
    const file = parseLogKey(key)
    if (file !== undefined) yield { file, modifiedMs }
  }
}

/** Whether there is a log with a commit or a checkpoint in it. */
export async function logExists(store: Store): Promise<boolean> {
  const first = await listLog(store, 0n).next()
  return first.done !== true
}

/**
 * Finds the files that make up `version`, the newest by default: from `_last_checkpoint` where that helps, by a full
 * listing where it is missing, stale or wrong.
 * Throws `KD_TABLE_MISSING` without a log, `KD_TABLE_CORRUPT` for a gap, `KD_COMMAND_INVALID` for a version that is not
 * there.
 */
export async function findSegment(store: Store, version?: bigint): Promise<LogSegment> {
  const hint = await readLastCheckpoint(store)
  if (hint !== undefined && (version === undefined || hint <= version)) {
    const found = await collect(store, hint)
    const segment = found.checkpoints.some((checkpoint) => checkpoint.version === hint)
      ? choose(found, version)
      : undefined
    if (segment !== undefined) return await withoutGaps(store, segment)
  }
  const found = await collect(store, 0n)
  const segment = choose(found, version)
  if (segment === undefined) throw notFound(store, found, version)
  return await withoutGaps(store, segment)
}

interface Found {
  readonly commits: readonly bigint[]
  readonly checkpoints: readonly Checkpoint[]
}

async function collect(store: Store, from: bigint): Promise<Found> {
  const commits: bigint[] = []
  const checkpoints: Checkpoint[] = []
  const parts = new Map<string, Set<number>>()
  for await (const file of listLog(store, from)) {
    const { version } = file
    if (file.kind === 'commit') commits.push(version)
    else if (file.kind === 'checkpoint') checkpoints.push({ version, keys: [checkpointKey(version)] })
    else if (file.kind === 'checkpointV2') checkpoints.push({ version, keys: [file.key] })
    else {
      const id = `${version}/${file.parts}`
      const seen = parts.get(id) ?? new Set()
      parts.set(id, seen.add(file.part))
      // Parts cannot be written at once: one with a part missing is no checkpoint. Spec: "Checkpoints".
      if (seen.size !== file.parts) continue
      const keys = Array.from({ length: file.parts }, (_, at) =>
        checkpointPartKey(version, at + 1, file.parts),
      )
      checkpoints.push({ version, keys })
    }
  }
  return { commits, checkpoints }
}

/** The newest complete checkpoint that is not newer than the version, and the commits after it. */
function choose(found: Found, wanted: bigint | undefined): LogSegment | undefined {
  const newest = [...found.commits, ...found.checkpoints.map((checkpoint) => checkpoint.version)].reduce(
    (max, version) => (version > max ? version : max),
    -1n,
  )
  const version = wanted ?? newest
  if (newest < version || version < 0n) return undefined
  const checkpoint = found.checkpoints
    .filter((one) => one.version <= version)
    .reduce<Checkpoint | undefined>(
      (best, one) => (best && best.version > one.version ? best : one),
      undefined,
    )
  const after = checkpoint?.version ?? -1n
  const commits = found.commits.filter((commit) => commit > after && commit <= version)
  if (checkpoint === undefined && commits[0] !== 0n) return undefined
  return { version, checkpoint, commits }
}

/** Fills gaps that only the listing had (it need not be atomic beside a writer); throws for real ones. */
async function withoutGaps(store: Store, segment: LogSegment): Promise<LogSegment> {
  const first = (segment.checkpoint?.version ?? -1n) + 1n
  const listed = new Set(segment.commits)
  const commits: bigint[] = []
  for (let version = first; version <= segment.version; version++) {
    if (!listed.has(version) && (await store.size(commitKey(version))) === undefined) {
      throw new PipelineError('KD_TABLE_CORRUPT', 'a commit is missing', { table: store.uri, version })
    }
    commits.push(version)
  }
  return { ...segment, commits }
}

function notFound(store: Store, found: Found, version: bigint | undefined): PipelineError {
  const context = { table: store.uri, version }
  const { commits, checkpoints } = found
  if (commits.length + checkpoints.length === 0) {
    return new PipelineError('KD_TABLE_MISSING', 'the log has no commit and no checkpoint', {
      table: store.uri,
    })
  }
  const newest = commits.at(-1) ?? checkpoints.at(-1)?.version
  if (version !== undefined && (newest === undefined || version > newest || version < 0n)) {
    return new PipelineError('KD_COMMAND_INVALID', `the newest version is ${String(newest)}`, context)
  }
  if (version !== undefined && checkpoints.length > 0) {
    return new PipelineError('KD_COMMAND_INVALID', 'the version was cleaned up', context)
  }
  const oldest = commits[0]
  const detail = `version 0 is missing and there is no checkpoint; the oldest commit is ${String(oldest)}`
  return new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, version: 0n })
}
