import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, DEFAULT_RETRY_POLICY, type RetryPolicy } from '../resilience/retries.ts'
import { PipelineError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from './store.ts'

/** Configures a guarded store. */
export interface GuardOptions {
  readonly circuit: CircuitBreaker
  readonly retryPolicy?: Partial<RetryPolicy> | undefined
  readonly clock?: Clock
}

/** Reports a put with an unknown outcome to the circuit. */
const UNKNOWN = new PipelineError('KD_STORE_UNAVAILABLE', 'it is unknown whether the object was created')

/**
 * Wraps a store that has neither a circuit nor retries, such as files on a disk that may be full: requests go through a
 * circuit and are retried. Conditional puts are never retried, nor are streamed bodies, which can be read only once; an
 * interrupted listing continues after the last key.
 */
export class GuardedStore implements Store {
  readonly uri: string
  readonly #store: Store
  readonly #retries: Retries

  /** `store` is closed with this store. */
  constructor(store: Store, { circuit, retryPolicy, clock }: GuardOptions) {
    this.uri = store.uri
    this.#store = store
    this.#retries = new Retries({ ...DEFAULT_RETRY_POLICY, ...retryPolicy }, circuit, clock)
  }

  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    return this.#retries.run(() => this.#store.get(key, range))
  }

  size(key: string): Promise<number | undefined> {
    return this.#retries.run(() => this.#store.size(key))
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    let last = startAfter
    let listing = this.#store.list(prefix, last)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.#retries.run(async (count) => {
          if (count > 1) listing = this.#store.list(prefix, last)[Symbol.asyncIterator]()
          return listing.next()
        })
        if (next.done === true) return
        last = next.value.key
        yield next.value
      }
    } finally {
      await listing.return?.()
    }
  }

  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    return body instanceof Uint8Array
      ? this.#retries.run(() => this.#store.put(key, body))
      : this.#retries.once(() => this.#store.put(key, body))
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    try {
      return await this.#retries.once(async () => {
        const outcome = await this.#store.putIfAbsent(key, body)
        if (outcome === 'unknown') throw UNKNOWN
        return outcome
      })
    } catch (error) {
      if (error === UNKNOWN) return 'unknown'
      throw error
    }
  }

  delete(key: string): Promise<void> {
    return this.#retries.run(() => this.#store.delete(key))
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
