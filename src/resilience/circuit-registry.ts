import { setMaxListeners } from 'node:events'
import type { Circuit } from '../core/circuit.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { CircuitBreaker, type CircuitOptions } from './circuit-breaker.ts'

/** The default options: a circuit opens after five consecutive failures, for a minute, and closes after three successes. */
const DEFAULT_CIRCUIT_OPTIONS: CircuitOptions = { failures: 5, openMs: 60_000, successes: 3 }

/** Holds the clock and callbacks of circuits; everything has a default. */
export interface CircuitsContext {
  readonly clock?: Clock
  /** Aborted when requests must no longer wait for a server: waiting requests then fail immediately. */
  readonly signal?: AbortSignal
  /** Called on every change of state. */
  readonly onChange?: (circuit: Circuit) => void
}

/**
 * Holds the circuits of one process, one for each store and schema registry. Topics that use the same bucket share a
 * circuit. The number of circuits is bounded by the configuration.
 */
export class Circuits {
  readonly #breakers = new Map<string, CircuitBreaker>()
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

  /** Returns the current state of all circuits, in the order of their creation. */
  all(): readonly Circuit[] {
    return [...this.#breakers.values()].map(({ circuit }) => circuit)
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

const NEVER = new AbortController().signal
setMaxListeners(0, NEVER)
