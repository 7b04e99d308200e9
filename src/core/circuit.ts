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
  /** True while the circuit is half open and lets requests through because the first trial succeeded. */
  readonly isPassing?: true
  /** Why the circuit last opened, without secrets; absent if it never opened. */
  readonly reason?: string
}
