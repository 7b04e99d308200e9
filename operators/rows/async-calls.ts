import type { Row } from '../../src/arrow/rows.ts'
import type { Clock } from '../../src/core/clock.ts'
import { messageOf, PipelineError } from '../../src/core/errors.ts'
import { createBackoff, type RetryPolicy } from '../../src/resilience/retries.ts'
import { isRetryable } from '../../src/resilience/server-availability.ts'
import { placeOf } from './callbacks.ts'
import type { RecordInfo } from './record-info.ts'

/** An `AsyncCallback` is the function of `mapRowsAsync` without the types of its rows. */
export type AsyncCallback = (
  row: Row,
  info: RecordInfo,
  call: { readonly signal: AbortSignal },
) => PromiseLike<object>

/** Holds the outcome of a row: what the function resolved to, or what it was rejected with. */
export type AsyncOutcome = { readonly result: unknown } | { readonly thrown: unknown }

/** Marks an error as an outage: the record is not at fault, and a later attempt may succeed. */
class RetryLaterError extends Error {}

/**
 * Returns an error for the function of `mapRowsAsync` to throw when the call failed for a reason that is not the row, such
 * as a server that does not answer: the call is repeated later, and the row does not become a dead letter.
 */
export function retryLater(error: unknown): Error {
  return new RetryLaterError(messageOf(error), { cause: error })
}

/** Sets the bounds of each call. */
export interface CallLimits {
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly clock: Clock
}

/** Calls the function of one subscription, with a time limit and retries, until it is aborted. */
export class AsyncCalls {
  readonly #callback: AsyncCallback
  readonly #limits: CallLimits
  readonly #ended = new AbortController()
  readonly #active = new Set<AbortController>()

  constructor(callback: AsyncCallback, limits: CallLimits) {
    this.#callback = callback
    this.#limits = limits
  }

  /** Aborts all calls; their promises are rejected. */
  abort(): void {
    const reason = new DOMException('The stream has ended', 'AbortError')
    this.#ended.abort(reason)
    for (const controller of this.#active) controller.abort(reason)
  }

  /**
   * Resolves to the outcome of a row. `rowOf` returns the row for an attempt, numbered from 1; `retried` is called before each
   * repetition.
   * @throws KD_OPERATOR_FAILED, retryable, when an outage outlasts the retries
   */
  async run(rowOf: (attempt: number) => Row, info: RecordInfo, retried?: () => void): Promise<AsyncOutcome> {
    const { retry, clock } = this.#limits
    const startMs = clock.now()
    const pauseMs = createBackoff(retry)
    for (let attempt = 1; ; attempt++) {
      try {
        return { result: await this.#attempt(rowOf(attempt), info) }
      } catch (thrown) {
        this.#ended.signal.throwIfAborted()
        if (!isOutage(thrown)) return { thrown }
        if (attempt >= retry.attemptsMax || clock.now() - startMs >= retry.deadlineMs)
          throw outlasted(thrown, attempt, info)
        retried?.()
        await clock.sleep(pauseMs(), this.#ended.signal)
      }
    }
  }

  async #attempt(row: Row, info: RecordInfo): Promise<unknown> {
    const { timeoutMs, clock } = this.#limits
    const call = new AbortController()
    const timer = new AbortController()
    this.#active.add(call)
    const aborted = new Promise<never>((_, reject) => {
      call.signal.addEventListener('abort', () => reject(call.signal.reason as Error), { once: true })
    })
    clock.sleep(timeoutMs, timer.signal).then(
      () => call.abort(retryLater(new Error(`no result within ${timeoutMs} ms`))),
      // The call has ended before.
      () => undefined,
    )
    try {
      // The function may not heed its signal: then its result no longer counts.
      return await Promise.race([this.#callback(row, info, { signal: call.signal }), aborted])
    } catch (thrown) {
      // A request that was aborted is rejected with an error of its own.
      throw call.signal.aborted ? call.signal.reason : thrown
    } finally {
      timer.abort()
      this.#active.delete(call)
    }
  }
}

function isOutage(thrown: unknown): boolean {
  return thrown instanceof RetryLaterError || isRetryable(thrown)
}

function outlasted(thrown: unknown, attempts: number, info: RecordInfo): PipelineError {
  const cause = thrown instanceof RetryLaterError ? thrown.cause : thrown
  const detail = `mapRowsAsync: ${messageOf(thrown)}, after ${attempts} attempts`
  return new PipelineError('KD_OPERATOR_FAILED', detail, placeOf(info), { cause, retryable: true })
}
