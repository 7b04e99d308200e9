import { withoutSecrets } from '../../../config/load/redact.ts'
import type { Config } from '../../../config/types.ts'
import type { Circuit } from '../../core/circuit.ts'
import { EventLoopWatch } from '../../telemetry/metrics/event-loop.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import { LogLevels } from '../../telemetry/log-levels.ts'
import { levelsOf, type Logger } from '../../telemetry/log.ts'
import { startMetrics, type MetricsPipe } from '../../telemetry/metrics/metrics.ts'
import type { Endpoints } from '../http/endpoints.ts'
import { Health } from '../health/health.ts'
import { javaMetrics } from '../metrics/java-metrics.ts'
import { KafkaCircuit } from '../health/kafka-circuit.ts'
import { needsCircuit } from '../health/dependencies.ts'
import { together, type TopicObserver } from '../topic/observer.ts'
import { readProcess, type BudgetStanding } from '../metrics/process-metrics.ts'
import { TopicMetrics } from '../metrics/topic-metrics.ts'
import type { TopicRun } from '../topic/topic.ts'

const STATUS_EVERY_MS = 60_000
const LOOK_EVERY_MS = 5_000

/** What is looked at beside the topics; nothing is known of what is absent. */
export interface WatchingParts {
  /** Told what the metrics are. */
  readonly observer?: TopicObserver | undefined
  /** Stores and registries. */
  readonly circuits?: { all(): readonly Circuit[] } | undefined
  /** Of all topics of the process. */
  readonly budget?: BudgetStanding | undefined
  /** By which the log is changed while it is written. */
  readonly levels?: LogLevels | undefined
}

/** Everything that looks at a running service: metrics, health, endpoints, and the lines of the log about all being well. */
export class Watching {
  readonly health: Health
  readonly #config: Config
  readonly #log: Logger
  readonly #parts: WatchingParts
  readonly #pipe: MetricsPipe
  readonly #kafka: KafkaCircuit
  readonly #metrics: TopicMetrics
  readonly #java: ReturnType<typeof javaMetrics> | undefined
  readonly #loop: EventLoopWatch
  readonly #timers: NodeJS.Timeout[] = []
  #endpoints: Endpoints | undefined

  static async open(config: Config, log: Logger, parts: WatchingParts = {}): Promise<Watching> {
    const pipe = await startMetrics(process.env, config.http.port !== undefined, (message) =>
      log.warn(message),
    )
    return new Watching(config, log, pipe, parts)
  }

  private constructor(config: Config, log: Logger, pipe: MetricsPipe, parts: WatchingParts) {
    this.#config = config
    this.#log = log
    this.#parts = parts
    this.#pipe = pipe
    this.#kafka = new KafkaCircuit(config.kafka.brokers.join(','))
    this.health = new Health({
      stalledMs: config.http.stalledMs,
      log,
      circuits: () => [this.#kafka.circuit, ...(parts.circuits?.all() ?? [])],
      needs: (topic, circuit) => needsCircuit(topic.config, circuit, config.storage),
      hide: withoutSecrets(config),
    })
    this.#metrics = new TopicMetrics(pipe.meter)
    if (config.metrics.javaNames) this.#java = javaMetrics(pipe)
    readProcess(pipe.readOff, this.health, () => parts.budget)
    const stalls = new Instruments(pipe.meter).counter('kafka_delta.eventloop.stalls')
    stalls.add(0)
    this.#loop = new EventLoopWatch({
      onStall: () => stalls.add(1),
      tell: (facts) => log.warn(facts, 'The event loop was blocked; heartbeats and answers waited'),
    })
    this.#loop.start()
  }

  /** Opens the endpoints where they are wanted. @throws KD_CONFIG_INVALID */
  async listen(): Promise<void> {
    const { prometheus } = this.#pipe
    if (prometheus === undefined) return
    const { startEndpoints } = await import('../http/endpoints.ts')
    this.#endpoints = await startEndpoints({
      config: this.#config,
      health: this.health,
      metrics: prometheus,
      log: this.#log,
      budget: () => this.#parts.budget,
      levels: this.#parts.levels ?? levelsOf(this.#log) ?? new LogLevels(),
    })
    this.#log.info({ url: this.#endpoints.url }, 'Health, metrics and status')
  }

  /** Who looks at one topic. */
  observer(topic: string): TopicObserver {
    const brokers: TopicObserver = {
      read: () => this.#kafka.answered(topic),
      flush: () => () => undefined,
      committed: () => undefined,
      event: (event) => this.#kafka.event(topic, event),
      status: () => undefined,
    }
    const java = this.#java?.observer(topic)
    const others = [java, this.#parts.observer].filter((other) => other !== undefined)
    return together([this.health.progress(topic), this.#metrics.observer(topic), brokers, ...others])
  }

  /** These are the topics of the process. */
  opened(topics: readonly TopicRun[]): void {
    this.health.opened(topics)
    const tell = (): void => topics.forEach((topic) => this.#parts.observer?.status(topic.status()))
    tell()
    const every = (ms: number, run: () => void): void => void this.#timers.push(setInterval(run, ms).unref())
    every(LOOK_EVERY_MS, () => {
      this.#lookAtBrokers(topics)
      this.health.look()
    })
    every(STATUS_EVERY_MS, () => {
      tellStatus(topics, this.health, this.#log)
      tell()
    })
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#loop.stop()
    await this.#endpoints?.close()
    await this.#pipe.shutdown()
  }

  /** A topic that failed because of the brokers has lost them; one that is not carried says nothing of them. */
  #lookAtBrokers(topics: readonly TopicRun[]): void {
    for (const topic of topics) {
      const failure = topic.state() === 'restarting' ? topic.failure() : undefined
      if (failure?.code?.startsWith('KD_KAFKA_') === true) this.#kafka.lost(topic.topic, failure.message)
      if (topic.state() === 'failed' || topic.state() === 'ended') this.#kafka.forget(topic.topic)
    }
    this.#kafka.keep(topics.map(({ topic }) => topic))
  }
}

/** One line a topic and minute, and none besides while all is well. */
function tellStatus(topics: readonly TopicRun[], health: Health, log: Logger): void {
  for (const topic of topics) {
    const { counts, commits, version } = topic.summary()
    log.info(
      {
        topic: topic.topic,
        ...counts,
        commits,
        version: version === undefined ? null : String(version),
        lag: String(health.progress(topic.topic).totalLag(topic.status())),
        buffered: topic.buffered(),
      },
      'Running',
    )
  }
}
