import { setMaxListeners } from 'node:events'
import type { Circuit } from '../core/circuit.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { CircuitBreaker, type CircuitOptions } from './circuit-breaker.ts'

/** Opens after five failures on end, for a minute, until three answers on end. */
export const CIRCUIT: CircuitOptions = { failures: 5, openMs: 60_000, successes: 3 }

/** What circuits need of their surroundings; everything has a default. */
export interface CircuitsParts {
  readonly clock?: Clock
  /** Aborted once nobody shall wait for a server any more: who waits then fails at once. */
  readonly signal?: AbortSignal
  /** Told of every change of state. */
  readonly onChange?: (circuit: Circuit) => void
}

/**
 * The circuits of one process, one for each server that it stores in or asks for schemas: whatever goes to the same
 * bucket shares one. There are as many as the configuration names.
 */
export class Circuits {
  readonly #breakers = new Map<string, CircuitBreaker>()
  readonly #options: CircuitOptions
  readonly #parts: CircuitsParts

  constructor(options: Partial<CircuitOptions> = {}, parts: CircuitsParts = {}) {
    this.#options = { ...CIRCUIT, ...options }
    this.#parts = parts
    // One for each circuit that is open.
    if (parts.signal !== undefined) setMaxListeners(0, parts.signal)
  }

  /** Aborted once nobody shall wait for a server any more. */
  get signal(): AbortSignal {
    return this.#parts.signal ?? NEVER
  }

  /** The circuit of a store by its name, such as `s3://lake`. */
  store(name: string): CircuitBreaker {
    return this.#breaker('store', name)
  }

  /** The circuit of a schema registry by its address without a login. */
  registry(name: string): CircuitBreaker {
    return this.#breaker('registry', name)
  }

  /** How all of them stand now, in the order in which they were first asked for. */
  all(): readonly Circuit[] {
    return [...this.#breakers.values()].map(({ circuit }) => circuit)
  }

  #breaker(kind: 'store' | 'registry', name: string): CircuitBreaker {
    const key = `${kind} ${name}`
    const there = this.#breakers.get(key)
    if (there !== undefined) return there
    const { clock = systemClock, signal = NEVER, onChange = () => undefined } = this.#parts
    const made = new CircuitBreaker(kind, name, { options: this.#options, clock, signal, onChange })
    this.#breakers.set(key, made)
    return made
  }
}

const NEVER = new AbortController().signal
setMaxListeners(0, NEVER)
