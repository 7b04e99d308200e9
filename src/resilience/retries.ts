import { ExponentialBackoff, fullJitterGenerator, type IBackoffFactory } from 'cockatiel'
import { systemClock, type Clock } from '../core/clock.ts'
import { noteRetry } from '../core/stage/span.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { isRetryable } from './verdict.ts'

/** How hard is tried. */
export interface RetryPatience {
  /** Attempts of a request that may be repeated. */
  readonly attemptsMax: number
  /** The pause before an attempt is anywhere between nothing and this, which doubles up to the longest, in milliseconds. */
  readonly pauseMsMin: number
  readonly pauseMsMax: number
  /** No attempt begins later than this after the first, in milliseconds. */
  readonly deadlineMs: number
}

/** Six attempts over about six seconds. */
export const RETRY: RetryPatience = {
  attemptsMax: 6,
  pauseMsMin: 200,
  pauseMsMax: 10_000,
  deadlineMs: 120_000,
}

/** Pauses between attempts in their order: each anywhere between nothing and a bound that doubles up to the longest. */
export function pausesOf(patience: Pick<RetryPatience, 'pauseMsMin' | 'pauseMsMax'>): () => number {
  let backoff: IBackoffFactory<unknown> = new ExponentialBackoff({
    initialDelay: patience.pauseMsMin,
    maxDelay: patience.pauseMsMax,
    generator: fullJitterGenerator,
  })
  return () => {
    const next = backoff.next(undefined)
    backoff = next
    return next.duration
  }
}

/**
 * Repeats requests whose failure may pass, with exponential backoff and full jitter. With a circuit, requests wait while
 * it is open, and a failure counts against a request only if the server answered somebody else since the one before: as
 * long as it answers nobody, nobody gives up. Time in which the circuit was open does not count.
 */
export class Retries {
  readonly #patience: RetryPatience
  readonly #circuit: CircuitBreaker | undefined
  readonly #clock: Clock

  constructor(patience: RetryPatience, circuit?: CircuitBreaker, clock: Clock = systemClock) {
    this.#patience = patience
    this.#circuit = circuit
    this.#clock = clock
  }

  /** Makes attempts, numbered from 1, until one succeeds or no more may help. Throws what the last attempt threw. */
  async run<T>(attempt: (count: number) => Promise<T>): Promise<T> {
    const circuit = this.#circuit
    const { attemptsMax, deadlineMs } = this.#patience
    let startMs = this.#clock.now()
    let failures = 0
    let opened = circuit?.opened
    let answers = circuit?.answers
    let pause: (() => number) | undefined
    for (let count = 1; ; count++) {
      try {
        return await this.once(() => attempt(count))
      } catch (error) {
        if (!isRetryable(error) || circuit?.isGivenUp === true) throw error
        if (circuit?.opened !== opened) {
          startMs = this.#clock.now()
          pause = undefined
        }
        if (circuit === undefined || circuit.answers !== answers) {
          failures++
          if (failures >= attemptsMax || this.#clock.now() - startMs >= deadlineMs) throw error
        }
        opened = circuit?.opened
        answers = circuit?.answers
        pause ??= pausesOf(this.#patience)
        await this.#pause(error, count, pause())
      }
    }
  }

  /** Makes one attempt, when the circuit lets it through. */
  once<T>(attempt: () => Promise<T>): Promise<T> {
    return this.#circuit === undefined ? attempt() : this.#circuit.through(attempt)
  }

  #pause(error: unknown, count: number, ms: number): Promise<void> {
    this.#circuit?.retried()
    noteRetry(error, count + 1, ms)
    return this.#clock.sleep(ms)
  }
}
