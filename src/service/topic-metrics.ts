import type { Attributes, Counter, Histogram, Meter, ObservableResult } from '@opentelemetry/api'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { messagesOf } from '../core/raw.ts'
import type { Health } from './health.ts'
import type { TopicObserver } from './observer.ts'
import { lagOf } from './progress.ts'
import type { TopicRun } from './topic.ts'

/** Seconds, from a flush of a few records on a local disk to one that waits for a store that is down. */
const DURATION_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const FILE_BOUNDS = [1e5, 1e6, 8e6, 3.2e7, 6.4e7, 1.28e8, 2.56e8, 5.12e8, 1e9]
const EVENT_LOOP_EVERY_MS = 20

/**
 * The metrics of a process and its topics, under `kafka_delta.…` and the names of the messaging conventions. Labels are
 * topics, partitions, outcomes and reasons: bounded by what is configured.
 */
export class TopicMetrics {
  readonly #meter: Meter
  readonly #messages: Counter
  readonly #readBytes: Counter
  readonly #records: Counter
  readonly #deadLetters: Counter
  readonly #commits: Counter
  readonly #attempts: Counter
  readonly #conflicts: Counter
  readonly #files: Counter
  readonly #fileBytes: Histogram
  readonly #flushSeconds: Histogram
  readonly #loop = monitorEventLoopDelay({ resolution: EVENT_LOOP_EVERY_MS })

  constructor(meter: Meter) {
    this.#meter = meter
    const counter = (name: string, description: string, unit?: string): Counter =>
      meter.createCounter(name, { description, ...(unit === undefined ? {} : { unit }) })
    const histogram = (name: string, description: string, unit: string, bounds: number[]): Histogram =>
      meter.createHistogram(name, { description, unit, advice: { explicitBucketBoundaries: bounds } })
    this.#messages = counter('messaging.client.consumed.messages', 'Messages read from Kafka')
    this.#readBytes = counter('kafka_delta.read.bytes', 'Bytes of values read from Kafka', 'By')
    this.#records = counter('kafka_delta.records', 'Records in committed flushes, by what became of them')
    this.#deadLetters = counter('kafka_delta.dead_letters', 'Dead letters of committed flushes, by reason')
    this.#commits = counter('kafka_delta.commits', 'Flushes that are in the table')
    this.#attempts = counter('kafka_delta.commit.attempts', 'Puts tried for commits')
    this.#conflicts = counter('kafka_delta.commit.conflicts', 'Versions lost to other writers')
    this.#files = counter('kafka_delta.files', 'Data files added')
    this.#fileBytes = histogram('kafka_delta.file.size', 'Size of data files', 'By', FILE_BOUNDS)
    this.#flushSeconds = histogram(
      'kafka_delta.flush.duration',
      'From the forming of a flush to its end',
      's',
      DURATION_BOUNDS,
    )
  }

  /** Counts what one topic does. */
  observer(topic: string): TopicObserver {
    const labels: Attributes = { topic }
    const consumed: Attributes = { 'messaging.system': 'kafka', 'messaging.destination.name': topic }
    return {
      read: (raw) => {
        this.#messages.add(messagesOf(raw).messages, consumed)
        this.#readBytes.add(raw.bytes.length, labels)
      },
      flush: ({ deadLetters }) => {
        const startMs = performance.now()
        const reasons = deadLetters.map(({ reason }) => reason)
        return (error) => {
          const seconds = (performance.now() - startMs) / 1000
          this.#flushSeconds.record(seconds, { topic, outcome: error === undefined ? 'committed' : 'failed' })
          if (error === undefined) for (const reason of reasons) this.#deadLetters.add(1, { topic, reason })
        }
      },
      committed: ({ counts, attempts, conflicts, adds }) => {
        this.#records.add(counts.rows, { topic, outcome: 'row' })
        this.#records.add(counts.deadLetters, { topic, outcome: 'dead_letter' })
        this.#records.add(counts.tombstones, { topic, outcome: 'tombstone' })
        this.#records.add(counts.filtered, { topic, outcome: 'filtered' })
        this.#commits.add(1, labels)
        this.#attempts.add(attempts, labels)
        this.#conflicts.add(conflicts, labels)
        this.#files.add(adds.length, labels)
        for (const { size } of adds) this.#fileBytes.record(size, labels)
      },
      status: () => undefined,
    }
  }

  /** What is read off whenever somebody asks: lag, freshness, memory, and whether the process is ready. */
  watch(health: Health, nowMs: () => number = Date.now): void {
    this.#loop.enable()
    const gauge = (
      name: string,
      description: string,
      unit: string,
      read: (to: ObservableResult) => void,
    ): void => this.#meter.createObservableGauge(name, { description, unit }).addCallback(read)
    const each = (read: (topic: TopicRun, to: ObservableResult) => void) => (to: ObservableResult) =>
      health.topics.forEach((topic) => read(topic, to))
    gauge('kafka_delta.ready', 'Whether the process is ready', '1', (to) =>
      to.observe(health.isReady ? 1 : 0),
    )
    gauge(
      'kafka_delta.lag',
      'Offsets that the table does not hold yet',
      '1',
      each(({ topic, status }, to) => {
        for (const each of status()) to.observe(Number(lagOf(each)), { topic, partition: each.partition })
      }),
    )
    gauge(
      'kafka_delta.freshness',
      'Age of the newest record in the table',
      's',
      each(({ topic }, to) => {
        const { last } = health.progress(topic)
        if (last !== undefined) to.observe((nowMs() - last.newestMs) / 1000, { topic })
      }),
    )
    gauge(
      'kafka_delta.buffered',
      'Bytes of records between Kafka and the table',
      'By',
      each(({ topic, buffered }, to) => {
        to.observe(buffered().bytes, { topic })
      }),
    )
    gauge(
      'kafka_delta.buffered.max',
      'Bytes that may be between Kafka and the table',
      'By',
      each(({ topic, buffered }, to) => {
        to.observe(buffered().bytesMax, { topic })
      }),
    )
    gauge(
      'kafka_delta.table.version',
      'Newest version that this process wrote',
      '1',
      each(({ topic, summary }, to) => {
        const { version } = summary()
        if (version !== undefined) to.observe(Number(version), { topic })
      }),
    )
    gauge('process.memory.usage', 'Resident memory', 'By', (to) => to.observe(process.memoryUsage.rss()))
    gauge('nodejs.eventloop.delay.p99', 'Delay of the event loop since the last reading', 's', (to) => {
      to.observe(this.#loop.percentile(99) / 1e9)
      this.#loop.reset()
    })
  }

  close(): void {
    this.#loop.disable()
  }
}
