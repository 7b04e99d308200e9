import { setImmediate } from 'node:timers/promises'
import type { Table } from 'apache-arrow'
import { messageOf, PipelineError } from '../core/errors.ts'
import {
  type ByteRange,
  type ColumnChunk,
  buildExcerpt,
  type Footer,
  isAllNull,
  PARQUET_MAGIC,
  parseFooter,
  type RowGroup,
  TRAILER_BYTES,
} from './footer.ts'

/** A `RangeSource` is a file that is read in ranges. `get` returns exactly the requested bytes or fails. */
export interface RangeSource {
  /** Name for messages. */
  readonly name: string
  readonly bytes: number
  get(range: ByteRange): Promise<Uint8Array>
}

/** A `RangeFile` is a file whose footer has been read. */
export interface RangeFile {
  readonly source: RangeSource
  readonly footer: Footer
  /**
   * Checks that the file was not replaced since its footer was read.
   * @throws KD_PARQUET_FAILED if it was
   */
  assertUnchanged(): Promise<void>
}

/** A `LeafFilter` selects the leaf columns of a row group to read, by their paths. */
export type LeafFilter = (path: readonly string[], group: RowGroup) => boolean

/** Bytes read from the end first: they contain the footer of nearly every file, and small files completely. */
const TAIL_BYTES = 65_536
/** Ranges at most this far apart are read as one, because a request costs more than these bytes. */
const GAP_BYTES_MAX = 65_536
/** Maximum of rows and bytes decoded at a time: bounds memory beside the pages of a row group. */
const ROWS_MAX = 16_384
const DECODED_BYTES_MAX = 8 * 2 ** 20

/**
 * Yields the rows of a Parquet file as Arrow tables with only the wanted leaf columns. The bytes of other columns are
 * never fetched, and neither are those of top-level columns that are entirely null in a row group. Row groups are read
 * one after the other, with one in memory at a time. A table lacks columns that the file does not have. Throws errors
 * of `source`.
 * @throws KD_PARQUET_FAILED, also if the file was replaced during the read
 */
export async function* readRanges(source: RangeSource, wanted: LeafFilter): AsyncGenerator<Table> {
  const file = await openRangeFile(source)
  for (const group of file.footer.rowGroups) yield* readRowGroup(file, group, wanted)
  await file.assertUnchanged()
}

/** Opens a file and reads its footer. Throws like `readRanges`. */
export async function openRangeFile(source: RangeSource): Promise<RangeFile> {
  const tailStart = Math.max(0, source.bytes - TAIL_BYTES)
  const tail = await source.get({ start: tailStart, end: source.bytes })
  const cached = withTail(source, tailStart, tail)
  return {
    source: cached,
    footer: await footerOf(cached),
    async assertUnchanged() {
      // A file that one request fetched is consistent. The end of a file holds the positions and statistics of
      // everything before it, so it differs if the file was replaced.
      if (tailStart === 0) return
      const now = await source.get({ start: tailStart, end: source.bytes })
      if (Buffer.compare(now, tail) !== 0) throw failed(source, 'the file was replaced while it was read')
    },
  }
}

/**
 * Yields the rows of one row group. Throws like `readRanges`, except for a replaced file, which `assertUnchanged`
 * detects.
 */
export async function* readRowGroup(
  file: RangeFile,
  group: RowGroup,
  wanted: LeafFilter,
): AsyncGenerator<Table> {
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
  const excerpted = buildExcerpt(file.footer, group, chunks, pages)
  const { readArrowTables } = await import('./reader.ts')
  for (const table of readArrowTables(file.source.name, excerpted, { rowsMax })) {
    yield table
    // Neither decoding nor the caller waits for I/O, so other work would starve.
    await setImmediate()
  }
}

async function footerOf(source: RangeSource): Promise<Footer> {
  const { bytes } = source
  if (bytes < PARQUET_MAGIC.length + TRAILER_BYTES) throw failed(source, 'the file is too short')
  const trailer = Buffer.from(await source.get({ start: bytes - TRAILER_BYTES, end: bytes }))
  if (!trailer.subarray(4).equals(PARQUET_MAGIC))
    throw failed(source, 'the file does not end with the Parquet magic number')
  const end = bytes - TRAILER_BYTES
  const start = end - trailer.readUInt32LE(0)
  if (start < PARQUET_MAGIC.length) throw failed(source, 'the footer is longer than the file')
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

/** Caches the end of the file in memory. */
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

/** Fetches the pages of each chunk; nearby chunks share a request. */
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
