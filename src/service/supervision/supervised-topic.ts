import { lastValueFrom, Observable, tap } from 'rxjs'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { TopicConfig } from '../../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { backoffMs } from '../../resilience/backoff.ts'
import type { Logger } from '../../telemetry/log.ts'
import { EMPTY_SUMMARY, addCommit } from '../topic/summary.ts'
import type { TopicRun } from '../topic/topic.ts'
import { failureOf } from '../topic/control.ts'
import type { RunState, TopicFailure } from '../topic/state.ts'

/** Describes how a topic is supervised. */
interface SupervisionOptions {
  /** Opens the topic's table and connects its pipeline. */
  readonly open: () => Promise<TopicRun>
  /** Decides whether the topic was deleted, so that its end is no failure. */
  readonly isDeletedTopic: (run: TopicRun, error: unknown) => Promise<boolean>
  readonly log: Logger
  readonly clock: Clock
  /** Returns the share, from 0 to 1, of the longest backoff to wait. */
  readonly random?: () => number
}

/** The state between pipeline runs; while a pipeline runs, the pipeline itself reports its state. */
type Phase = Exclude<RunState, 'paused'>

/**
 * Supervises one topic for as long as the process runs. The pipeline opens when `commits` is subscribed to. After a
 * retryable failure it is opened again with backoff, and resumes from the table. `commits` errors when the topic has
 * failed permanently, and completes when it was stopped or has caught up.
 */
