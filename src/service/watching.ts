import type { Config } from '../../config/types.ts'
import type { Logger } from '../telemetry/log.ts'
import { startMetrics, type MetricsPipe } from '../telemetry/metrics.ts'
import type { Endpoints } from './endpoints.ts'
import { Health } from './health.ts'
import { together, type TopicObserver } from './observer.ts'
import { totalLag } from './progress.ts'
import { TopicMetrics } from './topic-metrics.ts'
import type { TopicRun } from './topic.ts'

const STATUS_EVERY_MS = 60_000
const LOOK_EVERY_MS = 5_000

/** Everything that looks at a running service: metrics, health, endpoints, and the lines of the log about all being well. */
export class Watching {
  readonly health: Health
  readonly #config: Config
  readonly #log: Logger
  readonly #pipe: MetricsPipe
  readonly #metrics: TopicMetrics
  readonly #other: TopicObserver | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #endpoints: Endpoints | undefined

  /** `other` is told what the metrics are. */
  static async open(config: Config, log: Logger, other?: TopicObserver): Promise<Watching> {
    const pipe = await startMetrics(process.env, config.http.port !== undefined, (message) =>
      log.warn(message),
    )
    return new Watching(config, log, pipe, other)
  }

  private constructor(config: Config, log: Logger, pipe: MetricsPipe, other: TopicObserver | undefined) {
    this.#config = config
    this.#log = log
    this.#other = other
    this.health = new Health({ stalledMs: config.http.stalledMs, log })
    this.#pipe = pipe
    this.#metrics = new TopicMetrics(this.#pipe.meter)
    if (this.#pipe.isRead) this.#metrics.watch(this.health)
  }

  /** Opens the endpoints where they are wanted. @throws KD_CONFIG_INVALID */
  async listen(): Promise<void> {
    const { prometheus } = this.#pipe
    if (prometheus === undefined) return
    const { startEndpoints } = await import('./endpoints.ts')
    this.#endpoints = await startEndpoints({
      config: this.#config,
      health: this.health,
      metrics: prometheus,
    })
    this.#log.info({ url: this.#endpoints.url }, 'Health, metrics and status')
  }

  /** Who looks at one topic. */
  observer(topic: string): TopicObserver {
    const ours = [this.health.progress(topic), this.#metrics.observer(topic)]
    return together(this.#other === undefined ? ours : [...ours, this.#other])
  }

  /** All tables are open. */
  opened(topics: readonly TopicRun[]): void {
    this.health.opened(topics)
    const tell = (): void => topics.forEach((topic) => this.#other?.status(topic.status()))
    tell()
    const every = (ms: number, run: () => void): void => void this.#timers.push(setInterval(run, ms).unref())
    every(LOOK_EVERY_MS, () => this.health.look())
    every(STATUS_EVERY_MS, () => {
      tellStatus(topics, this.#log)
      tell()
    })
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#metrics.close()
    await this.#endpoints?.close()
    await this.#pipe.shutdown()
  }
}

/** One line a topic and minute, and none besides while all is well. */
function tellStatus(topics: readonly TopicRun[], log: Logger): void {
  for (const topic of topics) {
    const { counts, commits, version } = topic.summary()
    log.info(
      {
        topic: topic.topic,
        ...counts,
        commits,
        version: version === undefined ? null : String(version),
        lag: String(totalLag(topic.status())),
        buffered: topic.buffered(),
      },
      'Running',
    )
  }
}
