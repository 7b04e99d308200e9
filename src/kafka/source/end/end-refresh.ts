import type { Clock } from '../../../core/clock.ts'
import { type ErrorCode, PipelineError } from '../../../core/errors.ts'
import type { TopicWatermarks, Watermark } from '../watermarks.ts'
import type { SourceOptions } from '../source-options.ts'

/** Configures a refresh of end offsets. */
interface EndRefreshOptions extends Pick<SourceOptions, 'topic' | 'log'> {
  readonly clock: Clock
  readonly read: () => Promise<TopicWatermarks>
  readonly onEnds: (marks: ReadonlyMap<number, Watermark>) => void
  /** Called with an error that another attempt does not mend. */
  readonly onFailure: (error: unknown) => void
}

const GONE: readonly ErrorCode[] = ['KD_TOPIC_MISSING', 'KD_OFFSETS_VANISHED']

/** Interval in which end offsets are requested that no fetch reports, for example while credit is short. */
const ENDS_EVERY_MS = 15_000
/** Time after which a topic that was not found is looked for again. */
const GONE_EVERY_MS = 4_000

/**
 * Keeps the end offsets of a topic fresh while no fetch reports them. It also notices the end of a topic without assigned
 * partitions: a topic that is missing, or another one of the same name, in two requests in a row is a failure.
 */
export class EndRefresh {
  readonly #options: EndRefreshOptions
  #nextAtMs = 0
  #wasGone = false
  /** Aborted to end the wait for the next request. */
  #wait = new AbortController()

  constructor(options: EndRefreshOptions) {
    this.#options = options
  }

  /** Notes that end offsets are fresh. */
  postpone(): void {
    this.#nextAtMs = this.#options.clock.now() + ENDS_EVERY_MS
    this.#wasGone = false
  }

  /** Makes a request due at once: the group assigns no partitions, which may mean that the topic was deleted. */
  expire(): void {
    this.#nextAtMs = 0
    this.#wait.abort()
    this.#wait = new AbortController()
  }

  /** Resolves when a request may be due, after `msMax` at the latest, or when `signal` aborts. */
  async wait(signal: AbortSignal, msMax = ENDS_EVERY_MS): Promise<void> {
    const pauseMs = Math.min(msMax, this.#everyMs)
    await this.#options.clock
      .sleep(pauseMs, AbortSignal.any([signal, this.#wait.signal]))
      .catch(() => undefined)
  }

  /** Requests the end offsets unless they are fresh; never throws. */
  async refreshIfDue(): Promise<void> {
    const { clock, read, onEnds } = this.#options
    if (clock.now() < this.#nextAtMs) return
    try {
      onEnds((await read()).marks)
      this.postpone()
    } catch (error) {
      this.#onError(error)
      this.#nextAtMs = clock.now() + this.#everyMs
    }
  }

  /** Interval of requests while end offsets are not reported: shorter while the topic was not found. */
  get #everyMs(): number {
    return this.#wasGone ? GONE_EVERY_MS : ENDS_EVERY_MS
  }

  #onError(error: unknown): void {
    const { topic, log, onFailure } = this.#options
    const isGone = error instanceof PipelineError && GONE.includes(error.code)
    // A broker that has just started may not know the newest topics yet.
    const isFinal = isGone ? this.#wasGone : !(error instanceof PipelineError && error.retryable)
    this.#wasGone = isGone
    if (isFinal) onFailure(error)
    else
      log?.warn(
        { topic, err: error },
        `The end offsets could not be read; they are requested again in ${this.#everyMs / 1_000} s`,
      )
  }
}
