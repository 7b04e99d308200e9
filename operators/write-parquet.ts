import { context } from '@opentelemetry/api'
import type { RecordBatch } from 'apache-arrow'
import type { OperatorFunction } from 'rxjs'
import { invariant, type Flush } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { mapBounded } from '../src/core/concurrency.ts'
import { inStage, nowMs, tracer } from '../src/core/stage/span.ts'
import { stage } from '../src/core/stage/stage.ts'
import type { Add } from '../src/delta/protocol/actions.ts'
import { newFileKey, type Layout } from '../src/delta/files/layout.ts'
import { serialisePartitionValue } from '../src/delta/statistics/partition-values.ts'
import { decodePath, encodePath } from '../src/delta/protocol/paths.ts'
import { encodeParquet, type ParquetOptions } from '../src/parquet/writer.ts'
import { isRetryable } from '../src/resilience/server-availability.ts'
import type { Store } from '../src/storage/store.ts'
import type { ArrowFile, ArrowFiles } from './to-arrow.ts'

/** Configures where and how data files are written. */
export interface ParquetTarget extends ParquetOptions {
  /** Store whose root is the table. */
  readonly store: Store
  /** Large files of a flush that are written at once; default 4. Four times as many small files are written at once. */
  readonly filesMax?: number
  readonly clock?: Clock
  /** Called when files that belong to no version of the table could not be deleted; a vacuum deletes them. */
  readonly onOrphaned?: (orphaned: OrphanedFiles) => void
}

/** Names data files that belong to no version of the table, and why they were not deleted. */
export interface OrphanedFiles {
  /** Keys in the store of the table. */
  readonly keys: readonly string[]
  readonly reason: unknown
}

/** Holds the uploaded files of a flush, made for the table at the time of `layout`. */
export interface DataFiles {
  readonly layout: Layout
  readonly adds: readonly Add[]
  /**
   * Returns the files for the current table: the same files if they still match it, otherwise new ones; the old files are
   * then deleted. Throws the errors of `writeParquet`.
   */
  forCurrentTable(): Promise<DataFiles>
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
 * after the other, in order. When a file cannot be written, the others of its flush are deleted. The file properties of the table (`layout`) take precedence over the target.
 * @throws KD_PARQUET_FAILED, KD_STORE_UNAVAILABLE, KD_STORE_FAILED
 */
export function writeParquet(target: ParquetTarget): OperatorFunction<Flush<ArrowFiles>, Flush<DataFiles>> {
  return stage(async (flush: Flush<ArrowFiles>) => {
    const attributes = {
      'kafka_delta.files': flush.payload.files.length,
      'kafka_delta.rows': flush.counts.rows,
    }
    const payload = await inStage(flush.trace, 'writeParquet', attributes, () =>
      written(flush.payload, target),
    )
    return { ...flush, payload }
  })
}

async function written(arrow: ArrowFiles, target: ParquetTarget): Promise<DataFiles> {
  const isSmall = ({ rows }: ArrowFile): boolean => rows <= SMALL_ROWS_MAX
  const filesMax = target.filesMax ?? FILES_MAX
  let failure: { readonly error: unknown } | undefined
  // A failure is thrown only when no other file is being written: all of them can be deleted then.
  const writeFile = async (file: ArrowFile): Promise<readonly Add[]> => {
    const adds: Add[] = []
    if (failure !== undefined) return adds
    try {
      await write(file, arrow.layout, target, adds)
    } catch (error) {
      failure ??= { error }
    }
    return adds
  }
  const large = arrow.files.filter((file) => !isSmall(file))
  const small = arrow.files.filter(isSmall)
  const adds = [
    ...(await mapBounded(large, filesMax, writeFile)),
    ...(await mapBounded(small, filesMax * SMALL_FACTOR, writeFile)),
  ]
  if (failure === undefined) return dataFiles(arrow, adds.flat(), target)
  await discardAfterFailure(adds.flat(), failure.error, target)
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

function dataFiles(arrow: ArrowFiles, adds: readonly Add[], target: ParquetTarget): DataFiles {
  const discard = (): Promise<void> => discardFiles(adds, target)
  return {
    layout: arrow.layout,
    adds,
    async forCurrentTable() {
      const next = arrow.forCurrentTable()
      if (next.files === arrow.files) return dataFiles(next, adds, target)
      await discard()
      return await written(next, target)
    },
    discard,
  }
}

/** Writes the rows of one table partition as one file, or as several if the table sets a target file size, to `adds`. */
async function write(file: ArrowFile, layout: Layout, target: ParquetTarget, adds: Add[]): Promise<void> {
  const batches = file.batches()[Symbol.iterator]()
  try {
    do {
      adds.push(await writeOne(file, batches, layout, target))
      file.startNextFile()
    } while (file.rowsWritten() < file.rows)
  } finally {
    batches.return?.()
  }
}

async function writeOne(
  file: ArrowFile,
  batches: Iterator<RecordBatch>,
  layout: Layout,
  target: ParquetTarget,
): Promise<Add> {
  const { store } = target
  const compression = layout.compression ?? target.compression
  const fileBytes = layout.fileBytes ?? Infinity
  const partitionValues = valuesOf(file, layout)
  const key = newFileKey(layout, partitionValues, compression)
  const rowsBefore = file.rowsWritten()
  let written = 0
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    // Row groups are written whole: their size bounds how far a file exceeds its target size.
    const rowGroupBytes = Math.min(target.rowGroupBytes ?? Infinity, fileBytes)
    const options = { ...target, compression, ...(rowGroupBytes === Infinity ? {} : { rowGroupBytes }) }
    const fileBatches = traced(batches, () => written >= fileBytes, file.rows)
    for await (const piece of encodeParquet(fileBatches, options)) {
      written += piece.length
      yield piece
    }
  }
  const { bytes } = await store.put(key, pieces())
  const rows = file.rowsWritten()
  invariant(
    rows === file.rows || (bytes >= fileBytes && rows > rowsBefore),
    `${rows} of ${file.rows} rows are written with ${key}`,
  )
  return {
    path: encodePath(key),
    partitionValues,
    size: bytes,
    modificationTime: (target.clock ?? systemClock).now(),
    dataChange: true,
    stats: file.stats(),
  }
}

function valuesOf(file: ArrowFile, { partitionColumns }: Layout): Record<string, string | null> {
  return Object.fromEntries(
    partitionColumns.map(({ physicalName, type }, index) => [
      physicalName,
      serialisePartitionValue(file.partition[index], type),
    ]),
  )
}

/** Returns record batches until the file is full, in a span `arrow` that records how long it took to make them. */
function traced(batches: Iterator<RecordBatch>, isFull: () => boolean, rows: number): Iterable<RecordBatch> {
  const parent = context.active()
  return (function* () {
    const span = tracer().startSpan(
      'arrow',
      { attributes: { 'kafka_delta.rows': rows }, startTime: nowMs() },
      parent,
    )
    let busyMs = 0
    try {
      while (!isFull()) {
        const startMs = performance.now()
        const next = batches.next()
        busyMs += performance.now() - startMs
        if (next.done === true) return
        yield next.value
      }
    } finally {
      span.setAttribute('kafka_delta.busy_ms', busyMs)
      span.end(nowMs())
    }
  })()
}
