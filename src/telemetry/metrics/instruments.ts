import type { Counter, Histogram, Meter } from '@opentelemetry/api'
import { bucketBoundsOf, metricDefinitionOf, type MetricName } from './catalogue.ts'

/** Creates instruments with the definitions of the metric catalogue. */
export class Instruments {
  readonly #meter: Meter

  constructor(meter: Meter) {
    this.#meter = meter
  }

  counter(name: MetricName<'counter'>): Counter {
    const { help: description, unit = '' } = metricDefinitionOf(name)
    return this.#meter.createCounter(name, { description, unit })
  }

  histogram(name: MetricName<'histogram'>): Histogram {
    const facts = metricDefinitionOf(name)
    const { help: description, unit = '' } = facts
    const advice = { explicitBucketBoundaries: bucketBoundsOf(facts) }
    return this.#meter.createHistogram(name, { description, unit, advice })
  }
}
