import { PipelineError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { hasInCommitTimestamps } from './in-commit-timestamp.ts'
import { findLogSegment, listCommitTimes, requireCommit } from './log-segment.ts'
import { loadState } from './snapshot.ts'
import { commitInfoOf, inCommitTimestampOf, type TableState } from './state.ts'

/** A version with its time, milliseconds since the epoch. */
interface DatedVersion {
  readonly version: bigint
  readonly ms: number
}

/**
 * Returns the newest version that existed at `timestampMs`, milliseconds since the epoch; times after the newest commit
 * give that commit.
 *
 * The time of a commit is its in-commit timestamp from the version on at which these were enabled. Before that it is
 * the modification time of its file, moved to one millisecond after the previous commit if clocks ran backwards. Spec:
 * "Recommendations for Readers of Tables with In-Commit Timestamps".
 * @throws KD_COMMAND_INVALID if the time is before the oldest commit in the log
 * @throws KD_TABLE_CORRUPT if a commit lacks its timestamp
 * @throws KD_TABLE_MISSING
 */
export async function findVersionAt(store: Store, timestampMs: number): Promise<bigint> {
  const state = await loadState(store, await findLogSegment(store))
  const since = inCommitSince(state)
  const commits = await listCommitTimes(store)
  if (since !== undefined && timestampMs >= since.ms) {
    const versions = commits.map(({ version }) => version).filter((version) => version >= since.version)
    return await lastInCommit(store, versions, timestampMs)
  }
  const files = commits.filter(({ version }) => since === undefined || version < since.version)
  return lastAt(store, monotonic(files), timestampMs)
}

/** Returns the version and time from which commits carry in-commit timestamps; `undefined` if they do not. */
function inCommitSince(state: TableState): DatedVersion | undefined {
  if (!hasInCommitTimestamps(state)) return undefined
  const { configuration } = state.metadata
  const first = configuration['delta.inCommitTimestampEnablementVersion']
  const ms = configuration['delta.inCommitTimestampEnablementTimestamp']
  // Without these properties they have been enabled since version 0.
  if (first === undefined && ms === undefined) return { version: 0n, ms: -Infinity }
  const whole = /^\d{1,15}$/
  if (first !== undefined && ms !== undefined && whole.test(first) && whole.test(ms)) {
    return { version: BigInt(first), ms: Number(ms) }
  }
  const detail = 'delta.inCommitTimestampEnablementVersion and …EnablementTimestamp are not two whole numbers'
  throw new PipelineError('KD_TABLE_CORRUPT', detail, { version: state.version })
}

/** Moves each file time after the previous one if it is not later. */
function monotonic(
  files: readonly { readonly version: bigint; readonly modifiedMs: number }[],
): readonly DatedVersion[] {
  let last = -Infinity
  return files.map(({ version, modifiedMs }) => {
    last = Math.max(last + 1, Math.floor(modifiedMs))
    return { version, ms: last }
  })
}

function lastAt(store: Store, commits: readonly DatedVersion[], timestampMs: number): bigint {
  let found: bigint | undefined
  for (const { version, ms } of commits) if (ms <= timestampMs) found = version
  if (found === undefined) throw tooEarly(store, timestampMs, commits[0]?.ms)
  return found
}

/** Binary search, because each timestamp costs a read: in-commit timestamps ascend. */
async function lastInCommit(store: Store, versions: readonly bigint[], timestampMs: number): Promise<bigint> {
  const msOf = async (version: bigint): Promise<number> => {
    const ms = inCommitTimestampOf(commitInfoOf(await requireCommit(store, version)))
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
      ? 'the log holds no commit with a known time'
      : `the oldest commit in the log is from ${text(oldestMs)}`
  return new PipelineError('KD_COMMAND_INVALID', detail, { table: store.uri, timestamp: text(timestampMs) })
}
