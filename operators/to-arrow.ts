import type { OperatorFunction } from 'rxjs'
import { bytesOf, rowBytesMin, type Columns } from '../src/arrow/column.ts'
import type { DroppedPaths } from '../src/arrow/rows.ts'
import { gather, pickByName } from '../src/arrow/gather.ts'
import { countValues } from '../src/arrow/sparse/sparse-column.ts'
import type { Flush } from '../src/core/batch.ts'
import { inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import { NumberedPartitions, type PartitionValues } from '../src/core/open-partitions.ts'
import { decimalOf, type StructType } from '../src/core/schema.ts'
import type { Layout } from '../src/delta/files/layout.ts'
import { columnOriginOf } from '../src/evolution/table-columns.ts'
import type { Chunk } from './buffer-time-or-count.ts'

/** Describes the table for which Arrow data is made. */
export interface ArrowTarget {
  /**
   * Returns the current file layout for rows of these schemas, which are empty for a flush without rows; `dropped` are the
   * names of fields that messages had and rows lack. Called once per flush, and again if the table changed before the
   * commit.
   */
  readonly layout: (rows: readonly StructType[], dropped: readonly DroppedPaths[]) => Layout
  /** Returns why rows cannot be in files of this layout: they violate constraints that were added after the rows were checked. */
  readonly incompatibleReasonOf?: (rows: Columns, layout: Layout) => string | undefined
  /** Maximum rows of a slice; bounds the data that is encoded at once, as `SLICE_BYTES_MAX` does. Default 65,536. */
  readonly rowsMax?: number
}

/** Holds the rows of a flush divided into future files, made for the table at the time of `layout`. */
export interface ArrowFiles {
  readonly layout: Layout
  readonly files: readonly ArrowFile[]
  /** The rows of the flush, from which files for another layout can be made. */
  readonly chunks: readonly Chunk[]
}

/** Provides the rows of one table partition, to be written as one file or as several files in sequence. */
export interface ArrowFile {
  /** Values of the partition columns, in column order, as JSON-like values. */
  readonly partition: readonly unknown[]
  readonly rows: number
  /**
   * Makes the columns of the files (`layout.fileSchema`) slice by slice, so that a flush is never held completely in two
   * forms. Each iteration starts at the first row.
   */
  slices(): Iterable<Columns>
}

const ROWS_MAX = 65_536
/**
 * Bytes at which a slice ends, by the average row of its batches: what is encoded in one go blocks the event loop. A slice of
 * 65,536 rows and 200 columns would take a second.
 */
const SLICE_BYTES_MAX = 1024 * 1024
/** Bytes of the first slice of a file; each one after it has twice as many: code that runs for the first time is slow. */
const SLICE_BYTES_FIRST = 128 * 1024

/**
 * Converts the columns of a flush to the Arrow columns of the table's files, one file for each table partition. Table
 * columns that the rows do not have are null, values of other types are cast, and partition columns are left out of the
 * files. Rows that no longer fit the table (`layout.incompatibleReason`) make no files.
 * @throws KD_SCHEMA_MISMATCH, and the errors of `layout`
 */
export function toArrow(target: ArrowTarget): OperatorFunction<Flush<readonly Chunk[]>, Flush<ArrowFiles>> {
  return stage((flush: Flush<readonly Chunk[]>) => ({
    ...flush,
    payload: inStage(flush.trace, 'toArrow', { 'kafka_delta.rows': flush.counts.rows }, () =>
      divideIntoFiles(flush.payload, currentLayoutFor(flush.payload, target), target.rowsMax),
    ),
  }))
}

/**
 * Returns the layout of files for these rows in the current snapshot of the table, with `incompatibleReason` if they do
 * not fit it.
 * @throws KD_SCHEMA_MISMATCH, and the errors of `layout`
 */
export function currentLayoutFor(chunks: readonly Chunk[], target: ArrowTarget): Layout {
  const schemas = [...new Set(chunks.filter(({ columns }) => columns.length > 0).map(schemaOf))]
  const dropped = [...new Set(chunks.flatMap(({ droppedPaths = [] }) => droppedPaths))]
  const layout = target.layout(schemas, dropped)
  if (layout.incompatibleReason !== undefined || target.incompatibleReasonOf === undefined) return layout
  for (const { columns } of chunks) {
    const incompatibleReason = target.incompatibleReasonOf(columns, layout)
    if (incompatibleReason !== undefined) return { ...layout, incompatibleReason }
  }
  return layout
}

/** Divides rows into the files of a layout, one for each table partition; there are none if the rows do not fit it. */
export function divideIntoFiles(chunks: readonly Chunk[], layout: Layout, rowsMax?: number): ArrowFiles {
  const files = layout.incompatibleReason === undefined ? filesOf(chunks, layout, rowsMax) : []
  return { layout, files, chunks }
}

/** Returns the columns that the table must have: columns beyond the contract and the writers' schemas without any value are left out. */
function schemaOf({ columns: { schema, columns } }: Chunk): StructType {
  const fields = schema.fields.filter((field, index) => {
    const origin = columnOriginOf(field)
    const column = origin === undefined || origin === 'schema' ? undefined : columns[index]
    return column === undefined || countValues(column) > 0
  })
  return fields.length === schema.fields.length ? schema : { type: 'struct', fields }
}

/** Selects rows of one chunk that belong to one table partition: from `start` to `end` in `rows`, or in the chunk if absent. */
interface RowRange {
  readonly chunk: Chunk
  readonly rows: Int32Array | undefined
  readonly start: number
  readonly end: number
}

function filesOf(chunks: readonly Chunk[], layout: Layout, rowsMax = ROWS_MAX): readonly ArrowFile[] {
  const grouped = groupedRows(chunks.filter(({ columns }) => columns.length > 0))
  return grouped.partitions.map((partition, index) => {
    let rows = 0
    for (const { start, end } of grouped.parts(index)) rows += end - start
    return { partition, rows, slices: () => slicesOf(grouped.parts(index), layout, rowsMax) }
  })
}

/**
 * Groups the rows of a flush by table partition. Beside the rows it holds four bytes per row and sixteen per partition of
 * each chunk, outside the heap: late data may be spread over as many partitions as there are rows.
 */
function groupedRows(chunks: readonly Chunk[]): {
  readonly partitions: readonly PartitionValues[]
  readonly parts: (partition: number) => Iterable<RowRange>
} {
  const numbered = new NumberedPartitions()
  const numbers = chunks.map(({ partitions }) =>
    Int32Array.from(partitions, (values) => numbered.numberOf(values)),
  )
  const sorted = chunks.map(({ labels, partitions }) =>
    labels === undefined ? undefined : sortedBy(labels, partitions.length),
  )
  const pairs = numbers.reduce((sum, ofChunk) => sum + ofChunk.length, 0)
  const [chunkOf, labelOf, partitionOf] = [0, 1, 2].map(() => new Int32Array(pairs)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  let pair = 0
  for (const [chunk, ofChunk] of numbers.entries()) {
    for (const [label, number] of ofChunk.entries()) {
      chunkOf[pair] = chunk
      labelOf[pair] = label
      partitionOf[pair++] = number
    }
  }
  const { order, starts } = sortedBy(partitionOf, numbered.all.length)
  return {
    partitions: numbered.all,
    *parts(partition) {
      for (let at = starts[partition] as number; at < (starts[partition + 1] as number); at++) {
        const which = order[at] as number
        const chunk = chunks[chunkOf[which] as number] as Chunk
        const rows = sorted[chunkOf[which] as number]
        const label = labelOf[which] as number
        if (rows === undefined) yield { chunk, rows, start: 0, end: chunk.columns.length }
        else
          yield {
            chunk,
            rows: rows.order,
            start: rows.starts[label] as number,
            end: rows.starts[label + 1] as number,
          }
      }
    },
  }
}

/** Sorts the indices of `keys` by key (counting sort, stable): the indices of key `k` are `order[starts[k]..starts[k + 1])`. */
function sortedBy(
  keys: Int32Array,
  count: number,
): { readonly order: Int32Array; readonly starts: Int32Array } {
  const starts = new Int32Array(count + 1)
  for (const key of keys) starts[key + 1] = (starts[key + 1] as number) + 1
  for (let key = 0; key < count; key++)
    starts[key + 1] = (starts[key + 1] as number) + (starts[key] as number)
  const next = starts.slice(0, count)
  const order = new Int32Array(keys.length)
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as number
    const at = next[key] as number
    order[at] = index
    next[key] = at + 1
  }
  return { order, starts }
}

/** Gathers the rows of one table partition in the columns of its files. */
function* slicesOf(parts: Iterable<RowRange>, layout: Layout, rowsMax: number): Generator<Columns> {
  const { columns: schema, fileSchema } = layout
  for (const ranges of rangesOf(parts, rowsMax, schema)) {
    const length = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    const columns = schema.fields.map((field) =>
      gather(
        field.type,
        ranges.map((range) => pickByName(range.chunk.columns, field, range)),
      ),
    )
    yield { schema: fileSchema, length, columns }
  }
}

/**
 * Divides the ranges into lists of at most `rowsMax` rows and about `SLICE_BYTES_MAX` bytes, fewer at first, and joins small ranges. A
 * row has the bytes of the columns of `schema` that its batch lacks too.
 */
function* rangesOf(
  parts: Iterable<RowRange>,
  rowsMax: number,
  schema: StructType,
): Generator<readonly RowRange[]> {
  const known = new Map<Columns, number>()
  let slice: RowRange[] = []
  let rowsLeft = rowsMax
  let sliceBytes = SLICE_BYTES_FIRST
  let bytesLeft = sliceBytes
  for (const part of parts) {
    const bytesPerRow = Math.max(1, averageRowBytes(part.chunk.columns, schema, known))
    for (let { start } = part; start < part.end;) {
      const rows = Math.max(1, Math.min(part.end - start, rowsLeft, Math.floor(bytesLeft / bytesPerRow)))
      slice.push({ ...part, start, end: start + rows })
      start += rows
      rowsLeft -= rows
      bytesLeft -= rows * bytesPerRow
      if (rowsLeft > 0 && bytesLeft >= bytesPerRow) continue
      yield slice
      slice = []
      rowsLeft = rowsMax
      bytesLeft = sliceBytes = Math.min(2 * sliceBytes, SLICE_BYTES_MAX)
    }
  }
  if (slice.length > 0) yield slice
}

/** Returns the average bytes of a row of a batch; `known` keeps them, since a batch has as many parts as table partitions. */
function averageRowBytes(columns: Columns, { fields }: StructType, known: Map<Columns, number>): number {
  let bytes = known.get(columns)
  if (bytes === undefined) {
    const total = columns.columns.reduce((sum, column) => sum + bytesOf(column), 0)
    const names = new Set(columns.schema.fields.map(({ name }) => name))
    const lacking = fields.filter(({ name }) => !names.has(name))
    // Nulls alone take no memory, except in nested columns and decimals, which are never written apart from the others.
    const dense = lacking.filter(({ type }) => typeof type !== 'string' || decimalOf(type) !== undefined)
    bytes = total / columns.length + lacking.length / 8 + rowBytesMin({ type: 'struct', fields: dense })
    known.set(columns, bytes)
  }
  return bytes
}
