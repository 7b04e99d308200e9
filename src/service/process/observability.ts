import type { Meter } from '@opentelemetry/api'
import { createSecretRedactor } from '../../../config/load/redact.ts'
import type { Config } from '../../../config/types.ts'
import type { Circuit } from '../../core/circuit.ts'
import { systemClock } from '../../core/clock.ts'
import { Closers } from '../../core/lifecycle/closers.ts'
import { ConsoleState } from '../../console/console.ts'
import { readGroupMembers } from '../../kafka/members/read-members.ts'
import { openStore } from '../../storage/open/open.ts'
import { kafkaOptionsOf } from '../connections/kafka-options.ts'
import { EventLoopMonitor } from '../../telemetry/metrics/event-loop.ts'
import { Instruments } from '../../telemetry/metrics/instruments.ts'
import { LogLevels } from '../../telemetry/log-levels.ts'
import { logLevelsOf, type Logger } from '../../telemetry/log.ts'
import { startMetrics, type MetricsPipeline } from '../../telemetry/metrics/metrics.ts'
import type { Endpoints } from '../http/endpoints.ts'
import { sentenceOf } from '../health/condition.ts'
import { Health } from '../health/health.ts'
import { createJavaMetrics } from '../metrics/java-metrics.ts'
import { registerDiskMetrics } from '../metrics/disk-space.ts'
import { KafkaCircuit } from '../health/kafka-circuit.ts'
import { needsCircuit } from '../health/server-outage.ts'
import { TOPIC_STATE_FACTS } from '../health/states.ts'
import type { IngestMetrics } from '../metrics/ingest-metrics.ts'
import { registerProcessMetrics, type BudgetUsage } from '../metrics/process-metrics.ts'
import { TopicMetrics } from '../metrics/topic-metrics.ts'
import { logCircuitChange } from './circuit-log.ts'
import type { TopicRun } from '../topic/topic-run.ts'

const STATUS_EVERY_MS = 60_000
const CHECK_EVERY_MS = 2_000

