import { type Meter, metrics } from '@opentelemetry/api'
import { otlpEndpoint, within, type Environment } from '../otlp.ts'
import type { ReadOff } from './readings.ts'

/** Metrics of this process. */
export interface MetricsPipe {
  /** Instruments are made here; they cost next to nothing where nobody reads them. */
  readonly meter: Meter
  /** Whether somebody reads them. */
  readonly isRead: boolean
  readonly readOff: ReadOff
  /** All of them as Prometheus reads them; `undefined` where nobody asked for it. */
  readonly prometheus: (() => Promise<string>) | undefined
  /** Sends what is waiting. Never rejects. */
  shutdown(): Promise<void>
}

const SCOPE = 'kafka-delta'

/**
 * Sets metrics up: for Prometheus where `scraped`, by OTLP over HTTP where the standard `OTEL_*` variables name an endpoint
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, or `OTEL_METRICS_EXPORTER=otlp`). What fails is
 * told to `warn`.
 */
export async function startMetrics(
  env: Environment,
  scraped: boolean,
  warn: (message: string) => void = () => undefined,
): Promise<MetricsPipe> {
  const url = otlpEndpoint(env, 'metrics')
  if (!scraped && url === undefined)
    return {
      meter: metrics.getMeter(SCOPE),
      isRead: false,
      readOff: () => undefined,
      prometheus: undefined,
      shutdown: () => Promise.resolve(),
    }
  // Loaded when asked for: a process that nobody reads starts without it.
  const { readMetrics } = await import('./readers.ts')
  const read = readMetrics(SCOPE, scraped, url)
  return { ...read, isRead: true, shutdown: () => within(read.shutdown(), 'Metrics were not sent', warn) }
}
