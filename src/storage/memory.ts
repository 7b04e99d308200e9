import { PipelineError } from '../core/errors.ts'
import { checkKey, checkPrefix, compareKeys } from './keys.ts'
import type { PutIfAbsentOutcome, Store, StoredObject } from './store.ts'

/** Describes a request to a memory store for the fault hook. */
export interface MemoryRequest {
  readonly operation: 'get' | 'size' | 'list' | 'put' | 'putIfAbsent' | 'delete'
  /** The key, or the prefix of a listing. */
  readonly key: string
}

/**
 * Names the fault of a request: `refused` fails permanently, `lost` never reaches the store, `answer-lost` is executed but
 * its response is lost. Conditional puts report the latter two as `unknown`.
 */
export type MemoryFault = 'refused' | 'lost' | 'answer-lost'

/** Configures a memory store. */
export interface MemoryOptions {
  /** Called before each request, but not for each page of a listing; may wait, to control the order of requests. */
  readonly fault?: (request: MemoryRequest) => MemoryFault | undefined | Promise<MemoryFault | undefined>
  /** Returns milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number
}

// Always a separate Uint8Array: `slice` of a Buffer would be a view of the caller's bytes.
interface Held {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

/** Objects by store name: stores with the same name in one process share their objects, as with a folder. */
const NAMED_STORES = new Map<string, Map<string, Held>>()

/** Stores objects in the memory of the process until it ends; for tests. */
export class MemoryStore implements Store {
  readonly uri: string
  readonly #objects: Map<string, Held>
  readonly #fault: NonNullable<MemoryOptions['fault']>
  readonly #now: () => number

  /** With an empty `name` the store shares its objects with no other store. */
  constructor(name = '', options: MemoryOptions = {}) {
    this.uri = `memory:${name}`
    this.#objects = (name === '' ? undefined : NAMED_STORES.get(name)) ?? new Map<string, Held>()
    if (name !== '') NAMED_STORES.set(name, this.#objects)
    this.#fault = options.fault ?? (() => undefined)
    this.#now = options.now ?? Date.now
  }

  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array> {
    checkKey(key)
    return this.#request({ operation: 'get', key }, () => {
      const held = this.#objects.get(key)
      if (held === undefined)
        throw new PipelineError('KD_STORE_NOT_FOUND', 'no object is stored under this key', {
          store: this.uri,
          key,
        })
      // A copy, so that callers cannot change the stored bytes.
      return held.bytes.slice(range?.start ?? 0, range?.end ?? held.bytes.length)
    })
  }

  size(key: string): Promise<number | undefined> {
    checkKey(key)
    return this.#request({ operation: 'size', key }, () => this.#objects.get(key)?.bytes.length)
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<StoredObject, void> {
    checkPrefix(prefix)
    const keys = await this.#request({ operation: 'list', key: prefix }, () =>
      [...this.#objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .filter((key) => startAfter === undefined || compareKeys(key, startAfter) > 0)
        .sort(compareKeys),
    )
    for (const key of keys) {
      const held = this.#objects.get(key)
      if (held !== undefined) yield { key, bytes: held.bytes.length, modifiedMs: held.modifiedMs }
    }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    checkKey(key)
    const bytes = body instanceof Uint8Array ? new Uint8Array(body) : await joined(body)
    return this.#request({ operation: 'put', key }, () => {
      this.#objects.set(key, { bytes, modifiedMs: this.#now() })
      return { bytes: bytes.length }
    })
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    const bytes = new Uint8Array(body)
    try {
      return await this.#request({ operation: 'putIfAbsent', key }, () => {
        if (this.#objects.has(key)) return 'exists'
        this.#objects.set(key, { bytes, modifiedMs: this.#now() })
        return 'created'
      })
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'KD_STORE_UNAVAILABLE') return 'unknown'
      throw error
    }
  }

  delete(key: string): Promise<void> {
    checkKey(key)
    return this.#request({ operation: 'delete', key }, () => {
      this.#objects.delete(key)
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #request<T>(request: MemoryRequest, carryOut: () => T): Promise<T> {
    const fault = await this.#fault(request)
    const where = { store: this.uri, key: request.key }
    if (fault === 'refused')
      throw new PipelineError('KD_STORE_FAILED', `${request.operation} was refused`, where)
    if (fault === 'lost')
      throw new PipelineError('KD_STORE_UNAVAILABLE', `${request.operation} did not reach the store`, where)
    const result = carryOut()
    if (fault === 'answer-lost')
      throw new PipelineError('KD_STORE_UNAVAILABLE', `the response to ${request.operation} was lost`, where)
    return result
  }
}

async function joined(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(new Uint8Array(chunk))
  return new Uint8Array(Buffer.concat(chunks))
}
