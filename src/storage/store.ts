import { PipelineError } from '../core/errors.ts'

/** Describes an object in a listing. */
export interface StoredObject {
  /** Key relative to the store's root, `/`-separated, never starting with `/`. */
  readonly key: string
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number
}

/** Names the outcome of a put that must not overwrite. */
export type PutIfAbsentOutcome =
  /** This call created the object. */
  | 'created'
  /** The object existed before; nothing was written. */
  | 'exists'
  /** No response, or an unclear one (timeout, 5xx, 409): only reading the object shows the outcome. */
  | 'unknown'

/**
 * Stores objects under one root, with the operations that the Delta log and data files need. Keys are relative to the
 * root. Every method throws `KD_STORE_UNAVAILABLE` (a later retry may help; the store has already retried within its
 * retry policy) or `KD_STORE_FAILED` (a retry does not help).
 */
export interface Store {
  /** URI of the root as the user wrote it, without secrets: `s3://bucket/prefix`, `/data/table`, `memory:name`. */
  readonly uri: string
  /** Reads the whole object or a range (`start` inclusive, `end` exclusive). @throws KD_STORE_NOT_FOUND */
  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array>
  /** Returns the size in bytes, or `undefined` if the object does not exist. */
  size(key: string): Promise<number | undefined>
  /** Lists the objects with `prefix`, in ascending byte order of keys, after `startAfter` (exclusive). Pages are read lazily. */
  list(prefix: string, startAfter?: string): AsyncIterable<StoredObject>
  /** Creates or replaces an object atomically: readers see the old object or the complete new one. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }>
  /** Creates an object and never replaces one; at most one of several concurrent calls for a key returns `created`. */
  putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome>
  /** Deletes an object; a missing object is not an error. */
  delete(key: string): Promise<void>
  /** Releases sockets and other resources. */
  close(): Promise<void>
}

/** Awaits a request to a store; resolves with `undefined` if the object does not exist. */
export async function undefinedIfNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KD_STORE_NOT_FOUND') return undefined
    throw error
  }
}
