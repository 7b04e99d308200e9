import type { RecordBatch } from 'apache-arrow'
import type { OperatorFunction } from 'rxjs'
import { nullColumn, type Column, type Columns } from '../src/arrow/column.ts'
import { gather, indexNamed, type Pick as Picked } from '../src/arrow/gather.ts'
import { arrowSchema, recordBatch } from '../src/arrow/record-batch.ts'
import type { Flush } from '../src/core/batch.ts'
import { stage } from '../src/core/stage.ts'
import type { StructType } from '../src/core/schema.ts'
import { sameFiles, type Layout } from '../src/delta/layout.ts'
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
  return stage((flush: Flush<readonly Chunk[]>) => ({ ...flush, payload: arrowFiles(flush.payload, target) }))
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

/** Rows of one chunk that belong to one table partition. */
interface Part {
  readonly chunk: Chunk
  /** All rows when absent. */
  readonly rows: Int32Array | undefined
  readonly count: number
}

function filesOf(chunks: readonly Chunk[], layout: Layout, rowsMax?: number): readonly ArrowFile[] {
  const files = new Map<string, { partition: readonly unknown[]; parts: Part[] }>()
  for (const chunk of chunks) {
    for (const [label, rows] of rowsByLabel(chunk).entries()) {
      const partition = chunk.partitions[label] as readonly unknown[]
      const key = JSON.stringify(partition, (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value,
      )
      const file = files.get(key) ?? { partition, parts: [] }
      files.set(key, file)
      file.parts.push({ chunk, rows, count: rows?.length ?? chunk.columns.length })
    }
  }
  return [...files.values()].map(({ partition, parts }) => arrowFile(partition, parts, layout, rowsMax))
}

/** Row numbers of each label, ascending: a counting sort. */
function rowsByLabel({ labels, partitions, columns }: Chunk): readonly (Int32Array | undefined)[] {
  if (columns.length === 0) return []
  if (labels === undefined) return [undefined]
  const counts = new Int32Array(partitions.length)
  for (const label of labels) counts[label] = (counts[label] as number) + 1
  const rows = Array.from(counts, (count) => new Int32Array(count))
  counts.fill(0)
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number
    const at = counts[label] as number
    ;(rows[label] as Int32Array)[at] = row
    counts[label] = at + 1
  }
  return rows
}

function arrowFile(
  partition: readonly unknown[],
  parts: readonly Part[],
  { columns: schema, fileSchema, indexedColumns }: Layout,
  rowsMax = ROWS_MAX,
): ArrowFile {
  const empty = (): FileStatistics => new FileStatistics(fileSchema, indexedColumns)
  let statistics = empty()
  let rowsCut = 0
  return {
    partition,
    rows: parts.reduce((sum, part) => sum + part.count, 0),
    *batches() {
      statistics = empty()
      rowsCut = 0
      const arrow = arrowSchema(fileSchema)
      for (const slice of slicesOf(parts, rowsMax)) {
        const length = slice.reduce((sum, { start, end }) => sum + end - start, 0)
        const columns = schema.fields.map((field) =>
          gather(
            field.type,
            slice.map((piece) => pickOf(piece, field.name, field.type)),
          ),
        )
        statistics.update(columns, length)
        yield recordBatch(arrow, columns, length)
      }
    },
    written: () => rowsCut + statistics.rows,
    stats: () => statistics.json(),
    cut: () => {
      rowsCut += statistics.rows
      statistics = empty()
    },
  }
}

/** A run of the rows of one part. */
interface Piece {
  readonly part: Part
  readonly start: number
  readonly end: number
}

/** Cuts the parts into runs of at most `rowsMax` rows, joining small parts. */
function* slicesOf(parts: readonly Part[], rowsMax: number): Generator<readonly Piece[]> {
  let slice: Piece[] = []
  let length = 0
  for (const part of parts) {
    for (let start = 0; start < part.count;) {
      const end = Math.min(part.count, start + rowsMax - length)
      slice.push({ part, start, end })
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

function pickOf(
  { part, start, end }: Piece,
  name: string,
  type: StructType['fields'][number]['type'],
): Picked {
  const { columns } = part.chunk
  const index = indexNamed(columns.schema.fields, name)
  const column: Column | undefined = columns.columns[index]
  if (column === undefined) return { column: nullColumn(type, end - start), start: 0, end: end - start }
  return part.rows === undefined ? { column, start, end } : { column, rows: part.rows, start, end }
}
