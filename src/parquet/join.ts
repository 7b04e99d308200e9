import { PipelineError } from '../core/errors.ts'
import {
  type Footer,
  buildJoinedFooter,
  PARQUET_MAGIC,
  type RelocatedRowGroup,
  parseFooter,
  type RowGroup,
  TRAILER_BYTES,
} from './footer.ts'
import type { RangeFile } from './range-reader.ts'

/** A `RowGroupSource` is a row group of a file with access to its bytes. */
export interface RowGroupSource {
  readonly footer: Footer
  readonly group: RowGroup
  /** Yields the pages of all chunks in order. */
  pages(): AsyncIterable<Uint8Array>
}

/** Maximum size of a piece when pages are copied. */
const PIECE_BYTES_MAX = 4 * 2 ** 20

/**
 * Joins row groups of files with identical columns into one Parquet file; yields its bytes in pieces, one row group at
 * a time. Pages are copied unchanged. The file of the first group defines how columns are described. Throws errors of
 * the sources.
 * @throws KD_PARQUET_FAILED if there is no row group
 */
export async function* joinRowGroups(
  groups: AsyncIterable<RowGroupSource> | Iterable<RowGroupSource>,
): AsyncGenerator<Uint8Array> {
  let first: Footer | undefined
  const moved: RelocatedRowGroup[] = []
  let offset = PARQUET_MAGIC.length
  yield PARQUET_MAGIC
  for await (const source of groups) {
    first ??= source.footer
    moved.push({ group: source.group, start: offset })
    for await (const piece of source.pages()) {
      offset += piece.length
      yield piece
    }
  }
  if (first === undefined) throw new PipelineError('KD_PARQUET_FAILED', 'a file needs at least one row group')
  yield buildJoinedFooter(first, moved)
}

/** Returns the footer of a file in memory. */
export function footerOf(file: Uint8Array): Footer {
  const trailer = Buffer.from(file.subarray(file.length - TRAILER_BYTES))
  const end = file.length - TRAILER_BYTES
  return parseFooter(file.subarray(end - trailer.readUInt32LE(0), end), file.length)
}

/** Returns the row group of a file in memory that has exactly one. */
export function singleRowGroupOf(file: Uint8Array): RowGroupSource {
  const footer = footerOf(file)
  const [group, ...more] = footer.rowGroups
  if (group === undefined || more.length > 0) throw new Error('Broken invariant: a file of one row group')
  return {
    footer,
    group,
    // Nothing is awaited here, but the interface is asynchronous for files in a store.
    // eslint-disable-next-line @typescript-eslint/require-await
    async *pages() {
      for (const { range } of group.chunks) yield file.subarray(range.start, range.end)
    },
  }
}

/** Returns a row group of a file in a store; its bytes are fetched on demand. */
export function storedRowGroupOf(file: RangeFile, group: RowGroup): RowGroupSource {
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

/** Returns the ranges of the chunks in order, with adjacent ranges merged. */
function runsOf(group: RowGroup): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = []
  for (const { range } of group.chunks) {
    const last = runs.at(-1)
    if (last?.end === range.start) last.end = range.end
    else runs.push({ ...range })
  }
  return runs
}
