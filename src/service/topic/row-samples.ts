import { tap, type MonoTypeOperatorFunction } from 'rxjs'
import type { TopicLogConfig } from '../../../config/logging/types.ts'
import type { Rows } from '../../arrow/rows.ts'
import { rowAt } from '../../arrow/values.ts'
import type { Batch } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../telemetry/log.ts'
import { masked, SampleClock } from '../../telemetry/metrics/samples.ts'

/** An operator on rows, for the pipeline; nothing where none is wanted. */
export interface RowSamples {
  readonly rows?: MonoTypeOperatorFunction<Batch<Rows>>
}

/**
 * Logs a few of the rows that pass, with their place in Kafka and what `mask` names hidden, while the topic's level is
 * `debug` or below.
 */
export function rowSamples(
  { samplesPerMinute, mask }: TopicLogConfig,
  log: Logger,
  clock?: Clock,
): RowSamples {
  if (samplesPerMinute === undefined) return {}
  const due = new SampleClock(samplesPerMinute, clock)
  const rows = tap<Batch<Rows>>(({ payload: { columns, records, raw } }) => {
    if (columns.length === 0 || !log.isLevelEnabled('debug') || !due.take()) return
    const row = Math.floor(Math.random() * columns.length)
    const record = records[row] as number
    const place = { partition: raw.partition, offset: String(raw.offsets[record]) }
    log.debug({ ...place, row: masked(rowAt(columns, row), mask) }, 'A row of many')
  })
  return { rows }
}
