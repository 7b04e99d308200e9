/** How a circuit stands: `open` lets nothing through, `half-open` a trial. */
export type CircuitState = 'closed' | 'half-open' | 'open'

/** What the process knows of a server that it leans on: a store, a schema registry, the Kafka brokers. */
export interface Circuit {
  readonly kind: 'store' | 'registry' | 'kafka'
  /** The server or bucket, without secrets: such as `s3://lake`. */
  readonly name: string
  readonly state: CircuitState
  /** Milliseconds since the epoch at which the state was entered. */
  readonly sinceMs: number
  /** How often it has opened since the process began. */
  readonly opened: number
  /** Requests that were repeated since the process began. */
  readonly retries: number
  /** True where it is half open and requests go through nevertheless, since the first trial was answered. */
  readonly isPassing?: true
  /** Why it opened last, without secrets; absent where it never did. */
  readonly reason?: string
}
