import { Subject } from 'rxjs'
import type { TopicConfig } from '../../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { backoffMs } from '../../resilience/backoff.ts'
import { isOutage } from '../../resilience/outages.ts'
import { createTopicLogger, type Logger } from '../../telemetry/log.ts'
import type { OpenInferred } from '../inference/inferred-topic.ts'
import { TopicControl } from '../topic/control.ts'
import { createEventLog } from '../topic/event-log.ts'
import type { TopicEvent, TopicEventHandler, TopicRestart } from '../topic/events.ts'
import { failureOf, type TopicFailure, type TopicPhase } from '../topic/state.ts'
import { TopicStatus } from '../topic/status.ts'
import type { TopicPipeline } from '../topic/topic-pipeline.ts'
import type { TopicRun } from '../topic/topic-run.ts'

/** Describes how a topic is supervised. */
interface SupervisionOptions {
  /** Opens the topic's table and connects its pipeline, which emits its events into `emit`. */
  readonly open: (emit: TopicEventHandler) => Promise<TopicPipeline | OpenInferred>
  /** Runs a failed topic again, which an operator has restarted; by default it is only run. */
  readonly onRestart?: (run: SupervisedTopic) => void
  /** Decides whether the topic was deleted, so that its end is no failure. */
  readonly isDeletedTopic: (run: TopicRun, error: unknown) => Promise<boolean>
  /** With `latest` outages count as failures, so that the run ends; default `stopped`. */
  readonly until?: 'stopped' | 'latest'
  readonly log: Logger
  readonly clock: Clock
  /** Returns the end offsets of the topic in Kafka, as far as they are known whatever its state. */
  readonly endOffsets?: (() => ReadonlyMap<number, bigint | undefined>) | undefined
  /** Returns the share, from 0 to 1, of the longest backoff to wait. */
  readonly random?: () => number
}

/**
 * Supervises one topic for as long as the process runs. `run` opens the pipeline; after a retryable failure it is opened
 * again with backoff, and resumes from the table.
 */
