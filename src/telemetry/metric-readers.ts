import { diag, type Meter } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider, PeriodicExportingMetricReader, type MetricReader } from '@opentelemetry/sdk-metrics'
import { resourceOf } from './otlp.ts'

/** Metrics that somebody reads. */
export interface ReadMetrics {
  readonly meter: Meter
  /** All of them in the text form of Prometheus; there where it was asked for. */
  readonly prometheus: (() => Promise<string>) | undefined
  /** Sends what is waiting. */
  shutdown(): Promise<void>
}

/** Metrics for Prometheus where `scraped`, and by OTLP over HTTP to `url` where there is one. */
export function readMetrics(scope: string, scraped: boolean, url: string | undefined): ReadMetrics {
  const exporter = scraped ? new PrometheusExporter({ preventServerStart: true }) : undefined
  const readers: MetricReader[] = exporter === undefined ? [] : [exporter]
  if (url !== undefined)
    readers.push(new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url }) }))
  const provider = new MeterProvider({ resource: resourceOf(), readers })
  return {
    meter: provider.getMeter(scope),
    prometheus: exporter === undefined ? undefined : () => scrape(exporter),
    shutdown: () => provider.shutdown(),
  }
}

async function scrape(exporter: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect()
  for (const error of errors) diag.warn(`A metric could not be read: ${String(error)}`)
  return new PrometheusSerializer().serialize(resourceMetrics)
}
