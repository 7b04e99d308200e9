import { readChecksum } from '../../delta/log/checksum.ts'
import { readCommit } from '../../delta/log/log-segment.ts'
import { loadSnapshot, type Snapshot } from '../../delta/log/snapshot.ts'
import { commitInfoOf, type LogCommit } from '../../delta/log/state.ts'
import { TARGET_BYTES } from '../../delta/maintenance/optimize.ts'
import { parseSizeBytes } from '../../delta/protocol/table-properties.ts'
import type { Store } from '../../storage/store.ts'
import type { TableHealth } from '../snapshot.ts'

/** Files of a table that are looked at. */
const FILES_MAX = 20_000
/** Commits of the log that are looked at, the newest ones. */
const COMMITS_MAX = 100
/** Upper bounds of the sizes by which files are counted; larger files are the last group. */
const SIZES = [1, 4, 16, 64, 128, 512].map((mebibytes) => mebibytes * 2 ** 20)

/** Describes a commit of the log, as far as the health of the table needs it. */
interface CommitFacts {
  readonly version: bigint
  readonly operation: string | undefined
  readonly atMs: number | undefined
  /** The schema, if the commit sets the metadata. */
  readonly schema: string | undefined
}

/** Holds what a look at a table has found, and what the next look need not read again. */
export interface TableLook {
  readonly health: TableHealth
  /** Newest first. */
  readonly commits: readonly CommitFacts[]
}

/** Describes how a table is looked at. */
interface TableLookOptions {
  /** Size that `optimize` packs files to; by default that of the table's property. */
  readonly targetBytes?: number | undefined
  readonly nowMs: number
  readonly before?: TableLook | undefined
  readonly filesMax?: number
}

/**
 * Reads the newest version of a table and describes its files and its last 100 commits. Commits that the look before has read
 * are not read again. A table with more than 20,000 files is not counted: its checksum has the number of its files and their
 * bytes; without one they are lower bounds.
 * @throws the errors of `loadSnapshot` and of the store
 */
export async function lookAtTable(store: Store, options: TableLookOptions): Promise<TableLook> {
  const { nowMs, before, filesMax = FILES_MAX } = options
  const snapshot = await loadSnapshot(store)
  const { version, metadata, segment } = snapshot
  const ofTable = parseSizeBytes(metadata.configuration['delta.targetFileSize'])
  const targetBytes = options.targetBytes ?? ofTable ?? TARGET_BYTES
  const commits = await readCommits(store, version, before?.commits ?? [])
  const checkpoint = segment.checkpoint?.version
  return {
    commits,
    health: {
      ...{ atMs: nowMs, version: String(version) },
      ...(await countFiles(store, snapshot, targetBytes, filesMax)),
      checkpointVersion: checkpoint === undefined ? null : String(checkpoint),
      checkpointAtMs: (await modifiedMsOf(store, segment.checkpoint?.keys[0])) ?? null,
      lastOptimizeAtMs: lastOf(commits, 'OPTIMIZE'),
      lastVacuumAtMs: lastOf(commits, 'VACUUM END'),
      schemaChanges: countSchemaChanges(commits),
    },
  }
}

type FileCounts = Pick<TableHealth, 'files' | 'bytes' | 'sizes' | 'smallShare' | 'isPartial'>

async function countFiles(
  store: Store,
  snapshot: Snapshot,
  targetBytes: number,
  filesMax: number,
): Promise<FileCounts> {
  const known = await readChecksum(store, snapshot.version).catch(() => undefined)
  const partial = (files: number, bytes: number): FileCounts => ({
    ...{ files, bytes, sizes: [], smallShare: null, isPartial: true },
  })
  if (known !== undefined && known.totals.files > filesMax)
    return partial(known.totals.files, known.totals.bytes)
  let [files, bytes, small] = [0, 0, 0]
  const counts = new Array<number>(SIZES.length + 1).fill(0)
  for await (const { size } of snapshot.files()) {
    if (files === filesMax) return partial(files, bytes)
    files++
    bytes += size
    if (size < targetBytes) small++
    const at = SIZES.findIndex((upTo) => size <= upTo)
    const group = at < 0 ? SIZES.length : at
    counts[group] = (counts[group] as number) + 1
  }
  const sizes = counts.map((count, at) => ({ upToBytes: SIZES[at] ?? null, files: count }))
  return { files, bytes, sizes, smallShare: files === 0 ? null : small / files }
}

/** Reads the newest commits, newest first, up to those that are known or no longer in the log. */
async function readCommits(
  store: Store,
  newest: bigint,
  known: readonly CommitFacts[],
): Promise<readonly CommitFacts[]> {
  const read: CommitFacts[] = []
  // A table that was replaced begins again with lower versions.
  const kept = known[0] === undefined || known[0].version > newest ? [] : known
  const until = kept[0]?.version ?? -1n
  for (let version = newest; version > until && read.length < COMMITS_MAX; version--) {
    const commit = await readCommit(store, version)
    if (commit === undefined) return read
    read.push(factsOf(version, commit))
  }
  return [...read, ...kept].slice(0, COMMITS_MAX)
}

function factsOf(version: bigint, commit: LogCommit): CommitFacts {
  const info: Readonly<Record<string, unknown>> = commitInfoOf(commit) ?? {}
  const { operation } = info
  const timestamp = info['inCommitTimestamp'] ?? info['timestamp']
  const metadata = commit.actions.find((action) => action.kind === 'metaData')
  return {
    version,
    operation: typeof operation === 'string' ? operation : undefined,
    atMs: typeof timestamp === 'number' || typeof timestamp === 'bigint' ? Number(timestamp) : undefined,
    schema: metadata?.kind === 'metaData' ? metadata.metaData.schemaString : undefined,
  }
}

function lastOf(commits: readonly CommitFacts[], operation: string): number | null {
  return commits.find((each) => each.operation === operation)?.atMs ?? null
}

/** Counts the commits that set another schema than the one before; the first version of a table changes none. */
function countSchemaChanges(commits: readonly CommitFacts[]): number {
  const set = commits.filter(({ schema }) => schema !== undefined)
  return set.filter(({ version, schema }, at) => version > 0n && schema !== set[at + 1]?.schema).length
}

async function modifiedMsOf(store: Store, key: string | undefined): Promise<number | undefined> {
  if (key === undefined) return undefined
  for await (const found of store.list(key)) if (found.key === key) return found.modifiedMs
  return undefined
}
