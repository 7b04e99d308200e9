import { lastValueFrom, Observable, tap } from 'rxjs'
import type { Commit } from '../../../operators/commit-offsets.ts'
import type { TopicConfig } from '../../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { EMPTY_SUMMARY, withCommit } from '../topic/summary.ts'
import type { TopicRun } from '../topic/topic.ts'
import { failureOf } from '../topic/control.ts'
import type { RunState, TopicFailure } from '../topic/state.ts'

/** What a supervised topic works with. */
export interface SupervisionParts {
  /** Opens the table of the topic and joins its pipeline. */
  readonly open: () => Promise<TopicRun>
  /** Whether the topic is not there any more, so that its end is no failure. */
  readonly isGone: (run: TopicRun, error: unknown) => Promise<boolean>
  readonly log: Logger
  readonly clock: Clock
  /** From 0 to 1: what part of the longest pause is waited. */
  readonly random?: () => number
}

/** Where a topic is between its pipelines; while one runs, it is that which knows. */
type Phase = Exclude<RunState, 'paused'>

/**
 * One topic for as long as the process carries it. Its pipeline is opened when `commits` is subscribed to, and opened again,
 * after a pause that grows, when it fails with what a retry may fix: it resumes from the table. `commits` errors once it
 * has failed for good, completes when it was stopped or has caught up.
 */
export class SupervisedTopic implements TopicRun {
  readonly name: string
  readonly topic: string
  readonly config: TopicConfig
  readonly commits: Observable<Commit>
  readonly #parts: SupervisionParts
  readonly #log: Logger
  readonly #stopping = new AbortController()
  /** The pipeline that runs, or the one that ran last. */
  #run: TopicRun | undefined
  #isClosed = false
  #phase: Phase = 'opening'
  #isPaused = false
  #hasOpened = false
  #summary = EMPTY_SUMMARY
  #failure: TopicFailure | undefined
  /** Times that it was begun since the last commit. */
  #attempts = 0
  #restarts = 0
  #carrying: Promise<void> | undefined

  constructor(name: string, config: TopicConfig, parts: SupervisionParts) {
    this.name = name
    this.topic = config.topic
    this.config = config
    this.#parts = parts
    this.#log = parts.log.child({ topic: config.topic })
    this.commits = new Observable((subscriber) => {
      this.#carrying ??= this.#carry((commit) => subscriber.next(commit))
      this.#carrying.then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
    })
  }

  /** Whether its table was ever open. */
  get hasOpened(): boolean {
    return this.#hasOpened
  }

  readonly summary: TopicRun['summary'] = () => this.#summary
  readonly status: TopicRun['status'] = () => this.#run?.status() ?? []
  readonly failure: TopicRun['failure'] = () => this.#failure
  readonly restarts: TopicRun['restarts'] = () => this.#restarts
  readonly buffered: TopicRun['buffered'] = () =>
    this.#live?.buffered() ?? { bytes: 0, bytesMax: this.config.creditBytes }
  readonly standing: TopicRun['standing'] = () => this.#live?.standing() ?? { bufferedBytes: 0, flushes: [] }
  readonly state: TopicRun['state'] = () =>
    this.#phase === 'running' && this.#isPaused ? 'paused' : this.#phase

  async groupOffsets(): Promise<ReadonlyMap<number, bigint>> {
    return (await this.#run?.groupOffsets()) ?? new Map()
  }

  pause(): void {
    if (!this.#isPaused) this.#log.info('Paused: nothing is read until it is resumed')
    this.#isPaused = true
    this.#live?.pause()
  }

  resume(): void {
    if (this.#isPaused) this.#log.info('Resumed')
    this.#isPaused = false
    this.#live?.resume()
  }

  async flush(): Promise<void> {
    if (this.#phase === 'failed') throw this.#notCarried()
    await this.#live?.flush()
  }

  async optimize(): Promise<void> {
    if (this.#live === undefined) throw this.#notCarried()
    await this.#live.optimize()
  }

  stop(): void {
    this.#stopping.abort()
    this.#live?.stop()
  }

  async close(): Promise<void> {
    this.stop()
    // What it failed with has been told by `commits`.
    await this.#carrying?.catch(() => undefined)
    await this.#close()
  }

  get #live(): TopicRun | undefined {
    return this.#phase === 'running' ? this.#run : undefined
  }

  async #carry(emit: (commit: Commit) => void): Promise<void> {
    for (;;) {
      try {
        await this.#runOnce(emit)
        this.#phase = 'ended'
        return
      } catch (error) {
        const next = await this.#after(error)
        if (next === 'again') continue
        this.#phase = next
        if (next === 'failed') throw error
        return
      }
    }
  }

  async #runOnce(emit: (commit: Commit) => void): Promise<void> {
    if (this.#isStopped()) return
    this.#attempts++
    this.#phase = 'opening'
    const run = await this.#opened()
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
        this.#summary = withCommit(this.#summary, commit)
        emit(commit)
      }),
    )
    await lastValueFrom(commits, { defaultValue: undefined })
  }

  /** The pipeline, or `undefined` where it was stopped before: nothing was read then, so nobody waits for a table that is late. */
  async #opened(): Promise<TopicRun | undefined> {
    const opening = this.#parts.open()
    const { signal } = this.#stopping
    let leave: () => void = () => undefined
    const stopped = new Promise<undefined>((resolve) => {
      leave = () => resolve(undefined)
      signal.addEventListener('abort', leave, { once: true })
    })
    const run = await Promise.race([opening, stopped])
    signal.removeEventListener('abort', leave)
    if (run === undefined)
      opening
        .then((late) => late.close())
        .catch((error: unknown) => this.#log.debug({ err: error }, 'Not opened'))
    return run
  }

  /** What becomes of it after a failure. */
  async #after(error: unknown): Promise<'again' | 'ended' | 'failed'> {
    const wasRunning = this.#phase === 'running'
    this.#failure = failureOf(error, this.#parts.clock.now())
    if (await this.#parts.isGone(this, error)) {
      this.#failure = undefined
      return 'ended'
    }
    // What was read and could not be committed is a failure; where nothing was open, nothing was read.
    if (this.#isStopped()) return wasRunning ? 'failed' : 'ended'
    const { attempts, baseMs, capMs } = this.config.restart
    const mayRetry = error instanceof PipelineError && error.retryable
    if (!mayRetry || this.#attempts >= attempts) {
      // Its partitions are for another process that may fare better.
      this.#phase = 'failed'
      await this.#close()
      return 'failed'
    }
    const random = this.#parts.random ?? Math.random
    const waitMs = Math.round(random() * Math.min(capMs, baseMs * 2 ** Math.max(0, this.#attempts - 1)))
    this.#phase = 'restarting'
    this.#restarts++
    this.#failure = { ...this.#failure, retryAtMs: this.#failure.atMs + waitMs }
    const fields = { code: error.code, err: error, attempts: this.#attempts, attemptsMax: attempts, waitMs }
    this.#log.warn(fields, `The topic failed and is begun again from its table: ${error.message}`)
    await this.#close()
    await this.#parts.clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined)
    return 'again'
  }

  /** Leaves the group and gives the table back; offsets stay to be told. */
  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#run?.close()
    } catch (error) {
      this.#log.warn({ err: error }, 'Could not close cleanly')
    }
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  #notCarried(): PipelineError {
    const detail = `expected a topic that is carried, ${this.topic} is ${this.#phase}`
    return new PipelineError('KD_COMMAND_INVALID', detail, { topic: this.topic })
  }
}
