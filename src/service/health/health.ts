import { deadLetterSinksOf } from '../../../config/dead-letters/sinks.ts'
import type { Circuit } from '../../core/circuit.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Logger } from '../../telemetry/log.ts'
import {
  beginOf,
  listedTopicOf,
  summarizeTopics,
  type ListedTopic,
  type TopicCondition,
} from './condition.ts'
import { TopicProgress } from './progress.ts'
import { isReady, readinessOf, topicStateOf, type Readiness, type TopicState } from './readiness.ts'
import { makesTopicsWait } from './server-outage.ts'
import { READINESS_FACTS, TOPIC_STATE_FACTS } from './states.ts'
import { deadLetterObstacleOf, topicObstacleOf } from './topic-obstacle.ts'
import type { TopicRun } from '../topic/topic-run.ts'

/** Describes how the health of a process is determined. */
interface HealthOptions {
  /** A topic that lags and has not progressed for this long is stalled. */
  readonly stalledMs: number
  readonly log: Logger
  /** Returns the circuits of the servers that the process depends on; none by default. */
  readonly circuits?: () => readonly Circuit[]
  /** Decides whether a topic must wait while a server is unavailable. */
  readonly needsCircuit?: (topic: TopicRun, circuit: Circuit) => boolean
  /** Removes secrets from error messages of servers and libraries. */
  readonly hide?: (text: string) => string
  readonly clock?: Clock
}

/** Determines the state of each topic and the readiness of the process, and logs when they change. */
export class Health {
  readonly #options: HealthOptions
  readonly #clock: Clock
  readonly #progress = new Map<string, TopicProgress>()
  readonly #stalled = new Set<string>()
  /** Topics that run although some of their partitions cannot be read. */
  readonly #impaired = new Set<string>()
  /** Entry names of topics seen so far. */
  readonly #seen = new Set<string>()
  /** Entry names of topics that have run. */
  readonly #haveRun = new Set<string>()
  /** The state of each entry when it was last determined, and its begin. */
  readonly #states = new Map<string, { readonly state: TopicState; readonly sinceMs: number }>()
  #topics: readonly TopicRun[] | undefined
  #hasBeenReady = false
  #isStopping = false
  #loggedReadiness: Readiness = 'starting'

  constructor(options: HealthOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** All topics of the process, including failed ones; empty before `setTopics`. */
  get topics(): readonly TopicRun[] {
    return this.#topics ?? []
  }

  /** The circuits of the servers that the process depends on, with reasons free of secrets. */
  get circuits(): readonly Circuit[] {
    return this.#hiding(this.#options.circuits?.() ?? [])
  }

  #hiding(circuits: readonly Circuit[]): readonly Circuit[] {
    return circuits.map((each) =>
      each.reason === undefined ? each : { ...each, reason: this.hide(each.reason) },
    )
  }

  /** Returns the text without secrets, so that it may be shown in responses. */
  hide(text: string): string {
    return this.#options.hide?.(text) ?? text
  }

  get isReady(): boolean {
    return isReady(this.readiness)
  }

