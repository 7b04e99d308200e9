import type { CreditWait } from '../../core/credit/credit.ts'
import { messageOf, PipelineError, type ErrorCode } from '../../core/errors.ts'

/**
 * Names the state of a topic's run: `opening` its table, `running`, `paused` by an operator, `restarting` after a
 * retryable failure, `failed` permanently, or `ended` because it was stopped or has caught up.
 */
export type RunState = 'opening' | 'running' | 'paused' | 'restarting' | 'failed' | 'ended'

/** Names the phase of a topic's run; it can be paused in each of them. */
export type TopicPhase = Exclude<RunState, 'paused'>

/** Describes the last failure of a topic, also while it waits for its restart. */
export interface TopicFailure {
  /** Absent when the error has no code of the catalogue. */
  readonly code?: ErrorCode
  /** Contains no secrets. */
  readonly message: string
  /** Milliseconds since the epoch, as for all times here. */
  readonly atMs: number
  /** Time of the restart; absent when there is none. */
  readonly retryAtMs?: number
  readonly error: unknown
}

/** Describes the work of a topic between Kafka and its table. */
export interface InFlightWork {
  /** A batch that was read and waits for credit. */
  readonly waiting?: CreditWait
  /** Bytes read that are not in a flush yet. */
  readonly bufferedBytes: number
  /** Flushes on their way to the table, oldest first. */
  readonly flushes: readonly InFlightFlush[]
}

/** Describes the position of one flush. */
export interface InFlightFlush {
  readonly id: number
  readonly records: number
  readonly bytes: number
  /** The stage working on it, or `wait` between stages. */
  readonly stage: string
  readonly sinceMs: number
}

/** Describes a thrown error as a topic failure. */
export function failureOf(error: unknown, atMs: number): TopicFailure {
  const code = error instanceof PipelineError ? error.code : undefined
  return { ...(code === undefined ? {} : { code }), message: messageOf(error), atMs, error }
}
