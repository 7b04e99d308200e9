import { tap, type MonoTypeOperatorFunction } from 'rxjs'
import type { TopicLogConfig } from '../../../config/logging/types.ts'
import type { Rows } from '../../arrow/rows.ts'
import { rowAt } from '../../arrow/values.ts'
import type { Batch } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../telemetry/log.ts'
import { maskRow, SampleLimiter } from '../../telemetry/metrics/samples.ts'

/**
 * Returns an operator that logs a few of the passing rows per minute, with their offset and with the fields of `mask`
 * hidden, while the topic's log level is `debug` or lower. Returns `undefined` when no samples are configured.
 */
export function sampleRows(
  { samplesPerMinute, mask }: TopicLogConfig,
  log: Logger,
  clock?: Clock,
  random: () => number = Math.random,
): MonoTypeOperatorFunction<Batch<Rows>> | undefined {
  if (samplesPerMinute === undefined) return undefined
  const due = new SampleLimiter(samplesPerMinute, clock)
  return tap<Batch<Rows>>(({ payload: { columns, records, raw } }) => {
    if (columns.length === 0 || !log.isLevelEnabled('debug') || !due.tryTake()) return
    const row = Math.floor(random() * columns.length)
    const record = records[row] as number
    const position = { partition: raw.partition, offset: String(raw.offsets[record]) }
    log.debug({ ...position, row: maskRow(rowAt(columns, row), mask) }, 'Sampled row')
  })
}
