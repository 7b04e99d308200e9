import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { hasInCommitTimestamps } from './in-commit-timestamp.ts'
import { findSegment, listCommitTimes, needCommit } from './log-segment.ts'
import { loadState } from './snapshot.ts'
import { commitInfoOf, inCommitTimestamp, type TableState } from './state.ts'

/** When a version came to be, in milliseconds since the epoch. */
interface Dated {
  readonly version: bigint
  readonly ms: number
}

/**
 * The newest version that was there at a time in milliseconds since the epoch; for times after the newest commit, that one.
 *
 * A commit's time is its in-commit timestamp from the version on at which the table had these switched on; before, it is
 * that of its file, moved to a millisecond after the commit before it where clocks ran backwards.
 * Throws `KD_COMMAND_INVALID` for a time before the oldest commit of the log, `KD_TABLE_CORRUPT` for a commit that lacks
 * its timestamp, `KD_TABLE_MISSING`. Spec: "Recommendations for Readers of Tables with In-Commit Timestamps".
 */
export async function versionAt(store: Store, timestampMs: number): Promise<bigint> {
  const state = await loadState(store, await findSegment(store))
  const since = inCommitSince(state)
  const commits = await listCommitTimes(store)
  if (since !== undefined && timestampMs >= since.ms) {
    const versions = commits.map(({ version }) => version).filter((version) => version >= since.version)
    return await lastInCommit(store, versions, timestampMs)
  }
  const files = commits.filter(({ version }) => since === undefined || version < since.version)
  return lastAt(store, monotonic(files), timestampMs)
}

/** From when on commits carry their own timestamps; `undefined` for a table whose commits do not. */
function inCommitSince(state: TableState): Dated | undefined {
  if (!hasInCommitTimestamps(state)) return undefined
  const { configuration } = state.metadata
  const first = configuration['delta.inCommitTimestampEnablementVersion']
  const ms = configuration['delta.inCommitTimestampEnablementTimestamp']
  // Without these the table had them from its beginning.
  if (first === undefined && ms === undefined) return { version: 0n, ms: -Infinity }
  const whole = /^\d{1,15}$/
  if (first !== undefined && ms !== undefined && whole.test(first) && whole.test(ms)) {
    return { version: BigInt(first), ms: Number(ms) }
  }
  const detail = 'delta.inCommitTimestampEnablementVersion and …EnablementTimestamp are not two whole numbers'
  throw new PipelineError('KD_TABLE_CORRUPT', detail, { version: state.version })
}

/** File times, each moved after the one before where it is not later. */
function monotonic(
  files: readonly { readonly version: bigint; readonly modifiedMs: number }[],
): readonly Dated[] {
  let last = -Infinity
  return files.map(({ version, modifiedMs }) => {
    last = Math.max(last + 1, Math.floor(modifiedMs))
    return { version, ms: last }
  })
}

function lastAt(store: Store, commits: readonly Dated[], timestampMs: number): bigint {
  let found: bigint | undefined
  for (const { version, ms } of commits) if (ms <= timestampMs) found = version
  if (found === undefined) throw tooEarly(store, timestampMs, commits[0]?.ms)
  return found
}

/** By halves, because each time costs a read: timestamps within commits ascend. */
async function lastInCommit(store: Store, versions: readonly bigint[], timestampMs: number): Promise<bigint> {
  const msOf = async (version: bigint): Promise<number> => {
    const ms = inCommitTimestamp(commitInfoOf(await needCommit(store, version)))
    if (ms !== undefined) return ms
    throw new PipelineError('KD_TABLE_CORRUPT', 'commitInfo.inCommitTimestamp is missing', { version })
  }
  let [from, to] = [0, versions.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((await msOf(versions[middle] as bigint)) <= timestampMs) from = middle + 1
    else to = middle
  }
  const found = versions[from - 1]
  if (found !== undefined) return found
  const [oldest] = versions
  throw tooEarly(store, timestampMs, oldest === undefined ? undefined : await msOf(oldest))
}

function tooEarly(store: Store, timestampMs: number, oldestMs: number | undefined): PipelineError {
  const text = (ms: number): string => new Date(ms).toISOString()
  const detail =
    oldestMs === undefined
      ? 'the log holds no commit whose time is known'
      : `the oldest commit that the log holds is of ${text(oldestMs)}`
  return new PipelineError('KD_COMMAND_INVALID', detail, { table: store.uri, timestamp: text(timestampMs) })
}
