import { context } from '@opentelemetry/api'
import type { OperatorFunction } from 'rxjs'
import type { Columns } from '../src/arrow/column.ts'
import { invariant, type Flush } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { mapBounded } from '../src/core/concurrency.ts'
import { inStage, nowMs, tracer } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import { isSameLayout, type Layout } from '../src/delta/files/layout.ts'
import { writeDataFiles } from '../src/delta/files/write-data-files.ts'
import type { FileEncoder } from '../src/delta/files/encode-file.ts'
import type { Add } from '../src/delta/protocol/actions.ts'
import { decodePath } from '../src/delta/protocol/paths.ts'
import { serialisePartitionValue } from '../src/delta/statistics/partition-values.ts'
import type { ParquetOptions } from '../src/parquet/writer.ts'
import { isHeldBack } from '../src/resilience/access-circuit.ts'
import { isRetryable } from '../src/resilience/server-availability.ts'
import type { Store } from '../src/storage/store.ts'
import type { Chunk } from './buffer-time-or-count.ts'
import {
  currentLayoutFor,
  divideIntoFiles,
  type ArrowFile,
  type ArrowFiles,
  type ArrowTarget,
} from './to-arrow.ts'

/** Configures where and how data files are written. */
export interface ParquetTarget {
  /** Store whose root is the table. */
  readonly store: Store
  /** Encoding of the files; the properties of the table take precedence. */
  readonly parquet: ParquetOptions
  /** Large files of a flush that are written at once; default 4. Four times as many small files are written at once. */
  readonly filesMax?: number
  readonly clock?: Clock
  /** Encodes the files; on this thread by default. */
  readonly encoder?: FileEncoder | undefined
  /** Called when files that belong to no version of the table could not be deleted; a vacuum deletes them. */
  readonly onOrphaned?: (orphaned: OrphanedFiles) => void
}

/** Names data files that belong to no version of the table, and why they were not deleted. */
export interface OrphanedFiles {
  /** Keys in the store of the table. */
  readonly keys: readonly string[]
  readonly reason: unknown
}

/** Describes the table for which the files of a flush are made. */
export interface FileTarget {
  readonly arrow: ArrowTarget
  readonly parquet: ParquetTarget
}

/** Holds the uploaded files of a flush, made for the table at the time of `layout`. */
export interface DataFiles {
  readonly layout: Layout
  readonly adds: readonly Add[]
  /** The rows of the files, from which `layOutForSnapshot` makes new ones. */
  readonly chunks: readonly Chunk[]
  /** Deletes the files, which no version of the table contains. Files that cannot be deleted are left for a vacuum. */
  discard(): Promise<void>
}

const FILES_MAX = 4
const DELETES_AT_ONCE = 16

/** Maximum rows of a small file: many of them together use no more memory than one large file, and requests take the time. */
const SMALL_ROWS_MAX = 4096
const SMALL_FACTOR = 4

/**
 * Writes the Arrow data of a flush as one uploaded Parquet file for each table partition, or as several files of the size
 * that the table requests. Files are invisible to readers until `commitDelta` adds them to the log. Flushes are written one
 * after the other, in order. When a file cannot be written, the others of its flush are deleted. While a full disk or a
 * withdrawn permission blocks writes, it is written again and again, at the pace of the circuit. The file properties of
 * the table (`layout`) take precedence over the target.
 * @throws KD_PARQUET_FAILED, KD_STORE_UNAVAILABLE, KD_STORE_FAILED
 */
export function writeParquet(target: ParquetTarget): OperatorFunction<Flush<ArrowFiles>, Flush<DataFiles>> {
  return stage(async (flush: Flush<ArrowFiles>) => {
    const attributes = {
      'kafka_delta.files': flush.payload.files.length,
      'kafka_delta.rows': flush.counts.rows,
    }
    const payload = await inStage(flush.trace, 'writeParquet', attributes, () =>
      writeFiles(flush.payload, target),
    )
    return { ...flush, payload }
  })
}

/**
 * Lays out the rows of a flush for the current snapshot of the table, after another writer changed its schema,
 * properties, protocol or constraints. Files that still match the table are kept; otherwise they are deleted, and new
 * ones are written, unless the rows do not fit the table (`layout.incompatibleReason`).
 * @throws the errors of `toArrow` and `writeParquet`
 */
