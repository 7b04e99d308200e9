import { systemClock, type Clock } from '../core/clock.ts'
import { recordRetry } from '../core/stage/span.ts'
import { backoffMs } from './backoff.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { isBlocked, isRetryable } from './server-availability.ts'

/** Configures how often and for how long a failed request is retried. */
export interface RetryPolicy {
  /** Maximum number of attempts, including the first. */
  readonly attemptsMax: number
  /** Upper bound of the first random pause in milliseconds; it doubles with each attempt, up to `maxBackoffMs`. */
  readonly minBackoffMs: number
  /** Maximum of the upper bound of a pause, in milliseconds. */
  readonly maxBackoffMs: number
  /** Time after the first attempt at which no further attempt is started, in milliseconds. */
  readonly deadlineMs: number
}

/** The default policy: six attempts within about six seconds. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attemptsMax: 6,
  minBackoffMs: 200,
  maxBackoffMs: 10_000,
  deadlineMs: 120_000,
}

/**
 * Returns a function that returns the next pause in milliseconds: a random time (full jitter) below a bound that doubles
 * with each call up to `maxBackoffMs`.
 */
export function createBackoff(
  { minBackoffMs, maxBackoffMs }: Pick<RetryPolicy, 'minBackoffMs' | 'maxBackoffMs'>,
  random: () => number = Math.random,
): () => number {
  let failures = 0
  return () => Math.floor(backoffMs(++failures, { minBackoffMs, maxBackoffMs, jitter: 'full', random }))
}

/**
 * Retries requests that failed with a retryable error, with exponential backoff and full jitter. With a circuit, requests
 * wait while it is open, and a failure counts as an attempt only if the server has answered another request since the
 * previous failure: no request gives up while the server answers none. Time in which the circuit was open does not count.
 * KD_STORE_BLOCKED is thrown at once: an `AccessCircuit` repeats such requests.
 */
export class Retries {
  readonly #policy: RetryPolicy
  readonly #circuit: CircuitBreaker | undefined
  readonly #clock: Clock
  readonly #random: () => number

  /** Uses `random`, which returns numbers in [0, 1), for the jitter of pauses. */
  constructor(
    policy: RetryPolicy,
    circuit?: CircuitBreaker,
    clock: Clock = systemClock,
    random: () => number = Math.random,
  ) {
    this.#policy = policy
    this.#circuit = circuit
    this.#clock = clock
    this.#random = random
  }

  /** Makes attempts, numbered from 1, until one succeeds or the policy ends. Throws the error of the last attempt. */
  async run<T>(attempt: (count: number) => Promise<T>): Promise<T> {
    const circuit = this.#circuit
    const { attemptsMax, deadlineMs } = this.#policy
    let startMs = this.#clock.now()
    let failures = 0
    let openedCount = circuit?.openedCount
    let answers = circuit?.answerCount
    let pause: (() => number) | undefined
    for (let count = 1; ; count++) {
      try {
        return await this.once(() => attempt(count))
      } catch (error) {
        if (!isRetryable(error) || isBlocked(error) || circuit?.isAbandoned === true) throw error
        if (circuit?.openedCount !== openedCount) {
          startMs = this.#clock.now()
          pause = undefined
        }
        if (circuit === undefined || circuit.answerCount !== answers) {
          failures++
          if (failures >= attemptsMax || this.#clock.now() - startMs >= deadlineMs) throw error
        }
        openedCount = circuit?.openedCount
        answers = circuit?.answerCount
        pause ??= createBackoff(this.#policy, this.#random)
        await this.#pause(error, count, pause())
      }
    }
  }

  /** Makes one attempt as soon as the circuit lets it through. */
  once<T>(attempt: () => Promise<T>): Promise<T> {
    return this.#circuit === undefined ? attempt() : this.#circuit.execute(attempt)
  }

  #pause(error: unknown, count: number, ms: number): Promise<void> {
    this.#circuit?.countRetry()
    recordRetry(error, count + 1, ms)
    return this.#clock.sleep(ms)
  }
}
