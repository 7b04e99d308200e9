import { PipelineError } from '../core/errors.ts'

/** What a failed request tells of its server: that it does not work, that it answers, or nothing. */
export type Verdict = 'down' | 'answered' | 'unclear'

/** Statuses below 500 of a server that is not able to answer: it took too long, or has too much to do. */
const DOWN_STATUSES = new Set([408, 429])

/**
 * Told by the properties of the error: one that a retry may help is the server's, unless its status is about one object
 * (such as 409 for two writers of one key). A refusal is an answer; what has no status tells nothing.
 */
export function verdictOf(error: unknown): Verdict {
  if (!(error instanceof PipelineError)) return 'unclear'
  const { status } = error.context
  if (error.retryable) {
    const isAnswer = typeof status === 'number' && status >= 300 && status < 500 && !DOWN_STATUSES.has(status)
    return isAnswer ? 'answered' : 'down'
  }
  return typeof status === 'number' || error.code === 'KD_STORE_NOT_FOUND' ? 'answered' : 'unclear'
}

/** Whether a retry may help. */
export function isRetryable(error: unknown): boolean {
  return error instanceof PipelineError && error.retryable
}
