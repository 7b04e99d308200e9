import { setImmediate } from 'node:timers/promises'
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

/** A file whose footer has been read. */
export interface RangeFile {
  readonly source: RangeSource
  readonly footer: Footer
  /** Throws `KD_PARQUET_FAILED` where the file is not the one any more whose footer was read. */
  checkSame(): Promise<void>
}

/** Which leaf columns of a row group to read, by their paths. */
export type Wanted = (path: readonly string[], group: RowGroup) => boolean

/** Read at once from the end: the footer of nearly every file, and all of a small one. */
const TAIL_BYTES = 65_536
/** Ranges that are no further apart are read as one: a request costs more than these bytes. */
const GAP_BYTES_MAX = 65_536
/** Rows and bytes that are decoded at a time: what bounds memory beside the pages of a row group. */
const ROWS_MAX = 16_384
const DECODED_BYTES_MAX = 8 * 2 ** 20

/**
 * Rows of a Parquet file as Arrow tables, of those leaf columns alone that are wanted: the bytes of all others are never
 * fetched, and neither is what a row group holds under a top-level column where all of it is null. Row groups are read one
 * after the other: one at a time is in memory. A table lacks columns that the file does not hold.
 * Throws `KD_PARQUET_FAILED`, also where the file was replaced while it was read, and what `source` throws.
 */
export async function* readRanges(source: RangeSource, wanted: Wanted): AsyncGenerator<Table> {
  const file = await openRanges(source)
  for (const group of file.footer.rowGroups) yield* readGroup(file, group, wanted)
  await file.checkSame()
}

/** Reads the footer of a file. Throws as `readRanges` does. */
export async function openRanges(source: RangeSource): Promise<RangeFile> {
  const tailStart = Math.max(0, source.bytes - TAIL_BYTES)
  const tail = await source.get({ start: tailStart, end: source.bytes })
  const cached = withTail(source, tailStart, tail)
  return {
    source: cached,
    footer: await footerOf(cached),
    async checkSame() {
      // What one request fetched is of one file. The end of a file has the places and statistics of everything before.
      if (tailStart === 0) return
      const now = await source.get({ start: tailStart, end: source.bytes })
      if (Buffer.compare(now, tail) !== 0) throw failed(source, 'the file was replaced while it was read')
    },
  }
}

/** Rows of one row group. Throws as `readRanges` does, but for a file that was replaced: see `checkSame`. */
export async function* readGroup(file: RangeFile, group: RowGroup, wanted: Wanted): AsyncGenerator<Table> {
  const skipped = new Map<string, boolean>()
  const chunks = group.chunks.filter(({ path }) => {
    if (!wanted(path, group)) return false
    const top = path[0] as string
    const skip = skipped.get(top) ?? isAllNull(group, top)
    skipped.set(top, skip)
    return !skip
  })
  if (chunks.length === 0) return
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytesUncompressed, 0)
  const share = Math.ceil((group.rows * DECODED_BYTES_MAX) / Math.max(bytes, 1))
  const rowsMax = Math.max(1, Math.min(ROWS_MAX, share))
  const pages = await fetchAll(file.source, chunks)
  const excerpted = excerpt(file.footer, group, chunks, pages)
  for (const table of readTables(file.source.name, excerpted, { rowsMax })) {
    yield table
    // Decoding and what the caller does with it wait for nothing: let others run.
    await setImmediate()
  }
}

async function footerOf(source: RangeSource): Promise<Footer> {
  const { bytes } = source
  if (bytes < MAGIC.length + TRAILER_BYTES) throw failed(source, 'the file is too short')
  const trailer = Buffer.from(await source.get({ start: bytes - TRAILER_BYTES, end: bytes }))
  if (!trailer.subarray(4).equals(MAGIC)) throw failed(source, 'the file does not end as Parquet does')
  const end = bytes - TRAILER_BYTES
  const start = end - trailer.readUInt32LE(0)
  if (start < MAGIC.length) throw failed(source, 'the footer is longer than the file')
  const footer = await source.get({ start, end })
  try {
    return parseFooter(footer, bytes)
  } catch (cause) {
    throw failed(source, messageOf(cause), cause)
  }
}

function failed({ name }: RangeSource, detail: string, cause?: unknown): PipelineError {
  return new PipelineError('KD_PARQUET_FAILED', detail, { file: name }, { cause })
}

/** The same source with the end of its file in memory. */
function withTail(source: RangeSource, tailStart: number, tail: Uint8Array): RangeSource {
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

/** The pages of each chunk, neighbours in one request. */
async function fetchAll(source: RangeSource, chunks: readonly ColumnChunk[]): Promise<Uint8Array[]> {
  const ranges = chunks.map(({ range }) => range)
  const runs: { start: number; end: number }[] = []
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
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
