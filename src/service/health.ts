import { type Clock, systemClock } from '../core/clock.ts'
import type { Logger } from '../telemetry/log.ts'
import { Progress, totalLag } from './progress.ts'
import type { TopicRun } from './topic.ts'

/** How a topic is. */
export type TopicState = 'flowing' | 'stalled'

/** What keeps an eye on the topics of a process. */
export interface HealthOptions {
  /** A topic that lags and has not moved for this long is stalled. */
  readonly stalledMs: number
  readonly log: Logger
  readonly clock?: Clock
}

/** Whether the topics of a process move, and since when they do not. */
export class Health {
  readonly #options: HealthOptions
  readonly #clock: Clock
  readonly #progress = new Map<string, Progress>()
  readonly #stalled = new Set<string>()
  #topics: readonly TopicRun[] | undefined
  #isStopping = false

  constructor(options: HealthOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Those that are carried now; empty before their tables are open. */
  get topics(): readonly TopicRun[] {
    return this.#topics ?? []
  }

  /** Whether all tables are open, the process is not on its way out, and no topic is stalled. */
  get isReady(): boolean {
    return this.reason === undefined
  }

  /** Why the process is not ready. */
  get reason(): 'starting' | 'stopping' | 'stalled' | undefined {
    if (this.#isStopping) return 'stopping'
    if (this.#topics === undefined) return 'starting'
    return this.topics.some((topic) => this.stateOf(topic) === 'stalled') ? 'stalled' : undefined
  }

  /** The progress of a topic, begun now where nothing is known of it. */
  progress(topic: string): Progress {
    const known = this.#progress.get(topic)
    if (known !== undefined) return known
    const begun = new Progress(this.#clock)
    this.#progress.set(topic, begun)
    return begun
  }

  stateOf(topic: TopicRun): TopicState {
    const isLate = this.#clock.now() - this.progress(topic.topic).movedAtMs > this.#options.stalledMs
    return isLate && totalLag(topic.status()) > 0n ? 'stalled' : 'flowing'
  }

  /** All tables are open; the array follows what is carried. */
  opened(topics: readonly TopicRun[]): void {
    this.#topics = topics
  }

  stopping(): void {
    this.#isStopping = true
  }

  /** Tells once of each topic that has stalled, and once when it moves again. Called now and then. */
  look(): void {
    const { log, stalledMs } = this.#options
    for (const topic of this.topics) {
      const isStalled = this.stateOf(topic) === 'stalled'
      if (isStalled === this.#stalled.has(topic.topic)) continue
      if (!isStalled) {
        this.#stalled.delete(topic.topic)
        log.info({ topic: topic.topic }, 'The topic moves again')
        continue
      }
      this.#stalled.add(topic.topic)
      const partitions = topic.status().map(({ partition, live, next, committed, end }) => ({
        partition,
        live,
        next: String(next),
        committed: committed === undefined ? null : String(committed),
        end: String(end),
      }))
      const place = { partitions, buffered: topic.buffered(), lastCommit: lastCommit(this, topic) }
      log.error({ topic: topic.topic, stalledMs, ...place }, 'The topic lags and does not move')
    }
  }
}

function lastCommit(health: Health, { topic }: TopicRun): object | null {
  const { last } = health.progress(topic)
  return last === undefined ? null : { ...last, version: String(last.version) }
}
