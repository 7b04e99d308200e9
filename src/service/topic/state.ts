import type { CreditWait } from '../../core/credit/credit.ts'
import type { ErrorCode } from '../../core/errors.ts'

/**
 * How a topic is carried: `opening` its table, `running`, `paused` by hand, `restarting` after a failure that a retry may
 * fix, `failed` for good, or `ended` because it was stopped or has caught up.
 */
export type RunState = 'opening' | 'running' | 'paused' | 'restarting' | 'failed' | 'ended'

/** What a topic failed with last; told while it waits to begin again too. */
export interface TopicFailure {
  /** Absent where it is no error of the catalogue. */
  readonly code?: ErrorCode
  /** Without secrets. */
  readonly message: string
  /** Milliseconds since the epoch, as all times here. */
  readonly atMs: number
  /** When it begins again; absent where it does not. */
  readonly retryAtMs?: number
  readonly error: unknown
}

/** Where the work of a topic stands. */
export interface Standing {
  /** A batch that was read and may not flow yet. */
  readonly waiting?: CreditWait
  /** Bytes that were read and are in no flush yet. */
  readonly bufferedBytes: number
  /** Those on their way to the table, oldest first. */
  readonly flushes: readonly FlushStanding[]
}

/** Where one flush stands. */
export interface FlushStanding {
  readonly id: number
  readonly records: number
  readonly bytes: number
  /** The stage that works on it, or `wait` between two. */
  readonly stage: string
  readonly sinceMs: number
}
