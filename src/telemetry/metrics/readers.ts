import { setImmediate } from 'node:timers/promises'
import { diag, type Meter } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node'
import {
  DataPointType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
  type MetricReader,
} from '@opentelemetry/sdk-metrics'
import type { ObserveMetric } from './observed-metrics.ts'
import { createResource } from '../otlp.ts'
import { LABEL_SETS_MAX, ObservedMetrics } from './observed-metrics.ts'

/** Holds the running metric readers. */
interface MetricReaders {
  readonly meter: Meter
  readonly observe: ObserveMetric
  /** Returns all metrics in the Prometheus text format; `undefined` if Prometheus is off. */
  readonly prometheus: (() => Promise<string>) | undefined
  /** Exports the waiting metrics. */
  shutdown(): Promise<void>
}

/**
 * Starts metric readers: for Prometheus if `isScraped`, and for OTLP over HTTP if `url` is given. The metrics of the Node
 * runtime are included.
 */
export function startMetricReaders(
  scope: string,
  isScraped: boolean,
  url: string | undefined,
): MetricReaders {
  const observed = new ObservedMetrics(scope)
  const metricProducers = [observed]
  const exporter = isScraped
    ? new PrometheusExporter({ preventServerStart: true, metricProducers })
    : undefined
  const readers: MetricReader[] = exporter === undefined ? [] : [exporter]
  if (url !== undefined)
    readers.push(
      new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url }), metricProducers }),
    )
  // Label sets beyond the maximum are merged into one: `otel_metric_overflow="true"`.
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: LABEL_SETS_MAX }]
  const provider = new MeterProvider({ resource: createResource(), readers, views })
  const runtime = new RuntimeNodeInstrumentation()
  runtime.setMeterProvider(provider)
  return {
    meter: provider.getMeter(scope),
    observe: (name, read) => observed.add(name, read),
    prometheus: exporter === undefined ? undefined : () => scrape(exporter),
    shutdown: () => {
      runtime.disable()
      return provider.shutdown()
    },
  }
}

// The instrumentation scope is not a label: names are unique without it.
const RESOURCE_SERIALIZER = new PrometheusSerializer(undefined, false, undefined, false, true)
const METRIC_SERIALIZER = new PrometheusSerializer(undefined, false, undefined, true, true)

/** Writes one metric at a time and lets other work have its turn between two of them: hundreds of topics have many series. */
async function scrape(exporter: PrometheusExporter): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect()
  for (const error of errors) diag.warn(`A metric could not be read: ${String(error)}`)
  const { resource, scopeMetrics } = resourceMetrics
  const parts = [
    RESOURCE_SERIALIZER.serialize({ resource, scopeMetrics: [] }).replace(NOTHING_REGISTERED, ''),
  ]
  for (const { scope, metrics } of scopeMetrics)
    for (const metric of metrics) {
      await setImmediate()
      const text = METRIC_SERIALIZER.serialize({ resource, scopeMetrics: [{ scope, metrics: [metric] }] })
      parts.push(isWithoutBuckets(metric) ? summaryOf(text) : text)
    }
  return parts.join('')
}

/** The exporter's text for a resource without metrics. */
const NOTHING_REGISTERED = /^# no registered metrics\n?/m

function isWithoutBuckets({ dataPointType, dataPoints }: MetricData): boolean {
  return (
    dataPointType === DataPointType.HISTOGRAM &&
    dataPoints.every(({ value }) => value.buckets.boundaries.length === 0)
  )
}

/** Returns a histogram without bounds as a summary, which has the same sum and count, and no bucket beside them. */
function summaryOf(histogram: string): string {
  return histogram.replace(/^(# TYPE \S+ )histogram$/m, '$1summary').replaceAll(/^\S+_bucket\{.*\n/gm, '')
}
