import type { ErrorCode } from './errors.ts'

/** Names the state of a circuit: `open` lets no request through, `half-open` lets a trial request through. */
export type CircuitState = 'closed' | 'half-open' | 'open'

/** Describes the state of a server that the process depends on: a store, a schema registry or the Kafka brokers. */
export interface Circuit {
  readonly kind: 'store' | 'registry' | 'kafka'
  /** The server or bucket, without secrets, such as `s3://lake`. */
  readonly name: string
  readonly state: CircuitState
  /** Milliseconds since the epoch at which the state was entered. */
  readonly sinceMs: number
  /** Times that the circuit has opened since the process started. */
  readonly openedCount: number
  /** Requests that were retried since the process started. */
  readonly retries: number
  /** True while the circuit is half open and lets requests through: the first trial succeeded, or it holds none back. */
  readonly isPassing?: true
  /** Why the circuit last opened, without secrets; absent if it never opened. */
  readonly reason?: string
  /** Code of the error that last opened the circuit, if it has one. */
  readonly code?: ErrorCode
  /**
   * Time since which requests wait for the server and it has answered none, in milliseconds since the epoch; absent if that is
   * not long enough to be told from a slow request.
   */
  readonly silentSinceMs?: number
  /** Time of the next trial request while the circuit is open, in milliseconds since the epoch; absent if none is planned. */
  readonly trialAtMs?: number
}
