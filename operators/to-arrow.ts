import type { RecordBatch } from 'apache-arrow'
import type { OperatorFunction } from 'rxjs'
import type { Columns } from '../src/arrow/column.ts'
import { gather, pickByName } from '../src/arrow/gather.ts'
import { toArrowSchema, toRecordBatch } from '../src/arrow/record-batch.ts'
import type { Flush } from '../src/core/batch.ts'
import { inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import { NumberedPartitions, type PartitionValues } from '../src/core/open-partitions.ts'
import type { StructType } from '../src/core/schema.ts'
import { isSameLayout, type Layout } from '../src/delta/files/layout.ts'
import { columnOriginOf } from '../src/evolution/table-columns.ts'
import { FileStatistics } from '../src/parquet/statistics.ts'
import type { Chunk } from './buffer-time-or-count.ts'

/** Describes the table for which Arrow data is made. */
export interface ArrowTarget {
  /**
   * Returns the current file layout for rows of these schemas, which are empty for a flush without rows. Called once per
   * flush, and again if the table changed before the commit.
   */
  readonly layout: (rows: readonly StructType[]) => Layout
  /** Returns why rows cannot be in files of this layout: they violate constraints that were added after the rows were checked. */
  readonly incompatibleReasonOf?: (rows: Columns, layout: Layout) => string | undefined
  /** Maximum rows of a record batch; bounds the data that is encoded at once. Default 65,536. */
  readonly rowsMax?: number
}

/** Holds the rows of a flush divided into future files, made for the table at the time of `layout`. */
export interface ArrowFiles {
  readonly layout: Layout
  readonly files: readonly ArrowFile[]
  /** Returns the files for the current table: the same `files` array if it still matches. */
  forCurrentTable(): ArrowFiles
}

/** Provides the rows of one table partition, to be written as one file or as several files in sequence. */
export interface ArrowFile {
  /** Values of the partition columns, in column order, as JSON-like values. */
  readonly partition: readonly unknown[]
  readonly rows: number
  /** Makes the record batches one at a time, so that a flush is never held completely in two forms. */
  batches(): Iterable<RecordBatch>
  /** Returns the number of rows that `batches` has made so far. */
  rowsWritten(): number
  /** Returns the JSON text of `add.stats` for the rows that `batches` has made since its start or since `startNextFile`. */
  stats(): string
  /** Starts the next file: its statistics cover the rows that `batches` makes from now on. */
  startNextFile(): void
}

const ROWS_MAX = 65_536

/**
 * Converts the columns of a flush to Arrow, one file for each table partition, and computes the statistics. Table columns
 * that the rows do not have are null, values of other types are cast, and partition columns are left out of the files.
 * Rows that no longer fit the table (`layout.incompatibleReason`) make no files.
 * @throws KD_SCHEMA_MISMATCH, and the errors of `layout`
 */
export function toArrow(target: ArrowTarget): OperatorFunction<Flush<readonly Chunk[]>, Flush<ArrowFiles>> {
  return stage((flush: Flush<readonly Chunk[]>) => ({
    ...flush,
    payload: inStage(flush.trace, 'toArrow', { 'kafka_delta.rows': flush.counts.rows }, () =>
      arrowFiles(flush.payload, target),
    ),
  }))
}

function arrowFiles(chunks: readonly Chunk[], target: ArrowTarget): ArrowFiles {
  const schemas = [...new Set(chunks.filter(({ columns }) => columns.length > 0).map(schemaOf))]
  const layoutNow = (): Layout => {
    const layout = target.layout(schemas)
    if (layout.incompatibleReason !== undefined || target.incompatibleReasonOf === undefined) return layout
    for (const { columns } of chunks) {
      const incompatibleReason = target.incompatibleReasonOf(columns, layout)
      if (incompatibleReason !== undefined) return { ...layout, incompatibleReason }
    }
    return layout
  }
  const filled = (layout: Layout, files: readonly ArrowFile[]): ArrowFiles => ({
    layout,
    files,
    forCurrentTable() {
      const next = layoutNow()
      return filled(next, isSameLayout(layout, next) ? files : made(next))
    },
  })
  const made = (layout: Layout): readonly ArrowFile[] =>
    layout.incompatibleReason === undefined ? filesOf(chunks, layout, target.rowsMax) : []
  const layout = layoutNow()
  return filled(layout, made(layout))
}

/** Returns the columns that the table must have: columns beyond the contract without any value are left out. */
function schemaOf({ columns: { schema, columns } }: Chunk): StructType {
  const fields = schema.fields.filter((field, index) => {
    const column = columnOriginOf(field) === undefined ? undefined : columns[index]
    if (column?.valid === undefined) return true
    return column.valid.includes(1)
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

function filesOf(chunks: readonly Chunk[], layout: Layout, rowsMax?: number): readonly ArrowFile[] {
  const grouped = groupedRows(chunks.filter(({ columns }) => columns.length > 0))
  return grouped.partitions.map(
    (partition, index) => new PartitionFile(partition, () => grouped.parts(index), layout, rowsMax),
  )
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

/** Makes the files of one table partition and computes their statistics. */
class PartitionFile implements ArrowFile {
  readonly partition: PartitionValues
  readonly rows: number
  readonly #parts: () => Iterable<RowRange>
  readonly #layout: Layout
  readonly #rowsMax: number
  #statistics: FileStatistics | undefined
  #rowsCut = 0

  constructor(
    partition: PartitionValues,
    parts: () => Iterable<RowRange>,
    layout: Layout,
    rowsMax: number = ROWS_MAX,
  ) {
    this.partition = partition
    this.#parts = parts
    this.#layout = layout
    this.#rowsMax = rowsMax
    let rows = 0
    for (const { start, end } of parts()) rows += end - start
    this.rows = rows
  }

  *batches(): Generator<RecordBatch> {
    const { columns: schema, fileSchema } = this.#layout
    this.#statistics = undefined
    this.#rowsCut = 0
    const arrow = toArrowSchema(fileSchema)
    for (const slice of slicesOf(this.#parts(), this.#rowsMax)) {
      const length = slice.reduce((sum, { start, end }) => sum + end - start, 0)
      const columns = schema.fields.map((field) =>
        gather(
          field.type,
          slice.map((range) => pickByName(range.chunk.columns, field, range)),
        ),
      )
      this.#gathered().update(columns, length)
      yield toRecordBatch(arrow, columns, length)
    }
  }

  rowsWritten(): number {
    return this.#rowsCut + (this.#statistics?.rows ?? 0)
  }

  stats(): string {
    return this.#gathered().json()
  }

  startNextFile(): void {
    this.#rowsCut = this.rowsWritten()
    this.#statistics = undefined
  }

  #gathered(): FileStatistics {
    const { fileSchema, indexedColumns } = this.#layout
    return (this.#statistics ??= new FileStatistics(fileSchema, indexedColumns))
  }
}

/** Divides the ranges into slices of at most `rowsMax` rows and joins small ranges. */
function* slicesOf(parts: Iterable<RowRange>, rowsMax: number): Generator<readonly RowRange[]> {
  let slice: RowRange[] = []
  let length = 0
  for (const part of parts) {
    for (let { start } = part; start < part.end;) {
      const end = Math.min(part.end, start + rowsMax - length)
      slice.push({ ...part, start, end })
      length += end - start
      start = end
      if (length < rowsMax) continue
      yield slice
      slice = []
      length = 0
    }
  }
  if (length > 0) yield slice
}
