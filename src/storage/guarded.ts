import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, RETRY, type RetryPatience } from '../resilience/retries.ts'
import { PipelineError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from './store.ts'

/** How a store is guarded. */
export interface GuardOptions {
  readonly circuit: CircuitBreaker
  readonly patience?: Partial<RetryPatience> | undefined
  readonly clock?: Clock
}

/** What a request ended in, for a circuit that must hear of a put whose outcome is not known. */
const UNKNOWN = new PipelineError('KD_STORE_UNAVAILABLE', 'nobody knows whether the object was created')

/**
 * A store whose requests go through a circuit and are repeated while that may help: for stores that do neither by
 * themselves, such as files on a disk that is full. A conditional put is never repeated, nor is a body that is streamed,
 * which can be read only once; a listing that broke off goes on behind the last key.
 */
export class GuardedStore implements Store {
  readonly uri: string
  readonly #store: Store
  readonly #retries: Retries

  /** `store` is closed with this one. */
  constructor(store: Store, { circuit, patience, clock }: GuardOptions) {
    this.uri = store.uri
    this.#store = store
    this.#retries = new Retries({ ...RETRY, ...patience }, circuit, clock)
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
