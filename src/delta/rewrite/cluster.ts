import { bytesOf, type Column, type Columns } from '../../arrow/column.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { Candidate } from './bin-packing.ts'
import { joined, RowBuckets } from './spilled-rows.ts'
import { fileRows, picked, type Rewrite } from './data-file.ts'
import { type Curve, CURVE_COLUMNS_MAX, CurveSample, type RowCurve } from './sort-keys.ts'

/** A column that rows are clustered by. */
export interface CurveColumn {
  /** As users know it, nested ones dotted. */
  readonly name: string
  /** Where it is: an index for every struct on the way. */
  readonly path: readonly number[]
}

/** What rows are clustered by. */
export interface Clustering {
  readonly curve: Curve
  readonly columns: readonly CurveColumn[]
}

/** Rows that the ranges of values are made from. */
const SAMPLE_ROWS = 50_000
/** Bytes of rows, decoded, that are sorted at a time. */
const SORT_BYTES = 32 * 1024 * 1024
/** How much larger decoded rows may be than files: for the number of buckets alone. */
const DECODED_FACTOR = 6
/** Buckets at most: open files. */
const BUCKETS_MAX = 512

/**
 * The columns of the given names, or paths of names, of a struct. Throws `KD_COMMAND_INVALID` for one that is not there
 * or that has no order, for one that is named twice and for too many.
 */
export function curveColumns(
  schema: StructType,
  paths: readonly (readonly string[])[],
): readonly CurveColumn[] {
  if (paths.length > CURVE_COLUMNS_MAX) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      `rows are clustered by ${CURVE_COLUMNS_MAX} columns at most`,
    )
  }
  const columns = paths.map((names) => curveColumn(schema, names))
  const twice = columns.find(({ name }, at) => columns.findIndex((one) => one.name === name) !== at)
  if (twice === undefined) return columns
  throw new PipelineError('KD_COMMAND_INVALID', `the column ${twice.name} is named twice`)
}

function curveColumn(schema: StructType, names: readonly string[]): CurveColumn {
  const name = names.join('.')
  const path: number[] = []
  let type: DataType = schema
  for (const each of names) {
    const at = indexOf(type, each)
    const field: StructField | undefined =
      typeof type !== 'string' && type.type === 'struct' ? type.fields[at] : undefined
    if (field === undefined)
      throw new PipelineError('KD_COMMAND_INVALID', `the data files have no column ${name}`)
    path.push(at)
    type = field.type
  }
  if (typeof type === 'string') return { name, path }
  throw new PipelineError('KD_COMMAND_INVALID', `values of the column ${name} have no order`)
}

function indexOf(type: DataType, name: string): number {
  if (typeof type === 'string' || type.type !== 'struct') return -1
  return type.fields.findIndex((field) => field.name === name)
}

/**
 * The rows of some files along a curve, cut into about `outputs` parts: first the files are sampled, then their rows are
 * sorted into pieces of the curve, beyond 64 MiB on the machine's disk, then piece after piece is sorted. So every file is
 * read twice, and memory holds one of them, 64 MiB of rows on their way to a piece and 32 MiB that are sorted. Where one
 * place on the curve has more rows than that, they come as they are.
 * Parts must be taken one after the other. Throws what `fileRows` throws and the reason of an aborted signal.
 */
export async function* clusteredParts(
  store: Store,
  rewrite: Rewrite,
  files: readonly Candidate[],
  options: {
    readonly clustering: Clustering
    readonly outputs: number
    readonly signal?: AbortSignal | undefined
    /** For tests. */
    readonly memoryBytes?: number | undefined
  },
): AsyncGenerator<AsyncIterable<Columns>> {
  const { clustering, outputs, signal, memoryBytes } = options
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const perOutput = Math.ceil((bytes * DECODED_FACTOR) / outputs / SORT_BYTES)
  const wanted = outputs * Math.max(1, Math.min(perOutput, Math.floor(BUCKETS_MAX / outputs)))
  const curve = await sampled(store, rewrite, files, { clustering, buckets: wanted, signal })
  const buckets = new RowBuckets(rewrite.schema, curve.buckets, memoryBytes)
  try {
    for (const file of files) {
      signal?.throwIfAborted()
      for await (const rows of fileRows(store, rewrite, file)) await scatter(buckets, rows, curve, clustering)
    }
    for (let output = 0; output < outputs; output++) {
      const from = Math.floor((output * curve.buckets) / outputs)
      const to = Math.floor(((output + 1) * curve.buckets) / outputs)
      if (from < to) yield sortedRows(buckets, curve, clustering, { from, to, signal })
    }
  } finally {
    await buckets.close()
  }
}

