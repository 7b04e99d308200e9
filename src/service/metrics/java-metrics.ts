import type { DeadLetterReason } from '../../core/batch.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import type { MetricsPipe } from '../../telemetry/metrics/metrics.ts'
import type { TopicObserver } from '../topic/observer.ts'

/** Reasons for which the Java connector counts a record as one that the schema refused. */
const REFUSED: readonly DeadLetterReason[] = ['decode', 'contract', 'type']

/** Tells of topics under the names of the Java connector. */
export function javaMetrics({ meter, readOff }: Pick<MetricsPipe, 'meter' | 'readOff'>): {
  observer(topic: string): TopicObserver
} {
  const made = new Instruments(meter)
  const records = made.counter('kafka_connector_records_processed_total')
  const writes = made.counter('kafka_connector_delta_writes_total')
  const optimizations = made.counter('kafka_connector_optimization_runs_total')
  const seconds = made.histogram('kafka_connector_batch_flush_duration')
  // A counter of the SDK would be called `…_total` in Prometheus.
  const refused = new Map<string, number>()
  readOff('kafka_connector_schema_validation_failures', (tell) => {
    for (const [topic, count] of refused) tell(count, { topic })
  })
  return {
    observer(topic) {
      for (const counter of [records, writes, optimizations]) counter.add(0, { topic })
      refused.set(topic, refused.get(topic) ?? 0)
      return {
        read: () => undefined,
        flush: ({ deadLetters }) => {
          const startMs = performance.now()
          const count = deadLetters.filter(({ reason }) => REFUSED.includes(reason)).length
          return (error) => {
            if (error !== undefined) return
            seconds.record((performance.now() - startMs) / 1000, { topic })
            refused.set(topic, (refused.get(topic) ?? 0) + count)
          }
        },
        committed: ({ counts }) => {
          records.add(counts.records + (counts.expanded ?? 0), { topic })
          writes.add(1, { topic })
        },
        maintenance: ({ task, outcome }) => {
          if (task === 'optimize' && outcome === 'done') optimizations.add(1, { topic })
        },
        status: () => undefined,
      }
    },
  }
}
