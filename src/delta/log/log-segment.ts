import { messageOf, PipelineError } from '../../core/errors.ts'
import { undefinedIfNotFound, type Store } from '../../storage/store.ts'
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
import type { LogCommit } from './state.ts'

/**
 * A `LogSegment` lists the log files that make up the table at `version`: a checkpoint, if there is one, and all
 * commits after it.
 */
export interface LogSegment {
  readonly version: bigint
  readonly checkpoint: Checkpoint | undefined
  /** Versions of the commits after the checkpoint, ascending and without gaps. */
  readonly commits: readonly bigint[]
}

/**
 * Describes a complete checkpoint with the keys of its parts in order; a classic or UUID-named checkpoint has one key.
 */
export interface Checkpoint {
  readonly version: bigint
  readonly keys: readonly string[]
}

/**
 * Parses the bytes of a commit. Spec: "Delta Log Entries".
 * @throws KD_TABLE_CORRUPT with version and line
 */
function parseCommit(version: bigint, body: Uint8Array): LogCommit {
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
  return { version, actions, head: commitHeadOf(body) }
}

/**
 * Bytes of a commit that tell it from every commit of another table: in them is a time, a `txnId`, the id of the table
 * or the name of a file.
 */
const HEAD_BYTES = 4096

/** Returns the first bytes of a commit, as a copy. */
export function commitHeadOf(body: Uint8Array): Uint8Array {
  return new Uint8Array(body.subarray(0, HEAD_BYTES))
}

/** Reads the first bytes of the commit of `version`; returns `undefined` if it does not exist. */
export function readCommitHead(store: Store, version: bigint): Promise<Uint8Array | undefined> {
  return undefinedIfNotFound(store.get(commitKey(version), { start: 0, end: HEAD_BYTES }))
}

/** Reads the commit of `version`; returns `undefined` if it does not exist yet or was cleaned up. */
export async function readCommit(store: Store, version: bigint): Promise<LogCommit | undefined> {
  const body = await undefinedIfNotFound(store.get(commitKey(version)))
  return body === undefined ? undefined : parseCommit(version, body)
}

/**
 * Reads the commit of `version`, which must exist.
 * @throws KD_TABLE_CORRUPT if it does not
 */
export async function requireCommit(store: Store, version: bigint): Promise<LogCommit> {
  const commit = await readCommit(store, version)
  if (commit === undefined) throw new PipelineError('KD_TABLE_CORRUPT', 'a commit is missing', { version })
  return commit
}

/**
 * Yields the files of the log from version `from` on, ascending. `_` sorts after every digit, so the listing stops
 * after the files of versions. Spec: "Last Checkpoint File".
 */
export async function* listLog(store: Store, from: bigint): AsyncGenerator<LogFile> {
  for await (const { file } of listObjects(store, from)) yield file
}

/** Lists all commits in the log, ascending, with the modification times that the store reports. */
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

/** Tells whether the log holds a commit or a checkpoint. */
export async function logExists(store: Store): Promise<boolean> {
  const first = await listLog(store, 0n).next()
  return first.done !== true
}

/**
 * Finds the log files that make up `version`, by default the newest version: from `_last_checkpoint` if it is usable,
 * otherwise by a full listing.
 * @throws KD_TABLE_MISSING if there is no log
 * @throws KD_TABLE_CORRUPT if a commit is missing
 * @throws KD_COMMAND_INVALID if the version does not exist
 */
export async function findLogSegment(store: Store, version?: bigint): Promise<LogSegment> {
  const hint = await readLastCheckpoint(store)
  if (hint !== undefined && (version === undefined || hint <= version)) {
    const found = await listLogFrom(store, hint)
    const segment = found.checkpoints.some((checkpoint) => checkpoint.version === hint)
      ? chooseSegment(found, version)
      : undefined
    if (segment !== undefined) return await fillGaps(store, segment)
  }
  const found = await listLogFrom(store, 0n)
  const segment = chooseSegment(found, version)
  if (segment === undefined) throw segmentError(store, found, version)
  return await fillGaps(store, segment)
}

interface LogListing {
  readonly commits: readonly bigint[]
  readonly checkpoints: readonly Checkpoint[]
}

async function listLogFrom(store: Store, from: bigint): Promise<LogListing> {
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
      // Parts cannot be written atomically: a checkpoint with a missing part is ignored. Spec: "Checkpoints".
      if (seen.size !== file.parts) continue
      const keys = Array.from({ length: file.parts }, (_, at) =>
        checkpointPartKey(version, at + 1, file.parts),
      )
      checkpoints.push({ version, keys })
    }
  }
  return { commits, checkpoints }
}

/** Chooses the newest complete checkpoint up to the version, and the commits after it. */
function chooseSegment(found: LogListing, wanted: bigint | undefined): LogSegment | undefined {
  const newest = [...found.commits, ...found.checkpoints.map((checkpoint) => checkpoint.version)].reduce(
    (max, version) => (version > max ? version : max),
    -1n,
  )
  const version = wanted ?? newest
  if (newest < version || version < 0n) return undefined
  const checkpoint = found.checkpoints
    .filter((checkpoint) => checkpoint.version <= version)
    .reduce<Checkpoint | undefined>(
      (best, next) => (best && best.version > next.version ? best : next),
      undefined,
    )
  const after = checkpoint?.version ?? -1n
  const commits = found.commits.filter((commit) => commit > after && commit <= version)
  if (checkpoint === undefined && commits[0] !== 0n) return undefined
  return { version, checkpoint, commits }
}

/** Fills gaps that exist only in the listing, which is not atomic beside a writer; throws for missing commits. */
async function fillGaps(store: Store, segment: LogSegment): Promise<LogSegment> {
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

function segmentError(store: Store, found: LogListing, version: bigint | undefined): PipelineError {
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
    return new PipelineError('KD_COMMAND_INVALID', 'the version was removed by log cleanup', context)
  }
  const oldest = commits[0]
  const detail = `version 0 is missing and there is no checkpoint; the oldest commit is ${String(oldest)}`
  return new PipelineError('KD_TABLE_CORRUPT', detail, { table: store.uri, version: 0n })
}
