import type {
  Attributes,
  BatchObservableCallback,
  BatchObservableResult,
  Counter,
  Gauge,
  Histogram,
  Meter,
  MetricOptions,
  Observable,
  ObservableCallback,
  ObservableResult,
  UpDownCounter,
} from '@opentelemetry/api'

/** Creates metrics of one topic: each value has the topic as an attribute. */
export interface TopicMeter {
  readonly meter: Meter
  /** Removes the callbacks of observable metrics, which belong to one run of the topic. */
  close(): void
}

/** Returns a meter that adds the attribute `topic` to every value of the metrics that are made with it. */
export function createTopicMeter(meter: Meter, topic: string): TopicMeter {
  const made = new LabelledMeter(meter, topic)
  return { meter: made, close: () => made.close() }
}

class LabelledMeter implements Meter {
  readonly #meter: Meter
  readonly #topic: string
  readonly #closers: (() => void)[] = []
  readonly #inner = new Map<Observable, Observable>()
  readonly #batches = new Map<BatchObservableCallback, BatchObservableCallback>()

  constructor(meter: Meter, topic: string) {
    this.#meter = meter
    this.#topic = topic
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close()
  }

  createGauge(name: string, options?: MetricOptions): Gauge {
    const gauge = this.#meter.createGauge(name, options)
    return { record: (value, attributes, context) => gauge.record(value, this.#labels(attributes), context) }
  }

  createHistogram(name: string, options?: MetricOptions): Histogram {
    const histogram = this.#meter.createHistogram(name, options)
    return {
      record: (value, attributes, context) => histogram.record(value, this.#labels(attributes), context),
    }
  }

  createCounter(name: string, options?: MetricOptions): Counter {
    return this.#adding(this.#meter.createCounter(name, options))
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounter {
    return this.#adding(this.#meter.createUpDownCounter(name, options))
  }

  createObservableGauge(name: string, options?: MetricOptions): Observable {
    return this.#observing(this.#meter.createObservableGauge(name, options))
  }

  createObservableCounter(name: string, options?: MetricOptions): Observable {
    return this.#observing(this.#meter.createObservableCounter(name, options))
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): Observable {
    return this.#observing(this.#meter.createObservableUpDownCounter(name, options))
  }

  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const labelled: BatchObservableCallback = (result) => {
      const own: BatchObservableResult = {
        observe: (observable, value, attributes) =>
          result.observe(this.#inner.get(observable) ?? observable, value, this.#labels(attributes)),
      }
      return callback(own)
    }
    const inner = observables.map((each) => this.#inner.get(each) ?? each)
    this.#meter.addBatchObservableCallback(labelled, inner)
    this.#batches.set(callback, labelled)
    this.#closers.push(() => this.#meter.removeBatchObservableCallback(labelled, inner))
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const labelled = this.#batches.get(callback)
    const inner = observables.map((each) => this.#inner.get(each) ?? each)
    if (labelled !== undefined) this.#meter.removeBatchObservableCallback(labelled, inner)
  }

  #adding(counter: Counter): Counter {
    return { add: (value, attributes, context) => counter.add(value, this.#labels(attributes), context) }
  }

  #observing(inner: Observable): Observable {
    const callbacks = new Map<ObservableCallback, ObservableCallback>()
    const observable: Observable = {
      addCallback: (callback) => {
        const labelled: ObservableCallback = (result) => {
          const own: ObservableResult = {
            observe: (value, attributes) => result.observe(value, this.#labels(attributes)),
          }
          return callback(own)
        }
        callbacks.set(callback, labelled)
        inner.addCallback(labelled)
        this.#closers.push(() => inner.removeCallback(labelled))
      },
      removeCallback: (callback) => {
        const labelled = callbacks.get(callback)
        if (labelled !== undefined) inner.removeCallback(labelled)
      },
    }
    this.#inner.set(observable, inner)
    return observable
  }

  #labels(attributes: Attributes | undefined): Attributes {
    return { ...attributes, topic: this.#topic }
  }
}
