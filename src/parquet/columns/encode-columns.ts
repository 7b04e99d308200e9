import { setImmediate } from 'node:timers/promises'
import type { Schema } from 'apache-arrow'
import { bytesOf, type Column, type Columns } from '../../arrow/column.ts'
import { gather } from '../../arrow/gather.ts'
import { toArrowSchema, toRecordBatch } from '../../arrow/record-batch.ts'
import { countValues, isMostlyNull } from '../../arrow/sparse/sparse-column.ts'
import type { StructType } from '../../core/schema.ts'
import {
  buildJoinedFooter,
  PARQUET_MAGIC,
  type ColumnChunk,
  type Footer,
  type RelocatedRowGroup,
} from '../footer.ts'
import { footerOf, singleRowGroupOf } from '../join.ts'
import { encodeParquet, type ParquetOptions } from '../writer.ts'
import { ChunkWriter } from './chunk-writer.ts'
import { openPageCodec, type PageCodec } from './page-codec.ts'
import { physicalTypeOf } from './plain-values.ts'

/** Columns that are mostly null from which on they are written apart from the others. */
const APART_MIN = 8
/** Time after which the event loop runs before the next column is written apart, in milliseconds. */
const TURN_MS_MAX = 10
/** Rows of a row group that is not limited by the encoder of Arrow. */
const ROWS_UNLIMITED = 2 ** 31 - 1

/**
 * Encodes rows as one Parquet file and yields its bytes in pieces, at the pace of the reader. Where many columns are mostly
 * null, these are written page by page from their values alone: the encoder of Arrow takes time and memory for each null
 * (measured with 12 values in 200 columns: two thirds of the CPU of a record). The first slice decides which columns.
 * @throws KD_PARQUET_FAILED
 */
export async function* encodeSlices(
  slices: AsyncIterable<Columns>,
  schema: StructType,
  options: ParquetOptions,
): AsyncGenerator<Uint8Array> {
  const source = partsOf(slices, options.rowGroupRows)
  try {
    const first = await source.next()
    const apart = first.done === true ? new Set<number>() : columnsApart(first.value, schema)
    const all = withFirst(first, source)
    if (apart.size < APART_MIN) yield* encodeParquet(recordBatches(all, toArrowSchema(schema)), options)
    else yield* encodeApart(all, { schema, apart, options })
  } finally {
    await source.return(undefined)
  }
}

/** Returns the positions of the columns that are mostly null and can be written apart. */
function columnsApart({ columns, length }: Columns, { fields }: StructType): ReadonlySet<number> {
  const apart = new Set<number>()
  for (const [index, { type, nullable }] of fields.entries()) {
    const column = columns[index]
    if (!nullable || physicalTypeOf(type) === undefined) continue
    if (column !== undefined && isMostlyNull(length, countValues(column))) apart.add(index)
  }
  return apart
}

/** Describes a file some of whose columns are written apart. */
interface ApartFile {
  readonly schema: StructType
  readonly apart: ReadonlySet<number>
  readonly options: ParquetOptions
}

async function* encodeApart(
  source: AsyncGenerator<Columns>,
  { schema, apart, options }: ApartFile,
): AsyncGenerator<Uint8Array> {
  const codec = await openPageCodec(options.compression)
  const described = await describeFile(schema, options)
  const moved: RelocatedRowGroup[] = []
  let offset = PARQUET_MAGIC.length
  yield PARQUET_MAGIC
  for (let next = await source.next(); next.done !== true;) {
    const group = new GroupWriter(schema, apart, options, codec)
    const batches = async function* (): AsyncGenerator<Columns> {
      do {
        if (next.done === true) return
        await group.add(next.value)
        yield next.value
        if (group.isFull) return
        next = await source.next()
      } while (next.done !== true && group.hasRoomFor(next.value))
    }
    const { chunks, pages } = await group.encode(batches())
    moved.push({ group: { rows: group.rows, chunks, raw: new Map() }, start: offset })
    for (const page of pages) {
      offset += page.length
      yield page
    }
    if (group.isFull) next = await source.next()
  }
  yield buildJoinedFooter(described, moved)
}

/** Encodes one row group: some columns apart, the others by the encoder of Arrow. */
class GroupWriter {
  readonly #schema: StructType
  readonly #apart: ReadonlyMap<number, ChunkWriter>
  readonly #options: ParquetOptions
  rows = 0
  #bytes = 0

