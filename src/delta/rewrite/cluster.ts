import { bytesOf, type Column, type Columns } from '../../arrow/column.ts'
import { takeRows } from '../../arrow/rows.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { Store } from '../../storage/store.ts'
import type { PackingCandidate } from './bin-packing.ts'
import { concatColumns, RowBuckets } from './spilled-rows.ts'
import { readFileRows, type RewritePlan } from './data-file.ts'
import { type CurveKind, CURVE_COLUMNS_MAX, CurveSample, type RowCurve } from './sort-keys.ts'

/** Locates a column that rows are clustered by. */
interface CurveColumn {
  /** Name that users know, nested ones dotted. */
  readonly name: string
  /** Field index in each struct from the top level down. */
  readonly path: readonly number[]
}

/** Describes how rows are clustered. */
export interface Clustering {
  readonly curve: CurveKind
  readonly columns: readonly CurveColumn[]
}

/** Rows of the sample from which value ranges are made. */
const SAMPLE_ROWS = 50_000
/** Bytes of decoded rows that are sorted at a time. */
const SORT_BYTES = 32 * 1024 * 1024
/** Assumed ratio of decoded rows to files; it only determines the number of buckets. */
const DECODED_FACTOR = 6
/** Maximum of buckets, each an open file. */
const BUCKETS_MAX = 512

/**
 * Finds the columns of a struct by their paths.
 * @throws KD_COMMAND_INVALID for a column that does not exist, has no order or is named twice, and for too many columns
 */
export function findCurveColumns(
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
 * Yields the rows of some files sorted along a curve, in about `outputs` parts. The files are sampled first; then their
 * rows are distributed over pieces of the curve, of which more than 64 MiB go to the local disk; then the pieces are
 * sorted one after the other. Each file is therefore read twice, and memory holds one file, 64 MiB of distributed rows
 * and 32 MiB that are sorted. If one position on the curve has more rows than that, they are left in their order.
 *
 * Parts must be consumed one after the other. Throws like `readFileRows`, and the reason of an aborted signal.
 */
export async function* clusterRows(
  store: Store,
  rewrite: RewritePlan,
  files: readonly PackingCandidate[],
  options: {
    readonly clustering: Clustering
    readonly outputs: number
    readonly signal?: AbortSignal | undefined
    /** Maximum of distributed rows in memory, for tests. */
    readonly memoryBytes?: number | undefined
  },
): AsyncGenerator<AsyncIterable<Columns>> {
  const { clustering, outputs, signal, memoryBytes } = options
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const perOutput = Math.ceil((bytes * DECODED_FACTOR) / outputs / SORT_BYTES)
  const wanted = outputs * Math.max(1, Math.min(perOutput, Math.floor(BUCKETS_MAX / outputs)))
  const curve = await sampleCurve(store, rewrite, files, { clustering, buckets: wanted, signal })
  const buckets = new RowBuckets(rewrite.schema, curve.buckets, memoryBytes)
  try {
    for (const file of files) {
      signal?.throwIfAborted()
      for await (const rows of readFileRows(store, rewrite, file))
        await scatter(buckets, rows, curve, clustering)
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

async function sampleCurve(
  store: Store,
  rewrite: RewritePlan,
  files: readonly PackingCandidate[],
  options: {
    readonly clustering: Clustering
    readonly buckets: number
    readonly signal: AbortSignal | undefined
  },
): Promise<RowCurve> {
  const { clustering, buckets, signal } = options
  const sample = new CurveSample(clustering.curve)
  // Files without statistics count as large ones: their rows are sampled more rarely.
  const rows = files.reduce((sum, file) => sum + (file.rows ?? SAMPLE_ROWS), 0)
  const every = Math.max(1, Math.floor(rows / SAMPLE_ROWS))
  let first = 0
  for (const file of files) {
    signal?.throwIfAborted()
    for await (const batch of readFileRows(store, rewrite, file)) {
      sample.take(keyColumns(batch, clustering), batch.length, first, every)
      first += batch.length
    }
  }
  return sample.buildCurve(clustering.columns.length, buckets)
}

/** Puts every row into the bucket of its piece of the curve, in order. */
async function scatter(
  buckets: RowBuckets,
  rows: Columns,
  curve: RowCurve,
  clustering: Clustering,
): Promise<void> {
  const positions = curve.positionsOf(keyColumns(rows, clustering), rows.length)
  const bucketOf = Int32Array.from(positions, (position) => curve.bucketOf(position))
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
    if (list.length > 0) await buckets.add(bucket, takeRows(rows, list))
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
      yield sortRows(pieces, curve, clustering)
      pieces = []
      bytes = 0
    }
    if (pieces.length > 0) yield sortRows(pieces, curve, clustering)
  }
}

function sortRows(pieces: readonly Columns[], curve: RowCurve, clustering: Clustering): Columns {
  const [first] = pieces
  if (first === undefined) throw new Error('Broken invariant: nothing to sort')
  const rows = concatColumns(first.schema, pieces)
  const positions = curve.positionsOf(keyColumns(rows, clustering), rows.length)
  const order = Int32Array.from({ length: rows.length }, (_, row) => row)
  order.sort((a, b) => (positions[a] as number) - (positions[b] as number) || a - b)
  return takeRows(rows, order)
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
