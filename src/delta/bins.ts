import type { Add } from './actions.ts'

/** A file that may be packed with others: what is needed to read and to remove it, and no more. */
export interface Candidate {
  readonly path: string
  readonly partitionValues: Add['partitionValues']
  readonly size: number
  /** As its statistics say; absent where it has none. */
  readonly rows?: number
}

/** Files of one table partition that together make one. */
export interface Bin {
  readonly files: readonly Candidate[]
  readonly bytes: number
}

/** Bins that files may still go into, for each table partition: what bounds the search for room. */
const OPEN_MAX = 16

/**
 * Packs files into bins of at most `targetBytes`, each of one table partition, in the order of the files, so that files
 * written one after the other stay together. A file goes into the first bin with room: afterwards no two of the open bins
 * fit into one, and packing the result again changes nothing. Bins of a single file are left out.
 */
export class Packer {
  readonly #targetBytes: number
  readonly #partitions = new Map<string, { files: Candidate[]; bytes: number }[]>()

  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes
  }

  /** Takes a file; gives the bin that had to be closed to make room for another, if it is worth packing. */
  add(file: Candidate): Bin | undefined {
    if (file.size >= this.#targetBytes) return undefined
    const key = JSON.stringify(Object.entries(file.partitionValues).sort(([a], [b]) => (a < b ? -1 : 1)))
    const bins = this.#partitions.get(key) ?? []
    this.#partitions.set(key, bins)
    const bin = bins.find(({ bytes }) => bytes + file.size <= this.#targetBytes)
    if (bin !== undefined) {
      bin.files.push(file)
      bin.bytes += file.size
      return undefined
    }
    bins.push({ files: [file], bytes: file.size })
    if (bins.length <= OPEN_MAX) return undefined
    const fullest = bins.reduce((best, one, at) => (one.bytes > (bins[best]?.bytes ?? 0) ? at : best), 0)
    const [closed] = bins.splice(fullest, 1)
    return closed !== undefined && closed.files.length > 1 ? closed : undefined
  }

  /** The bins that are still open, partition by partition. */
  *rest(): Generator<Bin> {
    for (const bins of this.#partitions.values()) yield* bins.filter(({ files }) => files.length > 1)
  }
}