  constructor(schema: StructType, apart: ReadonlySet<number>, options: ParquetOptions, codec: PageCodec) {
    this.#schema = schema
    this.#options = options
    this.#apart = new Map(
      [...apart].map((index) => [index, new ChunkWriter(schema.fields[index]?.name ?? '', codec)]),
    )
  }

  get isFull(): boolean {
    const { rowGroupRows, rowGroupBytes = Infinity } = this.#options
    return this.rows >= rowGroupRows || this.#bytes >= rowGroupBytes
  }

  hasRoomFor({ length }: Columns): boolean {
    return this.rows + length <= this.#options.rowGroupRows
  }

  /** Adds rows to the columns apart. The event loop runs in between. */
  async add({ columns, length }: Columns): Promise<void> {
    this.rows += length
    for (const column of columns) this.#bytes += bytesOf(column)
    await inTurns(this.#apart, ([index, writer]) => writer.add(columns[index] as Column))
  }

  /** Encodes the other columns, and returns the chunks of all in the order of the schema, and their bytes. */
  async encode(
    slices: AsyncGenerator<Columns>,
  ): Promise<{ readonly chunks: readonly ColumnChunk[]; readonly pages: readonly Uint8Array[] }> {
    const others = await this.#encodeOthers(slices)
    await inTurns(this.#apart.values(), (writer) => writer.endPage())
    const chunks: ColumnChunk[] = []
    const pages: Uint8Array[] = []
    for (const [index, { name }] of this.#schema.fields.entries()) {
      const apart = this.#apart.get(index)?.finish()
      if (apart !== undefined) {
        chunks.push(apart.chunk)
        pages.push(...apart.pages)
        continue
      }
      for (const chunk of others.chunks) {
        if (chunk.path[0] !== name) continue
        chunks.push(chunk)
        pages.push(others.file.subarray(chunk.range.start, chunk.range.end))
      }
    }
    return { chunks, pages }
  }

  async #encodeOthers(
    slices: AsyncGenerator<Columns>,
  ): Promise<{ readonly file: Uint8Array; readonly chunks: readonly ColumnChunk[] }> {
    const isOther = (_: unknown, index: number): boolean => !this.#apart.has(index)
    const fields = this.#schema.fields.filter(isOther)
    if (fields.length === 0) {
      while ((await slices.next()).done !== true);
      return { file: new Uint8Array(0), chunks: [] }
    }
    const { compression } = this.#options
    const schema = toArrowSchema({ type: 'struct', fields })
    const others = async function* (): AsyncGenerator<Columns> {
      for await (const { columns, ...slice } of slices) yield { ...slice, columns: columns.filter(isOther) }
    }
    const options = { compression, rowGroupRows: ROWS_UNLIMITED }
    const file = await collect(encodeParquet(recordBatches(others(), schema), options))
    return { file, chunks: singleRowGroupOf(file).group.chunks }
  }
}

/** Calls `use` with each item, and lets the event loop run in between. */
async function inTurns<T>(items: Iterable<T>, use: (item: T) => void): Promise<void> {
  let startMs = performance.now()
  for (const item of items) {
    use(item)
    if (performance.now() - startMs < TURN_MS_MAX) continue
    await setImmediate()
    startMs = performance.now()
  }
}

/** Returns the footer that describes the columns of a file, from a file without rows. */
async function describeFile(schema: StructType, options: ParquetOptions): Promise<Footer> {
  const arrow = toArrowSchema(schema)
  const columns = schema.fields.map(({ type }) => gather(type, []))
  return footerOf(await collect(encodeParquet([toRecordBatch(arrow, columns, 0)], options)))
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

async function* recordBatches(
  slices: AsyncIterable<Columns>,
  schema: Schema,
): AsyncGenerator<ReturnType<typeof toRecordBatch>> {
  for await (const { columns, length } of slices) yield toRecordBatch(schema, columns, length)
}

async function* withFirst(
  first: IteratorResult<Columns, void>,
  rest: AsyncGenerator<Columns>,
): AsyncGenerator<Columns> {
  if (first.done === true) return
  yield first.value
  yield* rest
}

/** Divides slices into ones of at most `rowsMax` rows. */
async function* partsOf(slices: AsyncIterable<Columns>, rowsMax: number): AsyncGenerator<Columns, void> {
  for await (const slice of slices) {
    if (slice.length <= rowsMax) yield slice
    else
      for (let start = 0; start < slice.length; start += rowsMax) {
        const end = Math.min(slice.length, start + rowsMax)
        const columns = slice.columns.map((column) => gather(column.type, [{ column, start, end }]))
        yield { schema: slice.schema, length: end - start, columns }
      }
  }
}
