import { tap, type MonoTypeOperatorFunction } from 'rxjs'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { RunState, TopicFailure } from './state.ts'

/** How one pipeline is, and what may be asked of it while it runs. */
export class TopicControl {
  readonly #credit: Credit
  readonly #clock: Clock
  readonly #over: Promise<void>
  #resolve: () => void = () => undefined
  #reject: (reason: unknown) => void = () => undefined
  #end: 'failed' | 'ended' | undefined
  #failure: TopicFailure | undefined

  constructor(credit: Credit, clock: Clock = systemClock) {
    this.#credit = credit
    this.#clock = clock
    this.#over = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever waits for a flush has the rejection.
    this.#over.catch(() => undefined)
  }

  get state(): RunState {
    return this.#end ?? (this.#credit.isPaused ? 'paused' : 'running')
  }

  get failure(): TopicFailure | undefined {
    return this.#failure
  }

  /** Watches how the pipeline ends. */
  watch<T>(): MonoTypeOperatorFunction<T> {
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

  /** Nothing is read from now on; what was read flows on. The group keeps the partitions. */
  pause(): void {
    this.#credit.pause()
  }

  resume(): void {
    this.#credit.resume()
  }

  /** Resolves when nothing is buffered or on its way that was so before; throws what the topic failed with. */
  async flush(): Promise<void> {
    await Promise.race([this.#credit.flush(), this.#over])
  }
}

/** What was thrown, as it is told. */
export function failureOf(error: unknown, atMs: number): TopicFailure {
  const code = error instanceof PipelineError ? error.code : undefined
  return { ...(code === undefined ? {} : { code }), message: messageOf(error), atMs, error }
}
