import type { Counter, Histogram, Meter } from '@opentelemetry/api'
import { boundsOf, factsOf, type MetricName } from './catalogue.ts'

/** Makes instruments as the catalogue of metrics has them. */
export class Instruments {
  readonly #meter: Meter

  constructor(meter: Meter) {
    this.#meter = meter
  }

  counter(name: MetricName<'counter'>): Counter {
    const { help: description, unit = '' } = factsOf(name)
    return this.#meter.createCounter(name, { description, unit })
  }

  histogram(name: MetricName<'histogram'>): Histogram {
    const facts = factsOf(name)
    const { help: description, unit = '' } = facts
    const advice = { explicitBucketBoundaries: boundsOf(facts) }
    return this.#meter.createHistogram(name, { description, unit, advice })
  }
}
