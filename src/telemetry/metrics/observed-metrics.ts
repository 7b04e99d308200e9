import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type DataPoint,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import { metricDefinitionOf, type MetricName } from './catalogue.ts'

/** Maximum label sets of one metric. */
export const LABEL_SETS_MAX = 10_000

/** Names the metrics that are observed at each collection. */
type Name = MetricName<'gauge' | 'total'>

/**
 * Observes gauges at each collection. Unlike observable instruments of the SDK, which keep reporting label sets once
 * observed, only the current ones are reported: removed topics and partitions have no values.
 */
export class ObservedMetrics implements MetricProducer {
  readonly #scope: string
  readonly #labelSetsMax: number
  readonly #startedAt = timeOf(Date.now())
  readonly #reads = new Map<Name, Parameters<ObserveMetric>[1]>()

  /** Label sets beyond `labelSetsMax` are left out; `kafka_delta.metrics.omitted` counts them. */
  constructor(scope: string, labelSetsMax = LABEL_SETS_MAX) {
    this.#scope = scope
    this.#labelSetsMax = labelSetsMax
  }

  /** Registers `read` for a metric; it replaces an earlier one. */
  add(name: Name, read: Parameters<ObserveMetric>[1]): void {
    this.#reads.set(name, read)
  }

  collect(): Promise<CollectionResult> {
    const endTime = timeOf(Date.now())
    const errors: unknown[] = []
    const metrics: MetricData[] = []
    let omitted = 0
    const point = (value: number, attributes: Attributes): DataPoint<number> => ({
      startTime: this.#startedAt,
      endTime,
      attributes,
      value,
    })
    for (const [name, read] of this.#reads) {
      const points: DataPoint<number>[] = []
      try {
        read((value, labels = {}) => {
          if (points.length < this.#labelSetsMax) points.push(point(value, labels))
          else omitted++
        })
      } catch (error) {
        errors.push(error)
      }
      if (points.length > 0) metrics.push(dataOf(name, points))
    }
    metrics.push(dataOf('kafka_delta.metrics.omitted', [point(omitted, {})]))
    const scopeMetrics = [{ scope: { name: this.#scope }, metrics }]
    return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors })
  }
}

function dataOf(name: Name, dataPoints: DataPoint<number>[]): MetricData {
  const { kind, unit = '', help } = metricDefinitionOf(name)
  const data = {
    descriptor: { name, description: help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints,
  }
  return kind === 'total'
    ? { ...data, dataPointType: DataPointType.SUM, isMonotonic: true }
    : { ...data, dataPointType: DataPointType.GAUGE }
}

function timeOf(ms: number): HrTime {
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6]
}

/** Registers `read` to be called at each collection of a metric; it reports each value with its labels synchronously. */
export type ObserveMetric = (
  name: MetricName<'gauge' | 'total'>,
  read: (report: (value: number, labels?: Attributes) => void) => void,
) => void