  /** The readiness of the process, derived from the states of its topics. */
  get readiness(): Readiness {
    if (this.#isStopping) return 'stopping'
    if (this.#topics === undefined) return 'starting'
    const states = this.#topics.map((topic) => this.stateOf(topic))
    const readiness = readinessOf(states, this.#hasBeenReady)
    this.#hasBeenReady ||= isReady(readiness)
    return readiness
  }

  /** Returns the progress of an entry of `topics`; it starts now for an entry not seen before. */
  progressOf(entry: string): TopicProgress {
    const known = this.#progress.get(entry)
    if (known !== undefined) return known
    const started = new TopicProgress(this.#clock)
    this.#progress.set(entry, started)
    return started
  }

  /** Returns the circuits of the servers that a topic uses. */
  circuitsOf(topic: TopicRun): readonly Circuit[] {
    const { needsCircuit, circuits } = this.#options
    if (needsCircuit === undefined || circuits === undefined) return []
    // Only the reasons of these circuits are searched for secrets: there may be a circuit for each of many topics.
    return this.#hiding(circuits().filter((circuit) => needsCircuit(topic, circuit)))
  }

  stateOf(topic: TopicRun): TopicState {
    return this.conditionOf(topic).state
  }

  /** Determines the state of a topic with its causes; these contain no secrets. */
  conditionOf(topic: TopicRun): TopicCondition {
    const { name, status } = topic
    const nowMs = this.#clock.now()
    const run = status.state
    const mayWait = run === 'opening' || run === 'running'
    const blocking = mayWait ? this.circuitsOf(topic).filter(makesTopicsWait) : []
    const { obstacle, isTotal } =
      run === 'running'
        ? (deadLetterObstacleOf(status.inFlight().flushes, deadLetterTargetOf(topic), nowMs) ??
          topicObstacleOf(status.partitions() ?? [], status.obstacle, nowMs))
        : { obstacle: undefined, isTotal: false }
    const isJoining = run === 'running' && status.isJoining
    const progress = this.progressOf(name)
    const isLate = nowMs - progress.movedAtMs > this.#options.stalledMs
    const state = topicStateOf(run, {
      circuits: blocking,
      isCutOff: isTotal,
      isJoining,
      isLate: isLate && progress.isBehind(status.partitions()),
      hasRun: this.#haveRun.has(name),
    })
    if (state === 'running' || state === 'stalled') this.#haveRun.add(name)
    const { failure } = status
    const causes = {
      ...{ state, blocking, isJoining },
      ...(obstacle === undefined ? {} : { obstacle: { ...obstacle, reason: this.hide(obstacle.reason) } }),
      ...(failure === undefined ? {} : { failure: { ...failure, message: this.hide(failure.message) } }),
    }
    return { ...causes, nowMs, sinceMs: this.#beginOf(name, causes, nowMs) }
  }

  /** Describes a topic in the form of `/readyz` and the log. */
  listed(topic: TopicRun): ListedTopic {
    return listedTopicOf(topic.topic, this.conditionOf(topic))
  }

  /** Returns the begin of the present state; a state begins no earlier than the one before. */
  #beginOf(name: string, causes: Omit<TopicCondition, 'sinceMs' | 'nowMs'>, nowMs: number): number {
    const before = this.#states.get(name)
    if (before?.state === causes.state) return before.sinceMs
    const sinceMs = before === undefined ? nowMs : Math.max(before.sinceMs, beginOf(causes, nowMs))
    this.#states.set(name, { state: causes.state, sinceMs })
    return sinceMs
  }

  /** Sets the topics of the process; the array changes as topics come and go. */
  setTopics(topics: readonly TopicRun[]): void {
    this.#topics = topics
  }

  markStopping(): void {
    this.#isStopping = true
  }

  /**
   * Logs each topic once when it stalls and once when it progresses again, and each change of readiness. Called
   * periodically.
   */
  check(): void {
    const { log } = this.#options
    for (const topic of this.topics) {
      const condition = this.conditionOf(topic)
      const { state } = condition
      this.#logImpairment(topic, condition)
      this.progressOf(topic.name).follow(topic.status.partitions())
      // Time spent waiting for a known reason does not count towards a stall.
      if (state !== 'running' && state !== 'stalled') this.progressOf(topic.name).markStarted()
      const isStalled = state === 'stalled'
      if (isStalled === this.#stalled.has(topic.name)) continue
      if (isStalled) this.#logStalled(topic)
      else {
        this.#stalled.delete(topic.name)
        log.info({ topic: topic.topic, state }, 'The topic is no longer stalled')
      }
    }
    this.#dropRemovedTopics()
    const { readiness } = this
    if (readiness === this.#loggedReadiness || readiness === 'stopping') return
    this.#logReadiness(readiness)
  }

  /** Logs once that some partitions of a running topic cannot be read, and once that all can: readiness does not change. */
  #logImpairment(topic: TopicRun, condition: TopicCondition): void {
    const isImpaired = condition.state === 'running' && condition.obstacle !== undefined
    if (isImpaired === this.#impaired.has(topic.name)) return
    const listed = listedTopicOf(topic.topic, condition)
    if (isImpaired) {
      this.#impaired.add(topic.name)
      this.#options.log.warn(listed, `The topic is read only in part: ${listed.reason ?? 'unknown'}`)
      return
    }
    this.#impaired.delete(topic.name)
    if (condition.state === 'running') this.#options.log.info(listed, 'The topic is read as a whole again')
  }

  #logReadiness(readiness: Readiness): void {
    const before = this.#loggedReadiness
    this.#loggedReadiness = readiness
    const { message } = READINESS_FACTS[readiness]
    if (readiness === 'ready') {
      this.#options.log.info({ readiness, before }, message)
      return
    }
    const troubled = this.topics
      .map((topic) => this.listed(topic))
      .filter(({ state }) => !TOPIC_STATE_FACTS[state].isHealthy)
    const { text, topics } = summarizeTopics(troubled)
    const fields = { readiness, before, notRunning: troubled.length, topics }
    this.#options.log.warn(fields, text === '' ? message : `${message}: ${text}`)
  }

  #logStalled(topic: TopicRun): void {
    this.#stalled.add(topic.name)
    const { lastCommit, lastFlush } = this.progressOf(topic.name)
    const partitions = topic.status.partitions()?.map(({ partition, live, next, committed, end }) => ({
      partition,
      live,
      next: String(next),
      committed: committed === undefined ? null : String(committed),
      end: end === undefined ? null : String(end),
    }))
    this.#options.log.error(
      {
        topic: topic.topic,
        stalledMs: this.#options.stalledMs,
        partitions,
        buffered: topic.status.buffered(),
        standing: topic.status.inFlight(),
        lastCommit: lastCommit === undefined ? null : { ...lastCommit, version: String(lastCommit.version) },
        lastFlush: lastFlush ?? null,
      },
      'The topic is stalled: it lags behind Kafka and makes no progress, for no known reason; see partitions and standing',
    )
  }

  /** Drops all state about topics that are no longer in the process. */
  #dropRemovedTopics(): void {
    const present = new Set(this.topics.map(({ name }) => name))
    for (const name of this.#seen) {
      if (present.has(name)) continue
      this.#seen.delete(name)
      this.#haveRun.delete(name)
      this.#progress.delete(name)
      this.#states.delete(name)
      this.#stalled.delete(name)
      this.#impaired.delete(name)
    }
    for (const name of present) this.#seen.add(name)
  }
}

/** Names where the dead letters of a topic are stored. */
function deadLetterTargetOf({ config }: TopicRun): string {
  const { topic, table } = deadLetterSinksOf(config)
  const { deadLetters } = config
  return [...(topic ? [deadLetters.topic] : []), ...(table ? [deadLetters.table] : [])].join(' and ')
}
