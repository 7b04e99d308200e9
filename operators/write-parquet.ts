import { context } from '@opentelemetry/api'
import type { RecordBatch } from 'apache-arrow'
import type { OperatorFunction } from 'rxjs'
import { invariant, type Flush } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { mapBounded } from '../src/core/concurrency.ts'
import { inSpan, nowMs, tracer } from '../src/core/span.ts'
import { stage } from '../src/core/stage.ts'
import type { Add } from '../src/delta/actions.ts'
import type { Layout } from '../src/delta/layout.ts'
import { partitionText } from '../src/delta/partition-values.ts'
import { decodePath, encodePath, newDataFileKey } from '../src/delta/paths.ts'
import { parquetBytes, type ParquetOptions } from '../src/parquet/writer.ts'
import type { Store } from '../src/storage/store.ts'
import type { ArrowFile, ArrowFiles } from './to-arrow.ts'

/** Where and how data files are written. */
export interface ParquetTarget extends ParquetOptions {
  /** Rooted at the table. */
  readonly store: Store
  /** Files of a flush that are written at once; default 4. */
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

/**
 * Arrow → one uploaded Parquet file for each table partition of the flush. No reader sees a file before `commitDelta`
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
    const payload = await inSpan(flush.trace.context, 'parquet', attributes, () =>
      written(flush.payload, target),
    )
    return { ...flush, payload }
  })
}

async function written(arrow: ArrowFiles, target: ParquetTarget): Promise<DataFiles> {
  const adds = await mapBounded(arrow.files, target.filesMax ?? FILES_MAX, (file) =>
    write(file, arrow.layout, target),
  )
  return dataFiles(arrow, adds, target)
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

async function write(file: ArrowFile, layout: Layout, target: ParquetTarget): Promise<Add> {
  const { store } = target
  const compression = layout.compression ?? target.compression
  const partitionValues = valuesOf(file, layout)
  const key = newDataFileKey(
    layout.partitionColumns.map(({ physicalName }) => physicalName),
    partitionValues,
    compression === 'none' ? 'uncompressed' : compression,
  )
  const { bytes } = await store.put(key, parquetBytes(traced(file), { ...target, compression }))
  invariant(file.written() === file.rows, `${file.written()} of ${file.rows} rows are in ${key}`)
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

/** The file's record batches, under a span `arrow` that tells how much of its time they took to make. */
function traced(file: ArrowFile): Iterable<RecordBatch> {
  const parent = context.active()
  return (function* () {
    const span = tracer().startSpan(
      'arrow',
      { attributes: { 'kafka_delta.rows': file.rows }, startTime: nowMs() },
      parent,
    )
    const batches = file.batches()[Symbol.iterator]()
    let busyMs = 0
    try {
      for (;;) {
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
