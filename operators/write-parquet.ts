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
import { partitionText } from '../src/delta/statistics/partition-values.ts'
import { decodePath, encodePath } from '../src/delta/protocol/paths.ts'
import { parquetBytes, type ParquetOptions } from '../src/parquet/writer.ts'
import type { Store } from '../src/storage/store.ts'
import type { ArrowFile, ArrowFiles } from './to-arrow.ts'

/** Where and how data files are written. */
export interface ParquetTarget extends ParquetOptions {
  /** Rooted at the table. */
  readonly store: Store
  /** Files of a flush that are written at once, of those that hold many rows; default 4. Of small ones, four times as many. */
  readonly filesMax?: number
  readonly clock?: Clock
}

/** The uploaded files of a flush, for the table as it was when they were made. */
export interface DataFiles {
  readonly layout: Layout
  readonly adds: readonly Add[]
  /**
   * The same rows for the table as it is now: the same files where they are right for it still, otherwise new ones, and
   * the old ones are deleted. Throws what `writeParquet` throws.
   */
  again(): Promise<DataFiles>
  /** Deletes the files, which no version names. What cannot be deleted is left for a vacuum. */
  discard(): Promise<void>
}

const FILES_MAX = 4

/** A file of no more rows is small: many together take no more memory than one large one, and time is that of requests. */
const SMALL_ROWS_MAX = 4096
const SMALL_FACTOR = 4

/**
 * Arrow → one uploaded Parquet file for each table partition of the flush, or several of the size that the table asks for. No reader sees a file before `commitDelta`
 * has named it in the log. Flushes are written one after the other, in order. What the table asks of its files
 * (`layout`) goes before what the target says.
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
  const writeFile = (file: ArrowFile): Promise<readonly Add[]> => write(file, arrow.layout, target)
  const large = arrow.files.filter((file) => !isSmall(file))
  const small = arrow.files.filter(isSmall)
  const adds = [
    ...(await mapBounded(large, filesMax, writeFile)),
    ...(await mapBounded(small, filesMax * SMALL_FACTOR, writeFile)),
  ]
  return dataFiles(arrow, adds.flat(), target)
}

function dataFiles(arrow: ArrowFiles, adds: readonly Add[], target: ParquetTarget): DataFiles {
  const discard = async (): Promise<void> => {
    await Promise.allSettled(adds.map((add) => target.store.delete(decodePath(add.path))))
  }
  return {
    layout: arrow.layout,
    adds,
    async again() {
      const next = arrow.again()
      if (next.files === arrow.files) return dataFiles(next, adds, target)
      await discard()
      return await written(next, target)
    },
    discard,
  }
}

/** The rows of one table partition as one file, or as several where the table names the size that files should have. */
async function write(file: ArrowFile, layout: Layout, target: ParquetTarget): Promise<readonly Add[]> {
  const batches = file.batches()[Symbol.iterator]()
  const adds: Add[] = []
  try {
    do {
      adds.push(await writeOne(file, batches, layout, target))
      file.cut()
    } while (file.written() < file.rows)
  } finally {
    batches.return?.()
  }
  return adds
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
  const rowsBefore = file.written()
  let written = 0
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    // A row group is written as a whole, so that its bytes bound how far a file goes beyond its size.
    const rowGroupBytes = Math.min(target.rowGroupBytes ?? Infinity, fileBytes)
    const options = { ...target, compression, ...(rowGroupBytes === Infinity ? {} : { rowGroupBytes }) }
    const some = traced(batches, () => written >= fileBytes, file.rows)
    for await (const piece of parquetBytes(some, options)) {
      written += piece.length
      yield piece
    }
  }
  const { bytes } = await store.put(key, pieces())
  const rows = file.written()
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
      partitionText(file.partition[index], type),
    ]),
  )
}

/** Record batches until the file is full, under a span `arrow` that tells how much of its time they took to make. */
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
