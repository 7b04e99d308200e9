import { lastValueFrom, tap } from 'rxjs'
import type { Commit } from '../../operators/commit-offsets.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Summary } from './summary.ts'
import type { TopicRun } from './topic.ts'

/** What a set of runs tells, and asks. */
export interface RunsOptions {
  readonly log: Logger
  readonly onCommit?: (commit: Commit, topic: TopicRun) => void
  /** Whether a topic that failed is gone, so that its run ends without being a failure. */
  readonly isGone: (run: TopicRun, error: unknown) => Promise<boolean>
}

/** The topics that are carried now: they come and go, and one that fails stops the others, which commit what they hold. */
export class Runs {
  /** Grows and shrinks. */
  readonly live: TopicRun[] = []
  readonly #options: RunsOptions
  readonly #flows = new Map<TopicRun, Promise<void>>()
  readonly #summaries = new Map<string, TopicRun>()
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
  add(run: TopicRun): void {
    this.live.push(run)
    this.#summaries.set(run.name, run)
  }

  /** Carries a topic that was added. */
  begin(run: TopicRun): void {
    this.#flows.set(run, this.#flow(run))
    if (this.#stopping.signal.aborted) run.stop()
  }

  /** Stops reading everywhere; what was read is flushed and committed. */
  stop(): void {
    this.#stopping.abort()
    for (const run of this.live) run.stop()
  }

  /** Stops for good because of something beside the runs. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.stop()
  }

  /** Ends one topic: what was read is committed, then it is closed. */
  async end(run: TopicRun): Promise<void> {
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

  async #flow(run: TopicRun): Promise<void> {
    const commits = run.commits.pipe(tap((commit) => this.#options.onCommit?.(commit, run)))
    try {
      await lastValueFrom(commits, { defaultValue: undefined })
    } catch (error) {
      if (!(await this.#options.isGone(run, error))) this.fail(error)
    }
  }

  async #close(run: TopicRun): Promise<void> {
    const index = this.live.indexOf(run)
    if (index < 0) return
    this.live.splice(index, 1)
    this.#flows.delete(run)
    try {
      await run.close()
    } catch (error) {
      this.#options.log.warn({ err: error, topic: run.topic }, 'Could not close cleanly')
    }
  }
}
