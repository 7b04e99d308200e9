import { createSecretRedactor } from '../../../config/load/redact.ts'
import type { Config } from '../../../config/types.ts'
import type { Circuit } from '../../core/circuit.ts'
import { EventLoopMonitor } from '../../telemetry/metrics/event-loop.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import { LogLevels } from '../../telemetry/log-levels.ts'
import { logLevelsOf, type Logger } from '../../telemetry/log.ts'
import { startMetrics, type MetricsPipeline } from '../../telemetry/metrics/metrics.ts'
import type { Endpoints } from '../http/endpoints.ts'
import { Health } from '../health/health.ts'
import { createJavaMetrics } from '../metrics/java-metrics.ts'
import { KafkaCircuit } from '../health/kafka-circuit.ts'
import { needsCircuit } from '../health/server-outage.ts'
import { combineObservers, type TopicObserver } from '../topic/observer.ts'
import { registerProcessMetrics, type BudgetUsage } from '../metrics/process-metrics.ts'
import { TopicMetrics } from '../metrics/topic-metrics.ts'
import type { TopicRun } from '../topic/topic.ts'

const STATUS_EVERY_MS = 60_000
const CHECK_EVERY_MS = 5_000

/** Describes what is observed besides the topics; an absent part is not reported. */
interface ObservabilityOptions {
  /** An additional observer of every topic. */
  readonly observer?: TopicObserver | undefined
  /** Circuits of stores and schema registries. */
  readonly circuits?: { all(): readonly Circuit[] } | undefined
  /** The byte budget that all topics of the process share. */
  readonly budget?: BudgetUsage | undefined
  /** Log levels, changeable while the process runs. */
  readonly levels?: LogLevels | undefined
}

/**
 * Observes a running service: exports metrics, tracks health, serves the HTTP endpoints and logs a status line per
 * topic and minute.
 */
export class Observability {
  readonly health: Health
  readonly #config: Config
  readonly #log: Logger
  readonly #options: ObservabilityOptions
  readonly #pipe: MetricsPipeline
  readonly #kafka: KafkaCircuit
  readonly #metrics: TopicMetrics
  readonly #java: ReturnType<typeof createJavaMetrics> | undefined
  readonly #loop: EventLoopMonitor
  readonly #timers: NodeJS.Timeout[] = []
  #endpoints: Endpoints | undefined

  static async open(config: Config, log: Logger, options: ObservabilityOptions = {}): Promise<Observability> {
    const pipe = await startMetrics(process.env, config.http.port !== undefined, (message) =>
      log.warn(message),
    )
    return new Observability(config, log, pipe, options)
  }

  private constructor(config: Config, log: Logger, pipe: MetricsPipeline, options: ObservabilityOptions) {
    this.#config = config
    this.#log = log
    this.#options = options
    this.#pipe = pipe
    this.#kafka = new KafkaCircuit(config.kafka.brokers.join(','))
    this.health = new Health({
      stalledMs: config.http.stalledMs,
      log,
      circuits: () => [this.#kafka.circuit, ...(options.circuits?.all() ?? [])],
      needsCircuit: (topic, circuit) => needsCircuit(topic.config, circuit, config.storage),
      hide: createSecretRedactor(config),
    })
    this.#metrics = new TopicMetrics(pipe.meter)
    if (config.metrics.javaNames) this.#java = createJavaMetrics(pipe)
    registerProcessMetrics(pipe.observe, this.health, () => options.budget)
    const stalls = new Instruments(pipe.meter).counter('kafka_delta.eventloop.stalls')
    stalls.add(0)
    this.#loop = new EventLoopMonitor({
      onStall: () => stalls.add(1),
      onReport: (facts) =>
        log.warn(facts, 'The event loop was blocked: Kafka heartbeats and HTTP responses were delayed'),
    })
    this.#loop.start()
  }

  /**
   * Starts the HTTP endpoints when `http.port` is set.
   * @throws KD_CONFIG_INVALID when the address cannot be bound
   */
  async listen(): Promise<void> {
    const { prometheus } = this.#pipe
    if (prometheus === undefined) return
    const { startEndpoints } = await import('../http/endpoints.ts')
    this.#endpoints = await startEndpoints({
      config: this.#config,
      health: this.health,
      metrics: prometheus,
      log: this.#log,
      budget: () => this.#options.budget,
      levels: this.#options.levels ?? logLevelsOf(this.#log) ?? new LogLevels(),
    })
    this.#log.info({ url: this.#endpoints.url }, 'Serving health, metrics and status')
  }

  /** Returns the observer for one topic, by its name in Kafka and the name of its entry in `topics`. */
  observerOf(topic: string, entry: string): TopicObserver {
    const brokers: TopicObserver = {
      read: () => undefined,
      flush: () => () => undefined,
      committed: () => undefined,
      event: (event) => this.#kafka.onSourceEvent(topic, event),
      status: () => undefined,
    }
    const java = this.#java?.observer(topic)
    const others = [java, this.#options.observer].filter((other) => other !== undefined)
    return combineObservers([
      this.health.progressOf(entry),
      this.#metrics.observer(topic),
      brokers,
      ...others,
    ])
  }

  /** Sets the topics of the process, and starts the periodic checks and status lines. The array may change later. */
  setTopics(topics: readonly TopicRun[]): void {
    this.health.setTopics(topics)
    const report = (): void => topics.forEach((topic) => this.#options.observer?.status(topic.status()))
    report()
    const every = (ms: number, run: () => void): void => void this.#timers.push(setInterval(run, ms).unref())
    every(CHECK_EVERY_MS, () => {
      this.#updateKafkaCircuit(topics)
      this.health.check()
    })
    every(STATUS_EVERY_MS, () => {
      logStatus(topics, this.health, this.#log)
      report()
    })
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#loop.stop()
    await this.#endpoints?.close()
    await this.#pipe.shutdown()
  }

  /**
   * Updates the Kafka circuit: a topic that restarts because no broker answered counts as disconnected, a topic that
   * failed or ended no longer counts.
   */
  #updateKafkaCircuit(topics: readonly TopicRun[]): void {
    for (const topic of topics) {
      const failure = topic.state() === 'restarting' ? topic.failure() : undefined
      if (failure?.code === 'KD_KAFKA_UNREACHABLE') this.#kafka.markUnreachable(topic.topic, failure.message)
      if (topic.state() === 'failed' || topic.state() === 'ended') this.#kafka.forget(topic.topic)
    }
    this.#kafka.retain(topics.map(({ topic }) => topic))
  }
}

/** Logs one line per topic and minute, the only regular lines while everything works. */
function logStatus(topics: readonly TopicRun[], health: Health, log: Logger): void {
  for (const topic of topics) {
    const { counts, commits, version } = topic.summary()
    log.info(
      {
        topic: topic.topic,
        ...counts,
        commits,
        version: version === undefined ? null : String(version),
        lag: String(health.progressOf(topic.name).totalLag(topic.status())),
        buffered: topic.buffered(),
      },
      'Running',
    )
  }
}
