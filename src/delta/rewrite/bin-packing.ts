import type { Add } from '../protocol/actions.ts'
import { deletionVectorOf } from '../files/deletion-vector.ts'
import { recordsOf } from '../statistics/stats.ts'

/** A file that may be packed with others: what is needed to read, to remove and to mark it, and no more. */
export type Candidate = Pick<
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
  /** As its statistics say, deleted ones among them; absent where it has none. */
  readonly rows?: number
  /** Part of the rows that are deleted; all of them where nobody knows how many rows there are. */
  readonly deletedPart: number
}

/** Files of one table partition that together make one, or, clustered, some. */
export interface Bin {
  readonly files: readonly Candidate[]
  /** Bytes of the files, without the part of their rows that is deleted. */
  readonly bytes: number
}

/** Files of which more than this part of the rows is deleted are written anew even where they are large or alone. */
const DELETED_PART_MAX = 0.05
/** Bins that files may still go into, for each table partition: what bounds the search for room. */
const OPEN_MAX = 16
/** Files larger than this are left as they are, since a file that is read is in memory. */
export const FILE_BYTES_MAX = 1024 * 1024 * 1024

/** What of a file matters for packing it. */
export function candidateOf(add: Add): Candidate {
  const rows = recordsOf(add.stats)
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
    deletedPart: deleted === 0 ? 0 : rows === undefined || rows <= 0 ? 1 : Math.min(deleted / rows, 1),
  }
}

/** Whether so many rows of the file are deleted that it is to be written anew whatever else is packed. */
export function isWorn({ deletedPart }: Candidate): boolean {
  return deletedPart > DELETED_PART_MAX
}

/** Bytes of the rows of a file that are not deleted, about. */
export function liveBytes({ size, deletedPart }: Candidate): number {
  return Math.ceil(size * (1 - deletedPart))
}

/** The table partition of a file, as text. */
export function partitionKey({ partitionValues }: Pick<Candidate, 'partitionValues'>): string {
  return JSON.stringify(Object.entries(partitionValues).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Packs files into bins of at most `targetBytes`, each of one table partition, in the order of the files, so that files
 * written one after the other stay together. A file goes into the first bin with room: afterwards no two of the open bins
 * fit into one, and packing the result again changes nothing. Bins of a single file are left out, unless that one is worn.
 */
export class Packer {
  readonly #targetBytes: number
  readonly #partitions = new Map<string, { files: Candidate[]; bytes: number }[]>()

  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes
  }

  /** Takes a file; gives a bin that nothing more goes into, if there is one and it is worth packing. */
  add(file: Candidate): Bin | undefined {
    if (file.size > FILE_BYTES_MAX) return undefined
    const bytes = liveBytes(file)
    if (file.size >= this.#targetBytes && !isWorn(file)) return undefined
    if (bytes >= this.#targetBytes) return { files: [file], bytes }
    const key = partitionKey(file)
    const bins = this.#partitions.get(key) ?? []
    this.#partitions.set(key, bins)
    const bin = bins.find((one) => one.bytes + bytes <= this.#targetBytes)
    if (bin !== undefined) {
      bin.files.push(file)
      bin.bytes += bytes
      return undefined
    }
    bins.push({ files: [file], bytes })
    if (bins.length <= OPEN_MAX) return undefined
    const fullest = bins.reduce((best, one, at) => (one.bytes > (bins[best]?.bytes ?? 0) ? at : best), 0)
    const [closed] = bins.splice(fullest, 1)
    return closed !== undefined && isWorthIt(closed) ? closed : undefined
  }

  /** The bins that are still open, partition by partition. */
  *rest(): Generator<Bin> {
    for (const bins of this.#partitions.values()) yield* bins.filter(isWorthIt)
  }
}

function isWorthIt({ files }: Bin): boolean {
  return files.length > 1 || files.some(isWorn)
}
