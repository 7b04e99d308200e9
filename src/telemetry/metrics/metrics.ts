import { type Meter, metrics } from '@opentelemetry/api'
import { otlpEndpoint, awaitShutdown, type Environment } from '../otlp.ts'
import type { ObserveMetric } from './observed-metrics.ts'

/** Provides the metrics of the process. */
export interface MetricsPipeline {
  /** Creates instruments, which cost almost nothing while metrics are off. */
  readonly meter: Meter
  /** True if metrics are exported or scraped. */
  readonly isEnabled: boolean
  readonly observe: ObserveMetric
  /** Returns all metrics in the Prometheus text format; `undefined` if Prometheus is off. */
  readonly prometheus: (() => Promise<string>) | undefined
  /** Exports the waiting metrics. Never rejects. */
  shutdown(): Promise<void>
}

const SCOPE = 'kafka-delta'

/**
 * Starts metrics: for Prometheus if `isScraped`, and by OTLP over HTTP if the standard `OTEL_*` variables name an endpoint
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, or `OTEL_METRICS_EXPORTER=otlp`). Failures are
 * reported to `warn`.
 */
export async function startMetrics(
  env: Environment,
  isScraped: boolean,
  warn: (message: string) => void = () => undefined,
): Promise<MetricsPipeline> {
  const url = otlpEndpoint(env, 'metrics')
  if (!isScraped && url === undefined)
    return {
      meter: metrics.getMeter(SCOPE),
      isEnabled: false,
      observe: () => undefined,
      prometheus: undefined,
      shutdown: () => Promise.resolve(),
    }
  // Loaded only if needed, so that a process without metrics starts faster.
  const { startMetricReaders } = await import('./readers.ts')
  const readers = startMetricReaders(SCOPE, isScraped, url)
  return {
    ...readers,
    isEnabled: true,
    shutdown: () => awaitShutdown(readers.shutdown(), 'Metrics were not sent', warn),
  }
}
