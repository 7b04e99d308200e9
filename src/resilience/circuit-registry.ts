import { setMaxListeners } from 'node:events'
import type { Circuit } from '../core/circuit.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { AccessCircuit } from './access-circuit.ts'
import { CircuitBreaker, type CircuitOptions } from './circuit-breaker.ts'

/** The default options: a circuit opens after five consecutive failures, for a minute, and closes after three successes. */
const DEFAULT_CIRCUIT_OPTIONS: CircuitOptions = { failures: 5, openMs: 60_000, successes: 3 }

/** Longest time between two trial requests of a blocked access, in milliseconds. */
const ACCESS_OPEN_MS_MAX = 30_000

/** Holds the clock and callbacks of circuits; everything has a default. */
export interface CircuitsContext {
  readonly clock?: Clock
  /** Aborted when requests must no longer wait for a server: waiting requests then fail immediately. */
  readonly signal?: AbortSignal
  /** Called on every change of state. */
  readonly onChange?: (circuit: Circuit) => void
}

/**
 * Holds the circuits of one process, one for each store and schema registry, and one for the access to each table. Topics
 * that use the same bucket share a circuit. The number of circuits is bounded by the configuration.
 */
export class Circuits {
  readonly #breakers = new Map<string, CircuitBreaker>()
  readonly #accesses = new Map<string, AccessCircuit>()
  readonly #options: CircuitOptions
  readonly #context: CircuitsContext

  constructor(options: Partial<CircuitOptions> = {}, context: CircuitsContext = {}) {
    this.#options = { ...DEFAULT_CIRCUIT_OPTIONS, ...options }
    this.#context = context
    // Each open circuit adds a listener.
    if (context.signal !== undefined) setMaxListeners(0, context.signal)
  }

  /** Aborted when requests must no longer wait for a server. */
  get signal(): AbortSignal {
    return this.#context.signal ?? NEVER
  }

  /** Returns the circuit of a store by its name, such as `s3://lake`. */
  store(name: string): CircuitBreaker {
    return this.#breaker('store', name)
  }

  /** Returns the circuit of a schema registry by its address without credentials. */
  registry(name: string): CircuitBreaker {
    return this.#breaker('registry', name)
  }

  /** Returns the circuit of the access to a table by its name, such as `s3://lake/orders`. */
  access(name: string): AccessCircuit {
    const existing = this.#accesses.get(name)
    if (existing !== undefined) return existing
    const { clock = systemClock, signal = NEVER, onChange = () => undefined } = this.#context
    const openMs = Math.min(this.#options.openMs, ACCESS_OPEN_MS_MAX)
    const created = new AccessCircuit(name, { clock, signal, onChange, openMs })
    this.#accesses.set(name, created)
    return created
  }

  /**
   * Returns the current state of all circuits, in the order of their creation. The access to a table appears once it was
   * blocked; a local table has one circuit for both.
   */
  all(): readonly Circuit[] {
    const shown = new Map([...this.#breakers].map(([key, { circuit }]) => [key, circuit]))
    for (const { name, circuit } of this.#accesses.values()) {
      if (circuit.openedCount === 0) continue
      const server = shown.get(`store ${name}`)
      shown.set(`store ${name}`, server === undefined ? circuit : merged(server, circuit))
    }
    return [...shown.values()]
  }

  #breaker(kind: 'store' | 'registry', name: string): CircuitBreaker {
    const key = `${kind} ${name}`
    const existing = this.#breakers.get(key)
    if (existing !== undefined) return existing
    const { clock = systemClock, signal = NEVER, onChange = () => undefined } = this.#context
    const created = new CircuitBreaker(kind, name, { options: this.#options, clock, signal, onChange })
    this.#breakers.set(key, created)
    return created
  }
}

/** Returns the state of a server and of the access to it as one circuit: of the two, the one that is not closed. */
function merged(server: Circuit, access: Circuit): Circuit {
  const shown = server.state === 'closed' ? access : server
  return {
    ...shown,
    openedCount: server.openedCount + access.openedCount,
    retries: server.retries + access.retries,
    ...(server.silentSinceMs === undefined ? {} : { silentSinceMs: server.silentSinceMs }),
  }
}

const NEVER = new AbortController().signal
setMaxListeners(0, NEVER)
