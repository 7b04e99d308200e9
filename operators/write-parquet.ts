import { context } from '@opentelemetry/api'
import type { RecordBatch } from 'apache-arrow'
import type { OperatorFunction } from 'rxjs'
import { invariant, type Flush } from '../src/core/batch.ts'
import { systemClock, type Clock } from '../src/core/clock.ts'
import { mapBounded } from '../src/core/concurrency.ts'
import type { StructType } from '../src/core/schema.ts'
import { inSpan, nowMs, tracer } from '../src/core/span.ts'
import { stage } from '../src/core/stage.ts'
import type { Add } from '../src/delta/actions.ts'
import { partitionText } from '../src/delta/partition-values.ts'
import { encodePath, newDataFileKey } from '../src/delta/paths.ts'
import { parquetBytes, type ParquetOptions } from '../src/parquet/writer.ts'
import type { Store } from '../src/storage/store.ts'
import type { ArrowFile } from './to-arrow.ts'

/** Where and how data files are written. */
export interface ParquetTarget extends ParquetOptions {
  /** Rooted at the table. */
  readonly store: Store
  readonly schema: () => StructType
  readonly partitionColumns: readonly string[]
  /** Files of a flush that are written at once; default 4. */
  readonly filesMax?: number
  readonly clock?: Clock
}

const FILES_MAX = 4

/**
 * Arrow → one uploaded Parquet file for each table partition of the flush. No reader sees a file before `commitDelta`
 * has named it in the log. Flushes are written one after the other, in order.
 * @throws KD_PARQUET_FAILED, KD_STORE_UNAVAILABLE, KD_STORE_FAILED
 */
export function writeParquet(
  target: ParquetTarget,
): OperatorFunction<Flush<readonly ArrowFile[]>, Flush<readonly Add[]>> {
  return stage(async (flush: Flush<readonly ArrowFile[]>) => {
    const attributes = { 'kafka_delta.files': flush.payload.length, 'kafka_delta.rows': flush.counts.rows }
    const adds = await inSpan(flush.trace.context, 'parquet', attributes, () =>
      mapBounded(flush.payload, target.filesMax ?? FILES_MAX, (file) => write(file, target)),
    )
    return { ...flush, payload: adds }
  })
}

async function write(file: ArrowFile, target: ParquetTarget): Promise<Add> {
  const { store, partitionColumns, compression } = target
  const partitionValues = valuesOf(file, target)
  const key = newDataFileKey(
    partitionColumns,
    partitionValues,
    compression === 'none' ? 'uncompressed' : compression,
  )
  const { bytes } = await store.put(key, parquetBytes(traced(file), target))
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

function valuesOf(
  file: ArrowFile,
  { partitionColumns, schema }: ParquetTarget,
): Record<string, string | null> {
  const types = new Map(schema().fields.map((field) => [field.name, field.type]))
  return Object.fromEntries(
    partitionColumns.map((name, index) => [
      name,
      partitionText(file.partition[index], types.get(name) ?? 'string'),
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
