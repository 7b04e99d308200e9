import { tap, type MonoTypeOperatorFunction } from 'rxjs'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { RunState, TopicFailure } from './state.ts'

/** Controls one pipeline while it runs: pause, resume and flush, and its state. */
export class TopicControl {
  readonly #credit: Credit
  readonly #clock: Clock
  readonly #ended: Promise<void>
  #resolve: () => void = () => undefined
  #reject: (reason: unknown) => void = () => undefined
  #end: 'failed' | 'ended' | undefined
  #failure: TopicFailure | undefined

  constructor(credit: Credit, clock: Clock = systemClock) {
    this.#credit = credit
    this.#clock = clock
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // The promise may reject before anyone waits for a flush.
    this.#ended.catch(() => undefined)
  }

  get state(): RunState {
    return this.#end ?? (this.#credit.isPaused ? 'paused' : 'running')
  }

  get failure(): TopicFailure | undefined {
    return this.#failure
  }

  /** Returns an operator that records how the pipeline ends. */
  trackEnd<T>(): MonoTypeOperatorFunction<T> {
    return tap({
      error: (error: unknown) => {
        this.#end = 'failed'
        this.#failure = failureOf(error, this.#clock.now())
        this.#reject(error)
      },
      complete: () => {
        this.#end = 'ended'
        this.#resolve()
      },
    })
  }

  /** Stops reading; records already read continue to the table. The consumer group keeps the partitions. */
  pause(): void {
    this.#credit.pause()
  }

  resume(): void {
    this.#credit.resume()
  }

  /**
   * Resolves when everything buffered or in flight at the time of the call is committed.
   * @throws the error that the topic failed with
   */
  async flush(): Promise<void> {
    await Promise.race([this.#credit.flush(), this.#ended])
  }
}

/** Describes a thrown error as a topic failure. */
export function failureOf(error: unknown, atMs: number): TopicFailure {
  const code = error instanceof PipelineError ? error.code : undefined
  return { ...(code === undefined ? {} : { code }), message: messageOf(error), atMs, error }
}