export class SupervisedTopic implements TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  readonly commits: Observable<PipelineCommit>
  readonly #options: SupervisionOptions
  readonly #log: Logger
  readonly #stopping = new AbortController()
  /** The pipeline that runs, or the last one that ran. */
  #run: TopicRun | undefined
  #isClosed = false
  #phase: Phase = 'opening'
  #isPaused = false
  #hasOpened = false
  #summary = EMPTY_SUMMARY
  #failure: TopicFailure | undefined
  /** Starts since the last commit. */
  #attempts = 0
  #restarts = 0
  #running: Promise<void> | undefined

  constructor(name: string, config: TopicConfig, options: SupervisionOptions) {
    this.name = name
    this.topic = config.topic
    this.config = config
    this.#options = options
    this.#log = options.log.child({ topic: config.topic })
    this.commits = new Observable((subscriber) => {
      this.#running ??= this.#runUntilEnd((commit) => subscriber.next(commit))
      this.#running.then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
    })
  }

  /** True once the table was open. */
  get hasOpened(): boolean {
    return this.#hasOpened
  }

  readonly summary: TopicRun['summary'] = () => this.#summary
  readonly status: TopicRun['status'] = () => this.#run?.status() ?? []
  readonly failure: TopicRun['failure'] = () => this.#failure
  readonly restarts: TopicRun['restarts'] = () => this.#restarts
  readonly buffered: TopicRun['buffered'] = () =>
    this.#live?.buffered() ?? { bytes: 0, bytesMax: this.config.creditBytes }
  readonly inFlight: TopicRun['inFlight'] = () => this.#live?.inFlight() ?? { bufferedBytes: 0, flushes: [] }
  readonly state: TopicRun['state'] = () =>
    this.#phase === 'running' && this.#isPaused ? 'paused' : this.#phase

  async groupOffsets(): Promise<ReadonlyMap<number, bigint>> {
    return (await this.#run?.groupOffsets()) ?? new Map()
  }

  pause(): void {
    if (!this.#isPaused) this.#log.info('Topic paused: reading stops until it is resumed')
    this.#isPaused = true
    this.#live?.pause()
  }

  resume(): void {
    if (this.#isPaused) this.#log.info('Topic resumed')
    this.#isPaused = false
    this.#live?.resume()
  }

  async flush(): Promise<void> {
    if (this.#phase === 'failed') throw this.#notRunningError()
    await this.#live?.flush()
  }

  async optimize(): Promise<void> {
    if (this.#live === undefined) throw this.#notRunningError()
    await this.#live.optimize()
  }

  stop(): void {
    this.#stopping.abort()
    this.#live?.stop()
  }

  async close(): Promise<void> {
    this.stop()
    // `commits` has already reported the failure.
    await this.#running?.catch(() => undefined)
    await this.#close()
  }

  get #live(): TopicRun | undefined {
    return this.#phase === 'running' ? this.#run : undefined
  }

  async #runUntilEnd(emit: (commit: PipelineCommit) => void): Promise<void> {
    for (;;) {
      try {
        await this.#runOnce(emit)
        this.#phase = 'ended'
        return
      } catch (error) {
        const next = await this.#decideAfterFailure(error)
        if (next === 'restart') continue
        this.#phase = next
        if (next === 'failed') throw error
        return
      }
    }
  }

  async #runOnce(emit: (commit: PipelineCommit) => void): Promise<void> {
    if (this.#isStopped()) return
    this.#attempts++
    this.#phase = 'opening'
    const run = await this.#open()
    if (run === undefined) return
    this.#run = run
    this.#isClosed = false
    this.#hasOpened = true
    this.#phase = 'running'
    if (this.#isPaused) run.pause()
    if (this.#isStopped()) run.stop()
    const commits = run.commits.pipe(
      tap((commit) => {
        this.#attempts = 0
        this.#failure = undefined
        this.#summary = addCommit(this.#summary, commit)
        emit(commit)
      }),
    )
    await lastValueFrom(commits, { defaultValue: undefined })
  }

  /**
   * Returns the opened pipeline, or `undefined` when the topic is stopped before its table is open: nothing was read
   * then, so the stop does not wait.
   */
  async #open(): Promise<TopicRun | undefined> {
    const opening = this.#options.open()
    const { signal } = this.#stopping
    let onStop: () => void = () => undefined
    const stopped = new Promise<undefined>((resolve) => {
      onStop = () => resolve(undefined)
      signal.addEventListener('abort', onStop, { once: true })
    })
    const run = await Promise.race([opening, stopped])
    signal.removeEventListener('abort', onStop)
    if (run === undefined)
      opening
        .then((late) => late.close())
        .catch((error: unknown) =>
          this.#log.debug(
            { err: error },
            'The topic was stopped while its table was opening, which then failed',
          ),
        )
    return run
  }

  /** Decides what follows a failure: a restart, the end, or a permanent failure. */
  async #decideAfterFailure(error: unknown): Promise<'restart' | 'ended' | 'failed'> {
    const wasRunning = this.#phase === 'running'
    this.#failure = failureOf(error, this.#options.clock.now())
    if (await this.#options.isDeletedTopic(this, error)) {
      this.#failure = undefined
      return 'ended'
    }
    // Losing records that were read but not committed is a failure; while the table is opening, nothing was read.
    if (this.#isStopped()) return wasRunning ? 'failed' : 'ended'
    const { attempts, baseMs, capMs } = this.config.restart
    const mayRetry = error instanceof PipelineError && error.retryable
    if (!mayRetry || this.#attempts >= attempts) {
      // Release the partitions now: another member of the group may succeed.
      this.#phase = 'failed'
      await this.#close()
      return 'failed'
    }
    const { random = Math.random } = this.#options
    const backoff = { minBackoffMs: baseMs, maxBackoffMs: capMs, jitter: 'full', random } as const
    const waitMs = Math.round(backoffMs(Math.max(1, this.#attempts), backoff))
    this.#phase = 'restarting'
    this.#restarts++
    this.#failure = { ...this.#failure, retryAtMs: this.#failure.atMs + waitMs }
    const fields = { code: error.code, err: error, attempts: this.#attempts, attemptsMax: attempts, waitMs }
    this.#log.warn(fields, `The topic failed and restarts from its table in ${waitMs} ms: ${error.message}`)
    await this.#close()
    await this.#options.clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined)
    return 'restart'
  }

  /** Leaves the consumer group and releases the table; the summary and offsets remain readable. */
  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#run?.close()
    } catch (error) {
      this.#log.warn({ err: error }, 'The topic could not be closed cleanly')
    }
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  #notRunningError(): PipelineError {
    const detail = `expected a running topic, ${this.topic} is ${this.#phase}`
    return new PipelineError('KD_COMMAND_INVALID', detail, { topic: this.topic })
  }
}
