import type { Table } from 'apache-arrow'
import { messageOf, PipelineError } from '../core/errors.ts'
import {
  type ByteRange,
  type ColumnChunk,
  excerpt,
  type Footer,
  isAllNull,
  MAGIC,
  parseFooter,
  type RowGroup,
  TRAILER_BYTES,
} from './footer.ts'
import { readTables } from './reader.ts'

/** A file that is read in parts. `get` answers with exactly the bytes asked for, or fails. */
export interface RangeSource {
  /** For messages. */
  readonly name: string
  readonly bytes: number
  get(range: ByteRange): Promise<Uint8Array>
}

/** Read at once from the end: the footer of nearly every file, and all of a small one. */
const TAIL_BYTES = 65_536
/** Ranges that are no further apart are read as one: a request costs more than these bytes. */
const GAP_BYTES_MAX = 65_536
/** Rows and bytes that are decoded at a time: what bounds memory beside the pages of a row group. */
const ROWS_MAX = 65_536
const DECODED_BYTES_MAX = 8 * 2 ** 20

/**
 * Rows of a Parquet file as Arrow tables, of those leaf columns alone that `wanted` names by their paths; the bytes of
 * all others are never fetched, and neither is a row group that has only nulls under every top-level column wanted. Row
 * groups are read one after the other: one at a time is in memory. A table lacks what it holds none of.
 * Throws `KD_PARQUET_FAILED`, and what `source` throws.
 */
export async function* readRanges(
  source: RangeSource,
  wanted: (path: readonly string[]) => boolean,
): AsyncGenerator<Table> {
  const cached = await withTail(source)
  const footer = await footerOf(cached)
  for (const group of footer.rowGroups) {
    const skipped = new Map<string, boolean>()
    const chunks = group.chunks.filter(({ path }) => {
      if (!wanted(path)) return false
      const top = path[0] as string
      const skip = skipped.get(top) ?? isAllNull(footer, group, top)
      skipped.set(top, skip)
      return !skip
    })
    if (chunks.length > 0) yield* readGroup(cached, footer, group, chunks)
  }
}

async function* readGroup(
  source: RangeSource,
  footer: Footer,
  group: RowGroup,
  chunks: readonly ColumnChunk[],
): AsyncGenerator<Table> {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytesUncompressed, 0)
  const share = Math.ceil((group.rows * DECODED_BYTES_MAX) / Math.max(bytes, 1))
  const rowsMax = Math.max(1, Math.min(ROWS_MAX, share))
  const pages = await fetchAll(
    source,
    chunks.map((chunk) => chunk.range),
  )
  yield* readTables(source.name, excerpt(footer, group, chunks, pages), { rowsMax })
}

async function footerOf(source: RangeSource): Promise<Footer> {
  const { bytes, name } = source
  const fail = (detail: string, cause?: unknown): PipelineError =>
    new PipelineError('KD_PARQUET_FAILED', detail, { file: name }, { cause })
  if (bytes < MAGIC.length + TRAILER_BYTES) throw fail('the file is too short')
  const trailer = Buffer.from(await source.get({ start: bytes - TRAILER_BYTES, end: bytes }))
  if (!trailer.subarray(4).equals(MAGIC)) throw fail('the file does not end as Parquet does')
  const end = bytes - TRAILER_BYTES
  const start = end - trailer.readUInt32LE(0)
  if (start < MAGIC.length) throw fail('the footer is longer than the file')
  const footer = await source.get({ start, end })
  try {
    return parseFooter(footer, bytes)
  } catch (cause) {
    throw fail(messageOf(cause), cause)
  }
}

/** The same source with the end of its file in memory. */
async function withTail(source: RangeSource): Promise<RangeSource> {
  const tailStart = Math.max(0, source.bytes - TAIL_BYTES)
  const tail = await source.get({ start: tailStart, end: source.bytes })
  return {
    name: source.name,
    bytes: source.bytes,
    async get({ start, end }) {
      if (start >= tailStart) return tail.subarray(start - tailStart, end - tailStart)
      if (end <= tailStart) return await source.get({ start, end })
      const first = await source.get({ start, end: tailStart })
      return Buffer.concat([first, tail.subarray(0, end - tailStart)])
    },
  }
}

/** The bytes of ascending ranges, each once, neighbours in one request. */
async function fetchAll(source: RangeSource, ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
  const order = [...ranges].sort((a, b) => a.start - b.start)
  const runs: { start: number; end: number }[] = []
  for (const { start, end } of order) {
    const last = runs.at(-1)
    if (last !== undefined && start - last.end <= GAP_BYTES_MAX) last.end = Math.max(last.end, end)
    else runs.push({ start, end })
  }
  const fetched = new Map<ByteRange, Uint8Array>()
  for (const run of runs) fetched.set(run, await source.get(run))
  return ranges.map(({ start, end }) => {
    const [run, bytes] = [...fetched].find(([held]) => held.start <= start && end <= held.end) ?? []
    if (run === undefined || bytes === undefined) throw new Error('Broken invariant: a range was not fetched')
    return bytes.subarray(start - run.start, end - run.start)
  })
}