export class SupervisedTopic implements TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  readonly events = new Subject<TopicEvent>()
  readonly status: TopicStatus
  readonly control: TopicControl
  readonly #options: SupervisionOptions
  readonly #log: Logger
  /** The pipeline that runs, or the last one that ran. */
  #pipeline: TopicPipeline | undefined
  #running: Promise<void> | undefined
  /** Aborted to end the backoff before a restart. */
  #backoff = new AbortController()
  #isRequested = false
  /** Resolves when the pipeline that failed permanently is closed. */
  #closing: Promise<void> = Promise.resolve()
  readonly #emit: TopicEventHandler = this.events.next.bind(this.events)

  constructor(name: string, config: TopicConfig, options: SupervisionOptions) {
    this.name = name
    this.topic = config.topic
    this.config = config
    this.#options = options
    this.#log = createTopicLogger(options.log, config.topic, config.log.level)
    const pipeline = (): TopicPipeline | undefined => this.#pipeline
    this.status = new TopicStatus(config, this.events, pipeline, options.endOffsets)
    this.control = new TopicControl(config.topic, this.status, this.events, pipeline, () => this.#restart())
    this.events.subscribe(createEventLog(this.#log, options.clock))
  }

  /**
   * Carries the topic until it has caught up or was stopped. Call it once, and again after each restart of a failed topic.
   * @throws the error that the topic failed with permanently
   */
  run(): Promise<void> {
    return (this.#running ??= this.#runUntilEnd())
  }

  /** Starts a failed topic again, or ends the backoff of one that is restarting. */
  #restart(): void {
    this.#isRequested = true
    if (this.status.phase === 'restarting') {
      this.#backoff.abort()
      return
    }
    this.#running = undefined
    const { onRestart } = this.#options
    if (onRestart === undefined) this.run().catch(() => undefined)
    else onRestart(this)
  }

  /** Stops the topic and closes it once everything read is committed. Never rejects. */
  async close(): Promise<void> {
    this.control.stop()
    // `run` has already reported the failure.
    await this.#running?.catch(() => undefined)
    if (this.#running === undefined) this.#enter('ended', this.status.failure)
    await this.#closePipeline()
    this.events.complete()
  }

  async #runUntilEnd(): Promise<void> {
    for (;;) {
      try {
        await this.#runOnce()
        this.#enter('ended', this.status.failure)
        return
      } catch (error) {
        if (await this.#decideAfterFailure(error)) continue
        if (this.status.phase === 'failed') throw error
        return
      }
    }
  }

  async #runOnce(): Promise<void> {
    if (this.#isStopped()) return
    const isRequested = this.#isRequested
    this.#isRequested = false
    this.#enter('opening', this.status.failure, isRequested ? { isRequested } : {})
    await this.#closing
    const opened = await this.#open()
    if (opened === undefined) return
    // While columns are inferred there is no pipeline yet.
    this.#pipeline = typeof opened === 'function' ? undefined : opened
    this.#enter('running', this.status.failure)
    if (typeof opened === 'function') this.#pipeline = await opened(this.control.stopSignal)
    const pipeline = this.#pipeline
    if (pipeline === undefined) return
    if (this.status.isPaused) pipeline.credit.pause()
    if (this.#isStopped()) pipeline.stop()
    await pipeline.run()
  }

  /**
   * Returns what was opened, or `undefined` when the topic is stopped before its table is open: nothing was read then, so
   * the stop does not wait.
   */
  async #open(): Promise<TopicPipeline | OpenInferred | undefined> {
    const opening = this.#options.open(this.#emit)
    const { stopSignal } = this.control
    let onStop: () => void = () => undefined
    const stopped = new Promise<undefined>((resolve) => {
      onStop = () => resolve(undefined)
      stopSignal.addEventListener('abort', onStop, { once: true })
    })
    const opened = await Promise.race([opening, stopped]).finally(() =>
      stopSignal.removeEventListener('abort', onStop),
    )
    if (opened === undefined)
      opening
        .then((late) => (typeof late === 'function' ? late.discard?.() : late.close()))
        .catch((error: unknown) =>
          this.#log.debug(
            { err: error },
            'The topic was stopped while its table was opening, which then failed',
          ),
        )
    return opened
  }

  /** Enters the phase that follows a failure, and returns true once the topic is to be opened again. */
  async #decideAfterFailure(error: unknown): Promise<boolean> {
    const failure = failureOf(error, this.#options.clock.now())
    if (await this.#options.isDeletedTopic(this, error)) {
      this.#enter('ended', undefined)
      return false
    }
    // Losing records that were read but not committed is a failure; while the table is opening, nothing was read.
    if (this.#isStopped()) {
      this.#enter(this.status.phase === 'running' ? 'failed' : 'ended', failure)
      return false
    }
    const { attempts: attemptsMax, baseMs, capMs } = this.config.restart
    const { attempts, outages, hasWorked } = this.status
    // A run that is to end tells its caller that it cannot: the caller decides whether to try again.
    const mayLast = attemptsMax > 1 && this.#options.until !== 'latest'
    const isOutside = mayLast && isOutage(error, hasWorked)
    const mayRetry = error instanceof PipelineError && error.retryable
    if (!isOutside && (!mayRetry || attempts >= attemptsMax)) {
      this.#enter('failed', failure)
      // Release the partitions now: another member of the group may succeed.
      this.#closing = this.#closePipeline()
      await this.#closing
      return false
    }
    const { random = Math.random } = this.#options
    const backoff = { minBackoffMs: baseMs, maxBackoffMs: capMs, jitter: 'full', random } as const
    const waitMs = Math.round(backoffMs(Math.max(1, attempts + outages), backoff))
    const retryAtMs = failure.atMs + waitMs
    this.#backoff = new AbortController()
    const wake = AbortSignal.any([this.control.stopSignal, this.#backoff.signal])
    const restart = { waitMs, attempts, attemptsMax, isOutage: isOutside }
    this.#enter('restarting', { ...failure, retryAtMs }, { restart })
    await this.#closePipeline()
    await this.#options.clock.sleep(waitMs, wake).catch(() => undefined)
    return true
  }

  #enter(
    phase: TopicPhase,
    failure: TopicFailure | undefined,
    more: { readonly restart?: TopicRestart; readonly isRequested?: true } = {},
  ): void {
    this.events.next({ kind: 'phase', phase, failure, ...more })
  }

  /** Leaves the consumer group and releases the table; the summary and offsets remain readable. */
  async #closePipeline(): Promise<void> {
    try {
      await this.#pipeline?.close()
    } catch (error) {
      this.#log.warn({ err: error }, 'The topic could not be closed cleanly')
    }
  }

  #isStopped(): boolean {
    return this.control.stopSignal.aborted
  }
}
