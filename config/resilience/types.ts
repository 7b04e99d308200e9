/** Configures circuit breakers: when requests to a failing server are stopped and resumed. */
export interface CircuitConfig {
  readonly failures: number
  readonly openMs: number
  readonly successes: number
}

/** Configures the retry policy of a topic; `capMs` is at least `baseMs`. */
export interface RetryConfig {
  readonly attempts: number
  readonly baseMs: number
  readonly capMs: number
  readonly deadlineMs: number
}
