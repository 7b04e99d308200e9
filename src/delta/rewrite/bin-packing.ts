import type { Add } from '../protocol/actions.ts'
import { deletionVectorOf } from '../files/deletion-vector.ts'
import { recordCountOf } from '../statistics/stats.ts'

/**
 * A `PackingCandidate` is a file that may be packed with others, with only the fields that reading, removing and
 * tagging it need.
 */
export type PackingCandidate = Pick<
  Add,
  | 'path'
  | 'partitionValues'
  | 'size'
  | 'deletionVector'
  | 'baseRowId'
  | 'defaultRowCommitVersion'
  | 'tags'
  | 'clusteringProvider'
> & {
  /** Rows according to its statistics, deleted ones included; absent if it has none. */
  readonly rows?: number
  /** Share of the rows that are deleted; 1 if the number of rows is unknown. */
  readonly deletedShare: number
}

/** Groups files of one table partition that are written as one file or, if clustered, as several. */
export interface Bin {
  readonly files: readonly PackingCandidate[]
  /** Bytes of the files, without the share of deleted rows. */
  readonly bytes: number
}

/** A file with a larger share of deleted rows is rewritten even if it is large or alone. */
const DELETED_SHARE_MAX = 0.05
/** Maximum of open bins per table partition, which bounds the search for room. */
const OPEN_MAX = 16
/** Limits the size of files that are rewritten, because a file that is read is in memory. */
export const REWRITE_FILE_BYTES_MAX = 1024 * 1024 * 1024

/** Returns the fields of a file that matter for packing. */
export function packingCandidateOf(add: Add): PackingCandidate {
  const rows = recordCountOf(add.stats)
  const deleted = deletionVectorOf(add)?.cardinality ?? 0
  const { path, partitionValues, size, deletionVector, baseRowId, defaultRowCommitVersion } = add
  const { tags, clusteringProvider } = add
  return {
    path,
    partitionValues,
    size,
    ...(deletionVector === undefined ? {} : { deletionVector }),
    ...(baseRowId === undefined ? {} : { baseRowId }),
    ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
    ...(tags === undefined ? {} : { tags }),
    ...(clusteringProvider === undefined ? {} : { clusteringProvider }),
    ...(rows === undefined ? {} : { rows }),
    deletedShare: deleted === 0 ? 0 : rows === undefined || rows <= 0 ? 1 : Math.min(deleted / rows, 1),
  }
}

/** Tells whether so many rows of the file are deleted that it must be rewritten regardless of other files. */
export function needsRewrite({ deletedShare }: PackingCandidate): boolean {
  return deletedShare > DELETED_SHARE_MAX
}

/** Returns the approximate bytes of the rows of a file that are not deleted. */
export function liveBytesOf({ size, deletedShare }: PackingCandidate): number {
  return Math.ceil(size * (1 - deletedShare))
}

/** Returns the table partition of a file as text. */
export function partitionKeyOf({ partitionValues }: Pick<PackingCandidate, 'partitionValues'>): string {
  return JSON.stringify(Object.entries(partitionValues).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Packs files into bins of at most `targetBytes`, each of one table partition, in the order of the files, so that files
 * written in sequence stay together. A file goes into the first bin with room: afterwards no two open bins fit into
 * one, and packing the result again changes nothing. Bins of a single file are left out unless it needs a rewrite.
 */
export class BinPacker {
  readonly #targetBytes: number
  readonly #partitions = new Map<string, { files: PackingCandidate[]; bytes: number }[]>()

  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes
  }

  /** Adds a file; returns a bin that is complete and worth packing, if there is one. */
  add(file: PackingCandidate): Bin | undefined {
    if (file.size > REWRITE_FILE_BYTES_MAX) return undefined
    const bytes = liveBytesOf(file)
    if (file.size >= this.#targetBytes && !needsRewrite(file)) return undefined
    if (bytes >= this.#targetBytes) return { files: [file], bytes }
    const key = partitionKeyOf(file)
    const bins = this.#partitions.get(key) ?? []
    this.#partitions.set(key, bins)
    const bin = bins.find((candidate) => candidate.bytes + bytes <= this.#targetBytes)
    if (bin !== undefined) {
      bin.files.push(file)
      bin.bytes += bytes
      return undefined
    }
    bins.push({ files: [file], bytes })
    if (bins.length <= OPEN_MAX) return undefined
    const fullest = bins.reduce(
      (best, candidate, at) => (candidate.bytes > (bins[best]?.bytes ?? 0) ? at : best),
      0,
    )
    const [closed] = bins.splice(fullest, 1)
    return closed !== undefined && isWorthPacking(closed) ? closed : undefined
  }

  /** Yields the bins that are still open, partition by partition. */
  *rest(): Generator<Bin> {
    for (const bins of this.#partitions.values()) yield* bins.filter(isWorthPacking)
  }
}

function isWorthPacking({ files }: Bin): boolean {
  return files.length > 1 || files.some(needsRewrite)
}
