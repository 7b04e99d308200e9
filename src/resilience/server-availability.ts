import { PipelineError } from '../core/errors.ts'

/** Names what a failed request says about its server: it is down, it answered, or nothing. */
export type ServerAvailability = 'down' | 'answered' | 'unclear'

/** Statuses below 500 of a server that cannot answer: timeout and overload. */
const DOWN_STATUSES = new Set([408, 429])

/**
 * Classifies a failed request by its error. A retryable error means that the server is down, unless its status is about
 * one object (such as 409 for two writers of one key). A refusal is an answer; other errors without a status are unclear.
 */
export function serverAvailabilityOf(error: unknown): ServerAvailability {
  if (!(error instanceof PipelineError)) return 'unclear'
  if (isBlocked(error)) return 'answered'
  const { status } = error.context
  if (error.retryable) {
    const isAnswer = typeof status === 'number' && status >= 300 && status < 500 && !DOWN_STATUSES.has(status)
    return isAnswer ? 'answered' : 'down'
  }
  return typeof status === 'number' || error.code === 'KD_STORE_NOT_FOUND' ? 'answered' : 'unclear'
}

/**
 * Returns true if the server answered that it takes no such request at present, such as for a full disk or expired
 * credentials. It lasts until something outside changes, so it is tried again slowly, without limit.
 */
export function isBlocked(error: unknown): boolean {
  return error instanceof PipelineError && error.code === 'KD_STORE_BLOCKED'
}

/** Returns whether a retry of the failed request may succeed. */
export function isRetryable(error: unknown): boolean {
  return error instanceof PipelineError && error.retryable
}
