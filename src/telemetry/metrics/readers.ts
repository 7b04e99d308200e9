import { diag, type Meter } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node'
import { MeterProvider, PeriodicExportingMetricReader, type MetricReader } from '@opentelemetry/sdk-metrics'
import type { ReadOff } from './readings.ts'
import { resourceOf } from '../otlp.ts'
import { LABEL_SETS_MAX, Readings } from './readings.ts'

/** Metrics that somebody reads. */
export interface ReadMetrics {
  readonly meter: Meter
  readonly readOff: ReadOff
  /** All of them in the text form of Prometheus; there where it was asked for. */
  readonly prometheus: (() => Promise<string>) | undefined
  /** Sends what is waiting. */
  shutdown(): Promise<void>
}

/**
 * Metrics for Prometheus where `scraped`, and by OTLP over HTTP to `url` where there is one; those of the Node runtime are
 * among them.
 */
export function readMetrics(scope: string, scraped: boolean, url: string | undefined): ReadMetrics {
  const readings = new Readings(scope)
  const metricProducers = [readings]
  const exporter = scraped ? new PrometheusExporter({ preventServerStart: true, metricProducers }) : undefined
  const readers: MetricReader[] = exporter === undefined ? [] : [exporter]
  if (url !== undefined)
    readers.push(
      new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url }), metricProducers }),
    )
  // Label sets beyond the most are one: `otel_metric_overflow="true"`.
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: LABEL_SETS_MAX }]
  const provider = new MeterProvider({ resource: resourceOf(), readers, views })
  const runtime = new RuntimeNodeInstrumentation()
  runtime.setMeterProvider(provider)
  return {
    meter: provider.getMeter(scope),
    readOff: (name, read) => readings.add(name, read),
    prometheus: exporter === undefined ? undefined : () => scrape(exporter),
    shutdown: () => {
      runtime.disable()
      return provider.shutdown()
    },
  }
}

// Who made an instrument is no label: names are enough to tell them apart.
const SERIALIZER = new PrometheusSerializer(undefined, false, undefined, false, true)

async function scrape(exporter: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect()
  for (const error of errors) diag.warn(`A metric could not be read: ${String(error)}`)
  return SERIALIZER.serialize(resourceMetrics)
}
