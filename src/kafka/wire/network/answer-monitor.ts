import type { Clock } from '../../../core/clock.ts'

/** Reports that the brokers of a cluster stopped to answer, or that one of them answers: for the first time or again. */
export type AnswersChange =
  { readonly isAnswering: true } | { readonly isAnswering: false; readonly error: Error }

/** Time in which another broker may still answer after a request failed, in milliseconds. */
const GRACE_MS = 2_000

/**
 * Detects that no broker of a cluster answers: a request got no response in time, or a connection could not be opened, and
 * since its beginning no broker has sent any response, also not within the following two seconds. A response with an error
 * code is an answer.
 */
export class AnswerMonitor {
  readonly #clock: Clock
  readonly #onChange: (change: AnswersChange) => void
  readonly #closed = new AbortController()
  #lastAnswerMs = -Infinity
  #isAnswering: boolean | undefined
  #isChecking = false

  constructor(clock: Clock, onChange: (change: AnswersChange) => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Notes a response of any broker. */
  answered(): void {
    this.#lastAnswerMs = this.#clock.now()
    if (this.#isAnswering === true || this.#closed.signal.aborted) return
    this.#isAnswering = true
    this.#onChange({ isAnswering: true })
  }

  /** Notes that a request that began at `sinceMs`, in milliseconds of the clock, failed or waits without a response. */
  unanswered(sinceMs: number, error: Error): void {
    if (this.#isAnswering === false || this.#isChecking || this.#lastAnswerMs > sinceMs) return
    this.#isChecking = true
    this.#clock.sleep(GRACE_MS, this.#closed.signal).then(
      () => {
        this.#isChecking = false
        if (this.#lastAnswerMs > sinceMs) return
        this.#isAnswering = false
        this.#onChange({ isAnswering: false, error })
      },
      () => undefined,
    )
  }

  /** Ends the reports. */
  close(): void {
    this.#closed.abort()
  }
}
