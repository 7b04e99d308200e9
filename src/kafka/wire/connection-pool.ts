import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { backoffMs, type BackoffOptions } from '../../resilience/backoff.ts'
import type { PooledConnection } from './network/connect.ts'

/** Names the purpose of a connection: requests for one purpose do not wait for those of another. */
type ConnectionPurpose = 'data' | 'group'

/** Configures a connection pool. */
export interface PoolOptions {
  readonly connectionsMax: number
  readonly backoff: BackoffOptions
  readonly clock: Clock
  /** Connects to a broker of the cluster. */
  readonly connect: (nodeId: number) => Promise<PooledConnection>
}

/** Holds the connection for one broker and purpose, and its backoff. */
interface Slot {
  connection: PooledConnection | undefined
  opening: Promise<PooledConnection> | undefined
  openedAtMs: number
  failures: number
  notBeforeMs: number
}

/**
 * Pools connections by broker and purpose and opens them on demand. Replaces a broken connection with exponential
 * backoff. At the maximum, closes the connection that has been idle the longest.
 */
export class ConnectionPool {
  readonly #options: PoolOptions
  readonly #slots = new Map<string, Slot>()
  readonly #closed = new AbortController()

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Resolves to an open connection; waits for the backoff of an earlier failure. Rethrows errors of `connect`.
   * @throws KD_SOURCE_FAILED if the pool is full and no connection is idle
   */
  get(nodeId: number, purpose: ConnectionPurpose): Promise<PooledConnection> {
    const key = `${purpose} ${nodeId}`
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      slot = { connection: undefined, opening: undefined, openedAtMs: 0, failures: 0, notBeforeMs: 0 }
      this.#slots.set(key, slot)
    }
    if (slot.connection?.isOpen === true) return Promise.resolve(slot.connection)
    const kept = slot
    slot.opening ??= this.#open(nodeId, slot).finally(() => (kept.opening = undefined))
    return slot.opening
  }

  /** Returns whether a connection is open. */
  isOpen(nodeId: number, purpose: ConnectionPurpose): boolean {
    return this.#slots.get(`${purpose} ${nodeId}`)?.connection?.isOpen === true
  }

  /** Closes the connections to a broker. */
  async drop(nodeId: number): Promise<void> {
    for (const [key, { connection }] of this.#slots) if (key.endsWith(` ${nodeId}`)) await connection?.close()
  }

  /** Closes all connections, including those that are being opened. */
  async close(): Promise<void> {
    this.#closed.abort(clusterClosedError())
    for (const { connection } of this.#slots.values()) await connection?.close()
  }

  async #open(nodeId: number, slot: Slot): Promise<PooledConnection> {
    const { clock, connect, backoff } = this.#options
    const nowMs = clock.now()
    if (slot.connection !== undefined) {
      slot.connection = undefined
      // A connection that broke early counts as a failure too: a broker that closes all connections needs backoff.
      if (nowMs - slot.openedAtMs < backoff.maxBackoffMs) this.#failed(slot)
      else slot.failures = 0
    }
    if (slot.notBeforeMs > nowMs) await clock.sleep(slot.notBeforeMs - nowMs, this.#closed.signal)
    this.#closed.signal.throwIfAborted()
    await this.#makeRoom()
    try {
      const connection = await connect(nodeId)
      if (this.#closed.signal.aborted) {
        await connection.close()
        throw clusterClosedError()
      }
      slot.connection = connection
      slot.openedAtMs = clock.now()
      return connection
    } catch (error) {
      this.#failed(slot)
      throw error
    }
  }

  #failed(slot: Slot): void {
    const { clock, backoff } = this.#options
    slot.failures++
    slot.notBeforeMs = clock.now() + backoffMs(slot.failures, backoff)
  }

  async #makeRoom(): Promise<void> {
    const open = [...this.#slots.values()].flatMap(({ connection }) =>
      connection?.isOpen === true ? [connection] : [],
    )
    if (open.length < this.#options.connectionsMax) return
    const [idle] = open.filter((one) => one.isIdle).sort((a, b) => a.lastUsedMs - b.lastUsedMs)
    if (idle === undefined) {
      const detail = `expected an idle connection to close among the maximum of ${this.#options.connectionsMax}, got ${open.length} busy ones`
      throw new PipelineError('KD_SOURCE_FAILED', detail)
    }
    await idle.close()
  }
}

/** Returns the error of a call to a closed cluster. */
export function clusterClosedError(): PipelineError {
  return new PipelineError(
    'KD_KAFKA_UNREACHABLE',
    'expected an open cluster, got a closed one',
    {},
    {
      retryable: false,
    },
  )
}
