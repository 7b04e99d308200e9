import { retry, throwError, timer, type MonoTypeOperatorFunction } from 'rxjs'
import { TOPIC_SUPERVISION_OPTIONS } from '../../config/resilience/supervision-options.ts'
import { PipelineError } from '../core/errors.ts'
import { backoffMs } from '../resilience/backoff.ts'

/** Configures how a failed chain is started again. The defaults are those of the option `restart` of a topic. */
export interface RestartOptions {
  /** Maximum of consecutive starts without a commit in between. */
  readonly attempts?: number
  /** Maximum wait before the first restart in milliseconds; it doubles with each further failure. */
  readonly baseMs?: number
  /** Upper limit of the wait in milliseconds. */
  readonly capMs?: number
}

const DEFAULTS = TOPIC_SUPERVISION_OPTIONS.restart

/**
 * Subscribes again, after a wait, to a chain that fails with a retryable error; the chain then continues after the offsets in
 * the table. Other errors, and the last of too many failures without a commit in between, are passed on.
 */
export function restartFailures<T>(options: RestartOptions = {}): MonoTypeOperatorFunction<T> {
  const { attempts = DEFAULTS.attempts.default } = options
  const backoff = {
    minBackoffMs: options.baseMs ?? DEFAULTS.baseMs.default,
    maxBackoffMs: options.capMs ?? DEFAULTS.capMs.default,
    jitter: 'full',
  } as const
  return retry({
    resetOnSuccess: true,
    delay: (error: unknown, failures) =>
      error instanceof PipelineError && error.retryable && failures < attempts
        ? timer(backoffMs(failures, backoff))
        : throwError(() => error),
  })
}
