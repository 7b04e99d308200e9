import type { Circuit } from '../core/circuit.ts'
import type { Clock } from '../core/clock.ts'
import { PipelineError } from '../core/errors.ts'
import { CircuitBreaker, type CircuitBreakerContext } from './circuit-breaker.ts'
import { isBlocked } from './server-availability.ts'

/**
 * Names what a request does with its store. Reads and writes are blocked separately: a full disk can be read. Deletes never
 * wait, because they free space and clean up, and a store may refuse them alone.
 */
export type Access = 'read' | 'write' | 'delete'

/** Holds the clock and callbacks of an access circuit. */
interface AccessCircuitContext {
  readonly clock: Clock
  /** Aborted when requests must no longer wait. */
  readonly signal: AbortSignal
  readonly onChange: (circuit: Circuit) => void
  /** Time between two trial requests while the access is blocked, in milliseconds. */
  readonly openMs: number
}

/** Errors of streamed requests that an access circuit has sent, and that it holds back when they are sent again. */
const HELD_BACK = new WeakSet()

/**
 * Returns true if the request failed because its access is blocked, and a circuit holds it back when it is sent again. A
 * stream cannot be sent again by the store itself, because it is read only once.
 */
export function isHeldBack(error: unknown): boolean {
  return error instanceof PipelineError && HELD_BACK.has(error)
}

/**
 * Guards the access to one table: its requests wait while the store answers but takes none of them, such as on a full disk
 * or after credentials have expired. The first such answer opens it. One request is then tried at each interval, without
 * limit, and the first success closes it.
 */
export class AccessCircuit {
  readonly name: string
  /** Time between two trial requests, in milliseconds. */
  readonly openMs: number
  readonly #signal: AbortSignal
  readonly #breakers: Readonly<Record<'read' | 'write', CircuitBreaker>>
  readonly #worked = new Set<Access>()

  constructor(name: string, { clock, signal, onChange, openMs }: AccessCircuitContext) {
    this.name = name
    this.openMs = openMs
    this.#signal = signal
    const context: CircuitBreakerContext = {
      options: { failures: 1, openMs, successes: 1 },
      clock,
      signal,
      onChange: () => onChange(this.circuit),
      availabilityOf: (error) => (isBlocked(error) ? 'down' : 'unclear'),
    }
    this.#breakers = {
      read: new CircuitBreaker('store', name, context),
      write: new CircuitBreaker('store', name, context),
    }
  }

  /** The state of the access that is blocked, or of writes when none is. */
  get circuit(): Circuit {
    const read = this.#breakers.read.circuit
    const write = this.#breakers.write.circuit
    const shown = write.state === 'closed' && read.state !== 'closed' ? read : write
    const reason = shown.reason ?? read.reason
    return {
      ...shown,
      openedCount: read.openedCount + write.openedCount,
      retries: read.retries + write.retries,
      ...(reason === undefined ? {} : { reason }),
    }
  }

  /**
   * Returns true once a request of this kind, or by default of any kind, has succeeded in this process. A refusal before
   * that is a fault of the configuration; after that it is an outage.
   */
  hasWorked(access?: Access): boolean {
    return access === undefined ? this.#worked.size > 0 : this.#worked.has(access)
  }

  /**
   * Sends a request as soon as its access is not blocked, and again for as long as the answer is that it is. Rethrows all
   * other errors of the request.
   * @throws KD_STORE_UNAVAILABLE if the signal aborted while the request waited
   */
  async run<T>(access: Access, request: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.once(access, request)
      } catch (error) {
        if (access === 'delete' || !isBlocked(error) || this.#signal.aborted) throw error
        this.#breakers[access].countRetry()
      }
    }
  }

  /**
   * Sends a request once, as soon as its access is not blocked, and rethrows its errors.
   * @throws KD_STORE_UNAVAILABLE if the signal aborted while the request waited
   */
  async once<T>(access: Access, request: () => Promise<T>): Promise<T> {
    if (access === 'delete') return await request()
    try {
      const value = await this.#breakers[access].execute(request)
      this.#worked.add(access)
      return value
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'KD_STORE_NOT_FOUND') this.#worked.add(access)
      if (error instanceof PipelineError && isBlocked(error) && !this.#signal.aborted) HELD_BACK.add(error)
      throw error
    }
  }
}
