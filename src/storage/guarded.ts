import type { Access, AccessCircuit } from '../resilience/access-circuit.ts'
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import { Retries, DEFAULT_RETRY_POLICY, type RetryPolicy } from '../resilience/retries.ts'
import { PipelineError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from './store.ts'

/** Configures a guarded store. */
export interface GuardOptions {
  readonly circuit: CircuitBreaker
  /** Circuit of the access to the table; without it requests fail while the store takes none of them. */
  readonly access?: AccessCircuit
  readonly retryPolicy?: Partial<RetryPolicy> | undefined
  readonly clock?: Clock
}

/** Reports a put with an unknown outcome to the circuit. */
const UNKNOWN = new PipelineError('KD_STORE_UNAVAILABLE', 'it is unknown whether the object was created')

/**
 * Wraps a store that has neither a circuit nor retries, such as files on a disk that may be full: requests go through a
 * circuit and are retried. Conditional puts are repeated only when they wrote nothing for certain (KD_STORE_BLOCKED), and
 * streamed bodies never, because they can be read only once. An interrupted listing continues after the last key.
 */
export class GuardedStore implements Store {
  readonly uri: string
  readonly #store: Store
  readonly #retries: Retries
  readonly #access: AccessCircuit | undefined

  /** `store` is closed with this store. */
  constructor(store: Store, { circuit, access, retryPolicy, clock }: GuardOptions) {
    this.uri = store.uri
    this.#store = store
    this.#retries = new Retries({ ...DEFAULT_RETRY_POLICY, ...retryPolicy }, circuit, clock)
    this.#access = access
  }

  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    return this.#run('read', () => this.#store.get(key, range))
  }

  size(key: string): Promise<number | undefined> {
    return this.#run('read', () => this.#store.size(key))
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    let last = startAfter
    let isBroken = false
    let listing = this.#store.list(prefix, last)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.#run('read', async () => {
          if (isBroken) listing = this.#store.list(prefix, last)[Symbol.asyncIterator]()
          isBroken = true
          const found = await listing.next()
          isBroken = false
          return found
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
      ? this.#run('write', () => this.#store.put(key, body))
      : this.#sendStream(() => this.#store.put(key, body))
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    const put = (): Promise<PutIfAbsentOutcome> => this.#putOnceIfAbsent(key, body)
    return this.#access === undefined ? put() : this.#access.run('write', put)
  }

  async #putOnceIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
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
    return this.#run('delete', () => this.#store.delete(key))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #run<T>(access: Access, request: () => Promise<T>): Promise<T> {
    const send = (): Promise<T> => this.#retries.run(request)
    return this.#access === undefined ? send() : this.#access.run(access, send)
  }

  #sendStream<T>(request: () => Promise<T>): Promise<T> {
    const send = (): Promise<T> => this.#retries.once(request)
    return this.#access === undefined ? send() : this.#access.once('write', send)
  }
}
