import type { OnFailure } from '../../../config/resilience/supervision-types.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { TopicSummary } from '../topic/summary.ts'
import type { SupervisedTopic } from './supervised-topic.ts'

/** Describes how a set of topics runs. */
interface TopicSetOptions {
  readonly log: Logger
  /** The effect of a permanent failure on the other topics, unless the topic itself says otherwise. */
  readonly onFailure: OnFailure
}

const FAILED_TOPICS = new WeakMap<object, string>()

/** Returns the topic that failed permanently with this error, or `undefined` for any other error. */
export function failedTopicOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? FAILED_TOPICS.get(error) : undefined
}

/**
 * Holds the topics that run at present. A topic that fails permanently stays in the set as failed. It stops the
 * others, after they have committed what they hold, when `onFailure` says so or when no other topic is running.
 */
export class TopicSet {
  /** Changes as topics are added and removed. */
  readonly topics: SupervisedTopic[] = []
  readonly #options: TopicSetOptions
  readonly #runs = new Map<SupervisedTopic, Promise<void>>()
  readonly #summaries = new Map<string, SupervisedTopic>()
  /** Topics on trial whose table could not be opened. */
  readonly #failedTrials = new WeakSet<SupervisedTopic>()
  #starts = 0
  readonly #stopping = new AbortController()
  /** Errors of the topics that failed permanently, in order. */
  readonly #failures = new Map<SupervisedTopic, unknown>()

  constructor(options: TopicSetOptions) {
    this.#options = options
  }

  /** Aborted when all topics are to stop. */
  get stopSignal(): AbortSignal {
    return this.#stopping.signal
  }

  /** Adds a topic without starting it. */
  add(run: SupervisedTopic): void {
    this.topics.push(run)
    this.#summaries.set(run.name, run)
  }

  /**
   * Starts a topic that was added. With `isTrial` the process does not fail when the topic's table cannot be opened.
   */
  start(run: SupervisedTopic, { isTrial = false } = {}): void {
    this.#starts++
    this.#runs.set(run, this.#run(run, isTrial))
    if (this.#stopping.signal.aborted) run.control.stop()
  }

  /** Runs a failed topic again; its failure no longer counts. */
  restart(run: SupervisedTopic): void {
    this.#failures.delete(run)
    this.#failedTrials.delete(run)
    this.start(run)
  }

  /** Returns true when a topic on trial failed before its table was open, so that it may be tried again. */
  hasFailedTrial(run: SupervisedTopic): boolean {
    return this.#failedTrials.has(run)
  }

  /** Stops reading in all topics; everything read is flushed and committed. */
  stopAll(): void {
    this.#stopping.abort()
    for (const run of this.topics) run.control.stop()
  }

  /** Stops one topic: commits what was read, then closes it. */
  async stopTopic(run: SupervisedTopic): Promise<void> {
    run.control.stop()
    await this.#runs.get(run)
    await this.#close(run)
  }

  /**
   * Resolves when all started topics have ended.
   * @throws the error of the first topic that failed permanently
   */
  async waitUntilEnded(): Promise<void> {
    // A failed topic may be restarted meanwhile.
    for (let awaited = 0; awaited !== this.#starts;) {
      awaited = this.#starts
      await Promise.all(this.#runs.values())
    }
    for (const reason of this.#failures.values()) throw reason
  }

  /** Returns the summaries by topic name, including topics that were removed. */
  summaries(): Readonly<Record<string, TopicSummary>> {
    return Object.fromEntries([...this.#summaries].map(([name, run]) => [name, run.status.summary]))
  }

  async close(): Promise<void> {
    await Promise.all([...this.topics].map((run) => this.#close(run)))
  }

  async #run(run: SupervisedTopic, isTrial: boolean): Promise<void> {
    try {
      await run.run()
    } catch (error) {
      this.#failed(run, error, isTrial && !run.status.hasOpened)
    }
    if (this.#failures.size > 0 && this.topics.every(isOver)) this.stopAll()
  }

  #failed(run: SupervisedTopic, error: unknown, isOnTrial: boolean): void {
    const fields = {
      code: error instanceof PipelineError ? error.code : undefined,
      err: error,
      topic: run.topic,
    }
    const { log } = this.#options
    if (isOnTrial) {
      this.#failedTrials.add(run)
      const message = 'A new topic matches a pattern but cannot be opened; trying again at the next interval'
      log.error(fields, `${message}: ${messageOf(error)}`)
      return
    }
    const isLast = this.topics.every(isOver)
    const stopsAll = (run.config.onFailure ?? this.#options.onFailure) === 'stop-process'
    // The error of a server may be that of several topics: the line at the end names the one that failed first.
    if (typeof error === 'object' && error !== null && !FAILED_TOPICS.has(error))
      FAILED_TOPICS.set(error, run.topic)
    const isFirst = this.#failures.size === 0
    this.#failures.set(run, error)
    // The first failure is thrown and logged when the process ends.
    if (stopsAll)
      log.error(
        fields,
        `The topic failed permanently: stopping the process, as onFailure says: ${messageOf(error)}`,
      )
    else if (!isLast)
      log.error(
        fields,
        `The topic failed permanently and is no longer read; the others continue: ${messageOf(error)}`,
      )
    else if (!isFirst) log.error(fields, `The last running topic failed permanently: ${messageOf(error)}`)
    if (stopsAll) this.stopAll()
  }

  async #close(run: SupervisedTopic): Promise<void> {
    const index = this.topics.indexOf(run)
    if (index < 0) return
    this.topics.splice(index, 1)
    this.#runs.delete(run)
    await run.close()
  }
}

function isOver(run: SupervisedTopic): boolean {
  return run.status.state === 'failed' || run.status.state === 'ended'
}
