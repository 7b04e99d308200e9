import { PipelineError } from '../core/errors.ts'
import {
  type Footer,
  joinedFooter,
  MAGIC,
  type MovedGroup,
  parseFooter,
  type RowGroup,
  TRAILER_BYTES,
} from './footer.ts'
import type { RangeFile } from './range-reader.ts'

/** A row group as it is in some file, and a way to its bytes. */
export interface GroupBytes {
  readonly footer: Footer
  readonly group: RowGroup
  /** The pages of all chunks, one chunk after the other in their order. */
  pages(): AsyncIterable<Uint8Array>
}

/** Pages are copied in pieces of this size at most. */
const PIECE_BYTES_MAX = 4 * 2 ** 20

/**
 * One Parquet file of row groups of files that have the same columns, byte by byte as they are there; in pieces, one row
 * group at a time. The first group's file says how the columns are to be understood.
 * Throws `KD_PARQUET_FAILED` where there is no group, and what their sources throw.
 */
export async function* joinGroups(
  groups: AsyncIterable<GroupBytes> | Iterable<GroupBytes>,
): AsyncGenerator<Uint8Array> {
  let first: Footer | undefined
  const moved: MovedGroup[] = []
  let offset = MAGIC.length
  yield MAGIC
  for await (const one of groups) {
    first ??= one.footer
    moved.push({ group: one.group, start: offset })
    for await (const piece of one.pages()) {
      offset += piece.length
      yield piece
    }
  }
  if (first === undefined) throw new PipelineError('KD_PARQUET_FAILED', 'a file of no row groups')
  yield joinedFooter(first, moved)
}

/** The row group of a whole file that has just one. */
export function onlyGroup(file: Uint8Array): GroupBytes {
  const trailer = Buffer.from(file.subarray(file.length - TRAILER_BYTES))
  const end = file.length - TRAILER_BYTES
  const footer = parseFooter(file.subarray(end - trailer.readUInt32LE(0), end), file.length)
  const [group, ...more] = footer.rowGroups
  if (group === undefined || more.length > 0) throw new Error('Broken invariant: a file of one row group')
  return {
    footer,
    group,
    // Nothing is waited for, but the pages of other groups are.
    // eslint-disable-next-line @typescript-eslint/require-await
    async *pages() {
      for (const { range } of group.chunks) yield file.subarray(range.start, range.end)
    },
  }
}

/** A row group of a file in a store, copied when its turn comes. */
export function storedGroup(file: RangeFile, group: RowGroup): GroupBytes {
  return {
    footer: file.footer,
    group,
    async *pages() {
      for (const run of runsOf(group)) {
        for (let start = run.start; start < run.end; start += PIECE_BYTES_MAX) {
          yield await file.source.get({ start, end: Math.min(start + PIECE_BYTES_MAX, run.end) })
        }
      }
    },
  }
}

/** The ranges of the chunks in their order; those that touch are one. */
function runsOf(group: RowGroup): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = []
  for (const { range } of group.chunks) {
    const last = runs.at(-1)
    if (last?.end === range.start) last.end = range.end
    else runs.push({ ...range })
  }
  return runs
}
