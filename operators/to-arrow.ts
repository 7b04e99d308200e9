import type { RecordBatch } from 'apache-arrow'
import type { OperatorFunction } from 'rxjs'
import { nullColumn, type Column, type Columns } from '../src/arrow/column.ts'
import { gather, indexNamed, type Pick as Picked } from '../src/arrow/gather.ts'
import { arrowSchema, recordBatch } from '../src/arrow/record-batch.ts'
import type { Flush } from '../src/core/batch.ts'
import { inStage } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import { NumberedPartitions, type PartitionValues } from '../src/core/open-partitions.ts'
import type { DataType, StructType } from '../src/core/schema.ts'
import { sameFiles, type Layout } from '../src/delta/files/layout.ts'
import { originOf } from '../src/evolution/known.ts'
import { FileStatistics } from '../src/parquet/statistics.ts'
import type { Chunk } from './buffer-time-or-count.ts'

/** The table that rows are made for. */
export interface ArrowTarget {
  /** What files must be now, for rows of these schemas, none where there are no rows; asked once a flush, and again when the table changed before its commit. */
  readonly layout: (rows: readonly StructType[]) => Layout
  /** Why rows may not be in files of this layout: they break what the table has come to ask of rows since they were checked. */
  readonly unfit?: (rows: Columns, layout: Layout) => string | undefined
  /** Rows of a record batch at most; bounds what Parquet sees at once. Default 65,536. */
  readonly rowsMax?: number
}

/** The rows of a flush as files to be, for the table as it was when the flush was formed. */
export interface ArrowFiles {
  readonly layout: Layout
  readonly files: readonly ArrowFile[]
  /** The same rows for the table as it is now: the very same `files` where they are right for it still. */
  again(): ArrowFiles
}

/** The rows of one table partition, to be written as one file, or as several that follow each other. */
export interface ArrowFile {
  /** The values of the partition columns, in their order, as JSON-like values. */
  readonly partition: readonly unknown[]
  readonly rows: number
  /** Makes the record batches while they are asked for: a flush never exists in two forms as a whole. */
  batches(): Iterable<RecordBatch>
  /** Rows that `batches` has made so far. */
  written(): number
  /** Text for `add.stats` of the rows that `batches` has made since its start, or since the last `cut`. */
  stats(): string
  /** The rows that `batches` makes from now on go into another file. */
  cut(): void
}

const ROWS_MAX = 65_536

/**
 * Columns → Arrow, one file for each table partition of the flush. Columns of the table that the rows lack are null,
 * rows of other types are cast, partition columns are left out of the files. Statistics are computed on the way. Rows that
 * do not fit the table any more (`layout.unfit`) make no files.
 * @throws KD_SCHEMA_MISMATCH, and what `layout` throws
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
    if (layout.unfit !== undefined || target.unfit === undefined) return layout
    for (const { columns } of chunks) {
      const unfit = target.unfit(columns, layout)
      if (unfit !== undefined) return { ...layout, unfit }
    }
    return layout
  }
  const filled = (layout: Layout, files: readonly ArrowFile[]): ArrowFiles => ({
    layout,
    files,
    again() {
      const next = layoutNow()
      return filled(next, sameFiles(layout, next) ? files : made(next))
    },
  })
  const made = (layout: Layout): readonly ArrowFile[] =>
    layout.unfit === undefined ? filesOf(chunks, layout, target.rowsMax) : []
  const layout = layoutNow()
  return filled(layout, made(layout))
}

/** What the rows ask of the table: a column beyond the contract that holds no value asks for nothing. */
function schemaOf({ columns: { schema, columns } }: Chunk): StructType {
  const fields = schema.fields.filter((field, index) => {
    const column = originOf(field) === undefined ? undefined : columns[index]
    if (column?.valid === undefined) return true
    return column.valid.includes(1)
  })
  return fields.length === schema.fields.length ? schema : { type: 'struct', fields }
}

/** Rows of one chunk that belong to one table partition: those at `rows`, which is the chunk's, or all where it is absent. */
interface Part {
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
 * The rows of a flush by their table partitions. What it holds beside the rows is four bytes a row and sixteen for each
 * partition of each chunk, outside of the heap: late data may be spread over as many partitions as there are rows.
 */
function groupedRows(chunks: readonly Chunk[]): {
  readonly partitions: readonly PartitionValues[]
  readonly parts: (partition: number) => Iterable<Part>
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

/** A counting sort: the indices of `keys` by key, ascending within one; those of key `k` are `order[starts[k]..starts[k + 1])`. */
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

/** The file of one partition; statistics are there from its first batch until they are told. */
class PartitionFile implements ArrowFile {
  readonly partition: PartitionValues
  readonly rows: number
  readonly #parts: () => Iterable<Part>
  readonly #layout: Layout
  readonly #rowsMax: number
  #statistics: FileStatistics | undefined
  #rowsCut = 0

  constructor(
    partition: PartitionValues,
    parts: () => Iterable<Part>,
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
    const arrow = arrowSchema(fileSchema)
    for (const slice of slicesOf(this.#parts(), this.#rowsMax)) {
      const length = slice.reduce((sum, { start, end }) => sum + end - start, 0)
      const columns = schema.fields.map((field) =>
        gather(
          field.type,
          slice.map((part) => pickOf(part, field.name, field.type)),
        ),
      )
      this.#gathered().update(columns, length)
      yield recordBatch(arrow, columns, length)
    }
  }

  written(): number {
    return this.#rowsCut + (this.#statistics?.rows ?? 0)
  }

  stats(): string {
    return this.#gathered().json()
  }

  cut(): void {
    this.#rowsCut = this.written()
    this.#statistics = undefined
  }

  #gathered(): FileStatistics {
    const { fileSchema, indexedColumns } = this.#layout
    return (this.#statistics ??= new FileStatistics(fileSchema, indexedColumns))
  }
}

/** Cuts the parts into runs of at most `rowsMax` rows, joining small parts. */
function* slicesOf(parts: Iterable<Part>, rowsMax: number): Generator<readonly Part[]> {
  let slice: Part[] = []
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

function pickOf({ chunk, rows, start, end }: Part, name: string, type: DataType): Picked {
  const { columns } = chunk
  const index = indexNamed(columns.schema.fields, name)
  const column: Column | undefined = columns.columns[index]
  if (column === undefined) return { column: nullColumn(type, end - start), start: 0, end: end - start }
  return rows === undefined ? { column, start, end } : { column, rows, start, end }
}
