import { isUnexpectedError, PipelineError, type ErrorCode } from '../core/errors.ts'

/**
 * Names when an error is an outage, which comes from outside and may pass: `always`, `once-worked` if the servers have
 * served the topic before, so that its configuration was right, `by-cause` if the error that caused it is one, or `never`.
 */
export type OutageRule = 'always' | 'once-worked' | 'by-cause' | 'never'

/** Lists the errors that may be outages; all others never are. */
export const OUTAGE_RULES: Readonly<Partial<Record<ErrorCode, OutageRule>>> = {
  KD_KAFKA_UNREACHABLE: 'always',
  KD_STORE_UNAVAILABLE: 'always',
  KD_STORE_BLOCKED: 'always',
  KD_KAFKA_AUTH_FAILED: 'once-worked',
  KD_KAFKA_TLS_FAILED: 'once-worked',
  KD_KAFKA_FORBIDDEN: 'once-worked',
  KD_TOPIC_MISSING: 'once-worked',
  KD_REGISTRY_FAILED: 'once-worked',
  KD_SOURCE_FAILED: 'by-cause',
  KD_DEAD_LETTERS_FAILED: 'by-cause',
}

/**
 * Returns true if a topic failed because of an outage. It is then restarted without limit, because a restart that meets
 * the same outage is no trial of the topic. An error with the code of a network or system failure counts too.
 */
export function isOutage(error: unknown, hasWorked: boolean): boolean {
  if (!(error instanceof PipelineError)) return isSystemError(error)
  switch (OUTAGE_RULES[error.code] ?? 'never') {
    case 'always':
      return true
    case 'once-worked':
      return error.retryable || hasWorked
    case 'by-cause':
      return error.cause === undefined
        ? error.code === 'KD_SOURCE_FAILED' && error.retryable
        : isOutage(error.cause, hasWorked)
    case 'never':
      return false
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && !isUnexpectedError(error)
}
