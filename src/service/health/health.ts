import type { Circuit } from '../../core/circuit.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Logger } from '../../telemetry/log.ts'
import { Progress } from './progress.ts'
import { isReady, readinessOf, topicStateOf, type Readiness, type TopicState } from './readiness.ts'
import type { TopicRun } from '../topic/topic.ts'

/** What keeps an eye on the topics of a process. */
export interface HealthOptions {
  /** A topic that lags and has not moved for this long is stalled. */
  readonly stalledMs: number
  readonly log: Logger
  /** How the servers stand that the process leans on; by default nothing is known of them. */
  readonly circuits?: () => readonly Circuit[]
  /** Whether a topic cannot go on without a server. */
  readonly needs?: (topic: TopicRun, circuit: Circuit) => boolean
  /** Hides secrets in what servers and libraries say of their failures. */
  readonly hide?: (text: string) => string
  readonly clock?: Clock
}

/** Whether the topics of a process move, and since when they do not. */
export class Health {
  readonly #options: HealthOptions
  readonly #clock: Clock
  readonly #progress = new Map<string, Progress>()
  readonly #stalled = new Set<string>()
  /** Topics that were looked at, by their names. */
  readonly #known = new Map<string, string>()
  /** Names of those that have been carried. */
  readonly #carried = new Set<string>()
  #topics: readonly TopicRun[] | undefined
  #isStopping = false
  #told: Readiness = 'starting'

  constructor(options: HealthOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** All of the process, those that have failed too; empty before they are known. */
  get topics(): readonly TopicRun[] {
    return this.#topics ?? []
  }

  /** How the servers stand that the process leans on. */
  get circuits(): readonly Circuit[] {
    const circuits = this.#options.circuits?.() ?? []
    return circuits.map((each) =>
      each.reason === undefined ? each : { ...each, reason: this.hide(each.reason) },
    )
  }

  /** What may be told to anybody of what a server or a library said. */
  hide(text: string): string {
    return this.#options.hide?.(text) ?? text
  }

  get isReady(): boolean {
    return isReady(this.readiness)
  }

  /** How the process is, by what all its topics are. */
  get readiness(): Readiness {
    if (this.#isStopping) return 'stopping'
    if (this.#topics === undefined) return 'starting'
    return readinessOf(this.#topics.map((topic) => this.stateOf(topic)))
  }

  /** The progress of a topic, begun now where nothing is known of it. */
  progress(topic: string): Progress {
    const known = this.#progress.get(topic)
    if (known !== undefined) return known
    const begun = new Progress(this.#clock)
    this.#progress.set(topic, begun)
    return begun
  }

  /** How the servers stand that a topic needs. */
  circuitsOf(topic: TopicRun): readonly Circuit[] {
    const { needs } = this.#options
    return needs === undefined ? [] : this.circuits.filter((circuit) => needs(topic, circuit))
  }

  stateOf(topic: TopicRun): TopicState {
    const run = topic.state()
    if (run === 'running') this.#carried.add(topic.name)
    const progress = this.progress(topic.topic)
    const isLate = this.#clock.now() - progress.movedAtMs > this.#options.stalledMs
    return topicStateOf(run, {
      circuits: this.circuitsOf(topic),
      isLate: isLate && progress.totalLag(topic.status()) > 0n,
      hasRun: this.#carried.has(topic.name),
    })
  }

  /** These are the topics of the process; the array follows what is carried. */
  opened(topics: readonly TopicRun[]): void {
    this.#topics = topics
  }

  stopping(): void {
    this.#isStopping = true
  }

  /**
   * Tells once of each topic that has stalled, once when it moves again, and once of each change of readiness. Called now and
   * then.
   */
  look(): void {
    const { log } = this.#options
    for (const topic of this.topics) {
      const state = this.stateOf(topic)
      // What is held up for a reason that is known is not late by it.
      if (state !== 'running' && state !== 'stalled') this.progress(topic.topic).begun()
      const isStalled = state === 'stalled'
      if (isStalled === this.#stalled.has(topic.topic)) continue
      if (isStalled) this.#tellStalled(topic)
      else {
        this.#stalled.delete(topic.topic)
        log.info({ topic: topic.topic, state }, 'The topic is no longer stalled')
      }
    }
    this.#forget()
    const { readiness } = this
    if (readiness === this.#told || readiness === 'stopping') return
    const before = this.#told
    this.#told = readiness
    log[readiness === 'ready' ? 'info' : 'warn']({ readiness, before }, READINESS[readiness])
  }

  #tellStalled(topic: TopicRun): void {
    this.#stalled.add(topic.topic)
    const { last, lastFlush } = this.progress(topic.topic)
    const partitions = topic.status().map(({ partition, live, next, committed, end }) => ({
      partition,
      live,
      next: String(next),
      committed: committed === undefined ? null : String(committed),
      end: String(end),
    }))
    this.#options.log.error(
      {
        topic: topic.topic,
        stalledMs: this.#options.stalledMs,
        partitions,
        buffered: topic.buffered(),
        standing: topic.standing(),
        lastCommit: last === undefined ? null : { ...last, version: String(last.version) },
        lastFlush: lastFlush ?? null,
      },
      'The topic lags and does not move',
    )
  }

  /** Of topics that were there and are gone nothing is kept. */
  #forget(): void {
    const there = new Map(this.topics.map(({ name, topic }) => [name, topic]))
    for (const [name, topic] of this.#known) {
      if (there.has(name)) continue
      this.#known.delete(name)
      this.#carried.delete(name)
      this.#progress.delete(topic)
      this.#stalled.delete(topic)
    }
    for (const [name, topic] of there) this.#known.set(name, topic)
  }
}

const READINESS: Readonly<Record<Readiness, string>> = {
  ready: 'Ready',
  degraded: 'Ready, but some topics are not carried',
  starting: 'Not ready: tables are being opened',
  stopping: 'Not ready: stopping',
  stalled: 'Not ready: a topic lags and does not move',
  unavailable: 'Not ready: every topic waits for a server that does not answer',
  failed: 'Not ready: no topic is carried',
}