/** Describes what is observed besides the topics; an absent part is not reported. */
interface ObservabilityOptions {
  /** Metrics of every topic under the names of kafka-delta-ingest. */
  readonly ingestMetrics?: IngestMetrics | undefined
  /** Circuits of stores and schema registries. */
  readonly circuits?: { all(): readonly Circuit[] } | undefined
  /** The byte budget that all topics of the process share. */
  readonly budget?: BudgetUsage | undefined
  /** Log levels, changeable while the process runs. */
  readonly levels?: LogLevels | undefined
  /** Files of the configuration as the service got them. */
  readonly configFiles?: readonly string[] | undefined
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
  /** Holds what the console shows; absent without one. */
  readonly #console: ConsoleState | undefined
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
    const hide = createSecretRedactor(config)
    this.#kafka = new KafkaCircuit(config.kafka.brokers.join(','), systemClock, (circuit) =>
      logCircuitChange(circuit, log),
    )
    this.health = new Health({
      stalledMs: config.http.stalledMs,
      log,
      circuits: () => [this.#kafka.circuit, ...(options.circuits?.all() ?? [])],
      needsCircuit: (topic, circuit) => needsCircuit(topic.config, circuit, config.storage),
      hide,
    })
    this.#metrics = new TopicMetrics(pipe.meter)
    this.#console = openConsole(config, this.health, log, options)
    if (config.metrics.javaNames) this.#java = createJavaMetrics(pipe)
    registerProcessMetrics(pipe.observe, this.health, () => options.budget)
    registerDiskMetrics(pipe.observe, this.health)
    const stalls = new Instruments(pipe.meter).counter('kafka_delta.eventloop.stalls')
    stalls.add(0)
    this.#loop = new EventLoopMonitor({
      onStall: () => stalls.add(1),
      onReport: (facts) =>
        log.warn(facts, 'The event loop was blocked: Kafka heartbeats and HTTP responses were delayed'),
    })
    this.#loop.start()
  }

  /** Creates metrics that are exported and served with those of the topics. */
  get meter(): Meter {
    return this.#pipe.meter
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
      console: this.#console,
    })
    this.#log.info({ url: this.#endpoints.url }, 'Serving health, metrics and status')
  }

  /** Follows a topic by its events: its progress, its metrics and its connection to the brokers. */
  observe(run: TopicRun): void {
    const { name, topic, events } = run
    const { ingestMetrics } = this.#options
    const progress = this.health.progressOf(name)
    events.subscribe(progress.onEvent)
    events.subscribe(this.#metrics.handlerOf(topic))
    this.#console?.observe(run)
    events.subscribe((event) => {
      if (event.kind === 'source') this.#kafka.onSourceEvent(name, event.event)
    })
    if (this.#java !== undefined) events.subscribe(this.#java.handlerOf(topic))
    if (ingestMetrics !== undefined) events.subscribe(ingestMetrics.onEvent)
  }

  /** Sets the topics of the process, and starts the periodic checks and status lines. The array may change later. */
  setTopics(topics: readonly TopicRun[]): void {
    this.health.setTopics(topics)
    // The topics of patterns are known once a broker has listed them.
    if (Object.keys(this.#config.patterns).length > 0) this.#kafka.markAnswered()
    const report = (): void =>
      topics.forEach(({ status }) => this.#options.ingestMetrics?.sendLag(status.partitions()))
    report()
    const every = (ms: number, run: () => void): void => void this.#timers.push(setInterval(run, ms).unref())
    every(CHECK_EVERY_MS, () => {
      this.#updateKafkaCircuit(topics)
      this.health.check()
      this.#console?.sample()
    })
    every(STATUS_EVERY_MS, () => {
      logStatus(topics, this.health, this.#log)
      report()
    })
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#loop.stop()
    const closers = new Closers((error) =>
      this.#log.warn({ err: error }, 'Metrics could not be closed cleanly'),
    )
    closers.add(() => this.#pipe.shutdown())
    closers.add(() => this.#endpoints?.close())
    await closers.close()
  }

  /**
   * Updates the Kafka circuit: a topic that restarts because no broker has answered counts as disconnected; one that restarts
   * for another reason, failed or ended no longer counts.
   */
  #updateKafkaCircuit(topics: readonly TopicRun[]): void {
    for (const { name, status } of topics) {
      const { state, failure } = status
      if (state === 'restarting' && failure?.code === 'KD_KAFKA_UNREACHABLE')
        this.#kafka.noteFailure(name, failure.message)
      else if (state === 'restarting') this.#kafka.markIdle(name)
      if (state === 'failed' || state === 'ended') this.#kafka.forget(name)
    }
    this.#kafka.retain(topics.map(({ name }) => name))
  }
}

/** Retries of a look at a table for the console: it is repeated within a minute anyway, and must not press a store that is down. */
const LOOK_RETRIES = { attemptsMax: 2, deadlineMs: 10_000 }
/** Time that the brokers have to tell the members of the group to the console. */
const MEMBERS_MS_MAX = 5_000

/** Opens the console of a process with endpoints. What it asks of servers opens no circuit and waits for none. */
function openConsole(
  config: Config,
  health: Health,
  log: Logger,
  { budget, configFiles }: ObservabilityOptions,
): ConsoleState | undefined {
  const { http, kafka, storage } = config
  if (http.port === undefined || !http.console) return undefined
  return new ConsoleState({
    ...{ config, health, log, configFiles, budget: () => budget },
    openStore: (uri) => openStore(uri, { ...storage, retryPolicy: LOOK_RETRIES }),
    readMembers: () => {
      const options = { ...kafkaOptionsOf(kafka, log), reachTimeoutMs: MEMBERS_MS_MAX }
      return readGroupMembers(options, kafka.groupId, kafka.groupProtocol)
    },
  })
}

/**
 * Logs one line per topic and minute, the only regular lines while everything works. A topic in trouble is a warning that
 * names its state and the reason.
 */
function logStatus(topics: readonly TopicRun[], health: Health, log: Logger): void {
  for (const topic of topics) {
    const { counts, commits, version } = topic.status.summary
    const lag = health.progressOf(topic.name).totalLag(topic.status.partitions())
    const listed = health.listed(topic)
    const isHealthy =
      TOPIC_STATE_FACTS[listed.state].isHealthy && (listed.reason === undefined || listed.state === 'paused')
    log[isHealthy ? 'info' : 'warn'](
      {
        ...listed,
        ...counts,
        commits,
        version: version === undefined ? null : String(version),
        lag: lag === undefined ? null : String(lag),
        buffered: topic.status.buffered(),
      },
      capitalized(listed.reason === undefined ? listed.state : sentenceOf(listed)),
    )
  }
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
