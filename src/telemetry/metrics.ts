import { diag, type Meter, metrics } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider, PeriodicExportingMetricReader, type MetricReader } from '@opentelemetry/sdk-metrics'
import { otlpEndpoint, resourceOf, within, type Environment } from './otlp.ts'

/** Metrics of this process. */
export interface MetricsPipe {
  /** Instruments are made here; they cost next to nothing where nobody reads them. */
  readonly meter: Meter
  /** Whether somebody reads them. */
  readonly isRead: boolean
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
export function startMetrics(
  env: Environment,
  scraped: boolean,
  warn: (message: string) => void = () => undefined,
): MetricsPipe {
  const url = otlpEndpoint(env, 'metrics')
  const exporter = scraped ? new PrometheusExporter({ preventServerStart: true }) : undefined
  const readers: MetricReader[] = exporter === undefined ? [] : [exporter]
  if (url !== undefined)
    readers.push(new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url }) }))
  if (readers.length === 0)
    return {
      meter: metrics.getMeter(SCOPE),
      isRead: false,
      prometheus: undefined,
      shutdown: () => Promise.resolve(),
    }
  const provider = new MeterProvider({ resource: resourceOf(), readers })
  return {
    meter: provider.getMeter(SCOPE),
    isRead: true,
    prometheus: exporter === undefined ? undefined : () => scrape(exporter),
    shutdown: () => within(provider.shutdown(), 'Metrics were not sent', warn),
  }
}

async function scrape(exporter: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect()
  for (const error of errors) diag.warn(`A metric could not be read: ${String(error)}`)
  return new PrometheusSerializer().serialize(resourceMetrics)
}