export async function layOutForSnapshot(
  files: DataFiles,
  { arrow, parquet }: FileTarget,
): Promise<DataFiles> {
  const layout = currentLayoutFor(files.chunks, arrow)
  if (isSameLayout(files.layout, layout)) return { ...files, layout }
  await files.discard()
  return await writeFiles(divideIntoFiles(files.chunks, layout, arrow.rowsMax), parquet)
}

async function writeFiles(arrow: ArrowFiles, target: ParquetTarget): Promise<DataFiles> {
  const { layout, chunks } = arrow
  const isSmall = ({ rows }: ArrowFile): boolean => rows <= SMALL_ROWS_MAX
  const filesMax = target.filesMax ?? FILES_MAX
  let failure: { readonly error: unknown } | undefined
  // A failure is thrown only when no other file is being written: all of them can be deleted then.
  const write = async (file: ArrowFile): Promise<readonly Add[]> => {
    while (failure === undefined) {
      const adds: Add[] = []
      try {
        for await (const add of writePartition(file, layout, target)) adds.push(add)
        return adds
      } catch (error) {
        // The store waits until it takes writes again, and what is deleted now may make room for them.
        if (isHeldBack(error)) {
          await discardFiles(adds, target)
          continue
        }
        failure ??= { error }
        return adds
      }
    }
    return []
  }
  const large = arrow.files.filter((file) => !isSmall(file))
  const small = arrow.files.filter(isSmall)
  const adds = [
    ...(await mapBounded(large, filesMax, write)),
    ...(await mapBounded(small, filesMax * SMALL_FACTOR, write)),
  ].flat()
  if (failure === undefined) return { layout, adds, chunks, discard: () => discardFiles(adds, target) }
  await discardAfterFailure(adds, failure.error, target)
  throw failure.error
}

/** Deletes the files of a flush that failed, unless the store does not answer: each deletion would wait for it again. */
async function discardAfterFailure(
  adds: readonly Add[],
  error: unknown,
  target: ParquetTarget,
): Promise<void> {
  if (!isRetryable(error)) await discardFiles(adds, target)
  else if (adds.length > 0)
    target.onOrphaned?.({ keys: adds.map(({ path }) => decodePath(path)), reason: error })
}

async function discardFiles(adds: readonly Add[], { store, onOrphaned }: ParquetTarget): Promise<void> {
  const keys: string[] = []
  let reason: unknown
  const deleteFile = async ({ path }: Add): Promise<void> => {
    const key = decodePath(path)
    try {
      await store.delete(key)
    } catch (error) {
      keys.push(key)
      reason ??= error
    }
  }
  await mapBounded(adds, DELETES_AT_ONCE, deleteFile)
  if (keys.length > 0) onOrphaned?.({ keys, reason })
}

/** Writes the rows of one table partition as one file, or as several if the table sets a target file size. */
async function* writePartition(
  file: ArrowFile,
  layout: Layout,
  { store, parquet, clock = systemClock, encoder }: ParquetTarget,
): AsyncGenerator<Add> {
  let rows = 0
  const written = writeDataFiles(traced(file), {
    store,
    layout,
    partitionValues: valuesOf(file, layout),
    parquet,
    fileBytes: layout.fileBytes,
    dataChange: true,
    clock,
    encoder,
  })
  for await (const one of written) {
    rows += one.rows
    yield one.add
  }
  invariant(rows === file.rows, `${rows} of ${file.rows} rows of a table partition are written`)
}

function valuesOf(file: ArrowFile, { partitionColumns }: Layout): Record<string, string | null> {
  return Object.fromEntries(
    partitionColumns.map(({ physicalName, type }, index) => [
      physicalName,
      serialisePartitionValue(file.partition[index], type),
    ]),
  )
}

/** Returns the slices of a table partition, in a span `arrow` that records how long it took to make them. */
function traced(file: ArrowFile): Iterable<Columns> {
  const parent = context.active()
  return (function* () {
    const span = tracer().startSpan(
      'arrow',
      { attributes: { 'kafka_delta.rows': file.rows }, startTime: nowMs() },
      parent,
    )
    let busyMs = 0
    let startMs = performance.now()
    try {
      for (const slice of file.slices()) {
        busyMs += performance.now() - startMs
        yield slice
        startMs = performance.now()
      }
    } finally {
      span.setAttribute('kafka_delta.busy_ms', busyMs)
      span.end(nowMs())
    }
  })()
}
