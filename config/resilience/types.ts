/** When the process stops asking a server that fails, and when it asks again. */
export interface CircuitConfig {
  readonly failures: number
  readonly openMs: number
  readonly successes: number
}

/** How hard a topic tries; `capMs` is at least `baseMs`. */
export interface RetryConfig {
  readonly attempts: number
  readonly baseMs: number
  readonly capMs: number
  readonly deadlineMs: number
}
