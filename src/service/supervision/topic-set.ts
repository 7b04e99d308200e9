import { lastValueFrom, tap } from 'rxjs'
import type { Commit } from '../../../operators/commit-offsets.ts'
import type { OnFailure } from '../../../config/resilience/supervision-types.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { Summary } from '../topic/summary.ts'
import type { SupervisedTopic } from './supervised-topic.ts'
import type { TopicRun } from '../topic/topic.ts'

/** What a set of runs tells, and asks. */
export interface RunsOptions {
  readonly log: Logger
  readonly onCommit?: (commit: Commit, topic: TopicRun) => void
  /** What a topic that fails for good does to the others, where it does not say so itself. */
  readonly onFailure: OnFailure
}

/**
 * The topics that are carried now: they come and go. One that fails for good stays among them, failed; it stops the
 * others, which commit what they hold, where that is wanted, or where no other is carried any more.
 */
export class Runs {
  /** Grows and shrinks. */
  readonly live: SupervisedTopic[] = []
  readonly #options: RunsOptions
  readonly #flows = new Map<SupervisedTopic, Promise<void>>()
  readonly #summaries = new Map<string, SupervisedTopic>()
  /** Those whose table could not be opened while nothing depended on it. */
  readonly #untried = new WeakSet<SupervisedTopic>()
  readonly #stopping = new AbortController()
  #failure: { readonly reason: unknown } | undefined

  constructor(options: RunsOptions) {
    this.#options = options
  }

  /** Aborted once the runs are to end. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Takes a topic in; nothing flows yet. */
  add(run: SupervisedTopic): void {
    this.live.push(run)
    this.#summaries.set(run.name, run)
  }

  /** Carries a topic that was added. One on `trial` does not fail the process while its table could not be opened. */
  begin(run: SupervisedTopic, { isTrial = false } = {}): void {
    this.#flows.set(run, this.#flow(run, isTrial))
    if (this.#stopping.signal.aborted) run.stop()
  }

  /** Whether a topic on trial has failed before its table was open, so that it may be tried once more. */
  isUntried(run: SupervisedTopic): boolean {
    return this.#untried.has(run)
  }

  /** Stops reading everywhere; what was read is flushed and committed. */
  stop(): void {
    this.#stopping.abort()
    for (const run of this.live) run.stop()
  }

  /** Ends one topic: what was read is committed, then it is closed. */
  async end(run: SupervisedTopic): Promise<void> {
    run.stop()
    await this.#flows.get(run)
    await this.#close(run)
  }

  /** Resolves when all that were begun have ended; throws what the first failure threw. */
  async ended(): Promise<void> {
    await Promise.all(this.#flows.values())
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  /** What was carried, by name: of topics that are gone too. */
  summaries(): Readonly<Record<string, Summary>> {
    return Object.fromEntries([...this.#summaries].map(([name, run]) => [name, run.summary()]))
  }

  async close(): Promise<void> {
    await Promise.all([...this.live].map((run) => this.#close(run)))
  }

  async #flow(run: SupervisedTopic, isTrial: boolean): Promise<void> {
    const commits = run.commits.pipe(tap((commit) => this.#options.onCommit?.(commit, run)))
    try {
      await lastValueFrom(commits, { defaultValue: undefined })
    } catch (error) {
      this.#failed(run, error, isTrial && !run.hasOpened)
    }
    if (this.#failure !== undefined && this.live.every(isOver)) this.stop()
  }

  #failed(run: SupervisedTopic, error: unknown, isOnTrial: boolean): void {
    const fields = {
      code: error instanceof PipelineError ? error.code : undefined,
      err: error,
      topic: run.topic,
    }
    const { log } = this.#options
    if (isOnTrial) {
      this.#untried.add(run)
      const what = 'A new topic matches and cannot be carried, trying again later'
      log.error(fields, `${what}: ${messageOf(error)}`)
      return
    }
    const isLast = this.live.every(isOver)
    const stopsAll = (run.config.onFailure ?? this.#options.onFailure) === 'stop-process'
    const isFirst = this.#failure === undefined
    this.#failure ??= { reason: error }
    // What failed first is thrown, and told as the process ends.
    if (stopsAll) log.error(fields, `A topic failed and stops the process: ${messageOf(error)}`)
    else if (!isLast)
      log.error(fields, `A topic failed and is no longer carried; the others go on: ${messageOf(error)}`)
    else if (!isFirst) log.error(fields, `The last topic failed: ${messageOf(error)}`)
    if (stopsAll) this.stop()
  }

  async #close(run: SupervisedTopic): Promise<void> {
    const index = this.live.indexOf(run)
    if (index < 0) return
    this.live.splice(index, 1)
    this.#flows.delete(run)
    await run.close()
  }
}

function isOver(run: SupervisedTopic): boolean {
  return run.state() === 'failed' || run.state() === 'ended'
}
