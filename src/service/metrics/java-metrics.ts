import type { DeadLetterReason } from '../../core/batch.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import type { MetricsPipeline } from '../../telemetry/metrics/metrics.ts'
import type { TopicEventHandler } from '../topic/events.ts'

/** Reasons that the Java connector counts as schema validation failures. */
const REFUSED: readonly DeadLetterReason[] = ['decode', 'contract', 'type']

/** Returns handlers that record the metrics of topics under the names of the Java connector. */
export function createJavaMetrics({ meter, observe }: Pick<MetricsPipeline, 'meter' | 'observe'>): {
  handlerOf(topic: string): TopicEventHandler
} {
  const instruments = new Instruments(meter)
  const records = instruments.counter('kafka_connector_records_processed_total')
  const writes = instruments.counter('kafka_connector_delta_writes_total')
  const optimizations = instruments.counter('kafka_connector_optimization_runs_total')
  const seconds = instruments.histogram('kafka_connector_batch_flush_duration')
  // Observed instead of counted: the exporter would append `_total` to the name of a counter.
  const refused = new Map<string, number>()
  observe('kafka_connector_schema_validation_failures', (report) => {
    for (const [topic, count] of refused) report(count, { topic })
  })
  return {
    handlerOf(topic) {
      for (const counter of [records, writes, optimizations]) counter.add(0, { topic })
      refused.set(topic, refused.get(topic) ?? 0)
      return (event) => {
        if (event.kind === 'flush-ended' && event.error === undefined) {
          seconds.record(event.durationMs / 1000, { topic })
          const count = event.flush.deadLetters.filter(({ reason }) => REFUSED.includes(reason)).length
          refused.set(topic, (refused.get(topic) ?? 0) + count)
        } else if (event.kind === 'committed') {
          const { counts } = event.commit
          records.add(counts.records + (counts.expanded ?? 0), { topic })
          writes.add(1, { topic })
        } else if (event.kind === 'maintained') {
          const { task, outcome } = event.run
          if (task === 'optimize' && outcome === 'done') optimizations.add(1, { topic })
        }
      }
    },
  }
}