async function sampled(
  store: Store,
  rewrite: Rewrite,
  files: readonly Candidate[],
  options: {
    readonly clustering: Clustering
    readonly buckets: number
    readonly signal: AbortSignal | undefined
  },
): Promise<RowCurve> {
  const { clustering, buckets, signal } = options
  const sample = new CurveSample(clustering.curve)
  // Files that do not say count as large ones: their rows are sampled more rarely.
  const rows = files.reduce((sum, file) => sum + (file.rows ?? SAMPLE_ROWS), 0)
  const every = Math.max(1, Math.floor(rows / SAMPLE_ROWS))
  let first = 0
  for (const file of files) {
    signal?.throwIfAborted()
    for await (const batch of fileRows(store, rewrite, file)) {
      sample.take(keyColumns(batch, clustering), batch.length, first, every)
      first += batch.length
    }
  }
  return sample.layOut(clustering.columns.length, buckets)
}

/** Puts every row into the bucket of its piece of the curve, keeping their order within it. */
async function scatter(
  buckets: RowBuckets,
  rows: Columns,
  curve: RowCurve,
  clustering: Clustering,
): Promise<void> {
  const places = curve.placesOf(keyColumns(rows, clustering), rows.length)
  const bucketOf = Int32Array.from(places, (place) => curve.bucketOf(place))
  const counts = new Int32Array(curve.buckets)
  for (const bucket of bucketOf) counts[bucket] = (counts[bucket] as number) + 1
  const lists = Array.from(counts, (count) => new Int32Array(count))
  counts.fill(0)
  bucketOf.forEach((bucket, row) => {
    const at = counts[bucket] as number
    ;(lists[bucket] as Int32Array)[at] = row
    counts[bucket] = at + 1
  })
  for (const [bucket, list] of lists.entries())
    if (list.length > 0) await buckets.add(bucket, picked(rows, list))
}

async function* sortedRows(
  buckets: RowBuckets,
  curve: RowCurve,
  clustering: Clustering,
  {
    from,
    to,
    signal,
  }: { readonly from: number; readonly to: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Columns> {
  for (let bucket = from; bucket < to; bucket++) {
    signal?.throwIfAborted()
    let pieces: Columns[] = []
    let bytes = 0
    for await (const rows of buckets.rows(bucket)) {
      pieces.push(rows)
      bytes += rows.columns.reduce((sum, column) => sum + bytesOf(column), 0)
      if (bytes < SORT_BYTES) continue
      yield sorted(pieces, curve, clustering)
      pieces = []
      bytes = 0
    }
    if (pieces.length > 0) yield sorted(pieces, curve, clustering)
  }
}

function sorted(pieces: readonly Columns[], curve: RowCurve, clustering: Clustering): Columns {
  const [first] = pieces
  if (first === undefined) throw new Error('Broken invariant: nothing to sort')
  const rows = joined(first.schema, pieces)
  const places = curve.placesOf(keyColumns(rows, clustering), rows.length)
  const order = Int32Array.from({ length: rows.length }, (_, row) => row)
  order.sort((a, b) => (places[a] as number) - (places[b] as number) || a - b)
  return picked(rows, order)
}

function keyColumns({ columns }: Columns, clustering: Clustering): readonly Column[] {
  return clustering.columns.map(({ path, name }) => {
    let column: Column | undefined
    let level: readonly Column[] = columns
    for (const at of path) {
      column = level[at]
      level = column?.kind === 'struct' ? column.children : []
    }
    if (column === undefined) throw new Error(`Broken invariant: no column ${name}`)
    return column
  })
}
