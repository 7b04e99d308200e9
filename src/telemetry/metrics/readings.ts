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
import { factsOf, type MetricName } from './catalogue.ts'

/** Label sets that one metric has at most. */
export const LABEL_SETS_MAX = 10_000

/** Names of metrics that are read off. */
type Name = MetricName<'gauge' | 'total'>

/**
 * Metrics that are read off whenever somebody asks. Unlike observable instruments of the SDK, which tell for ever what they
 * once observed, only what is observed now is told: topics and partitions that are gone have no values any more.
 */
export class Readings implements MetricProducer {
  readonly #scope: string
  readonly #labelSetsMax: number
  readonly #startedAt = timeOf(Date.now())
  readonly #reads = new Map<Name, Parameters<ReadOff>[1]>()

  /** Above `labelSetsMax`, label sets are left out, and how many is told by `kafka_delta.metrics.omitted`. */
  constructor(scope: string, labelSetsMax = LABEL_SETS_MAX) {
    this.#scope = scope
    this.#labelSetsMax = labelSetsMax
  }

  /** Has a metric read off by `read`, in place of what read it before. */
  add(name: Name, read: Parameters<ReadOff>[1]): void {
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
  const { kind, unit = '', help } = factsOf(name)
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

/** Has a metric read off whenever somebody asks: `read` tells each value with its labels, at once and without waiting. */
export type ReadOff = (
  name: MetricName<'gauge' | 'total'>,
  read: (tell: (value: number, labels?: Attributes) => void) => void,
) => void
