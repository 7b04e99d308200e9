import { PipelineError } from '../core/errors.ts'

/** One object of a listing. */
export interface StoredObject {
  /** Key relative to the store's root, `/`-separated, never starting with `/`. */
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
}

/** What became of a put that must not overwrite. */
export type PutIfAbsentOutcome =
  /** The object is ours. */
  | 'created'
  /** Somebody's object was there before; nothing was written. */
  | 'exists'
  /** No answer, or one that does not tell (time-out, 5xx, 409, a 412 after our own retry): only reading can settle it. */
  | 'unknown'

/**
 * A place for objects under one root: what the Delta log and data files need of a store, and nothing else.
 * Keys are relative to the root. Every method throws `KD_STORE_UNAVAILABLE` (a retry may help; the store has already
 * retried with backoff within its stated maximum) or `KD_STORE_FAILED` (it will not).
 */
export interface Store {
  /** The root as the user wrote it, without secrets: `s3://bucket/prefix`, `/data/table`, `memory:name`. */
  readonly uri: string
  /** The whole object, or a range: `start` inclusive, `end` exclusive. Throws `KD_STORE_NOT_FOUND`. */
  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Uint8Array>
  /** Size in bytes, or `undefined` where there is no such object. */
  size(key: string): Promise<number | undefined>
  /** Objects whose key starts with `prefix`, in ascending byte order of key, strictly after `startAfter`. Pages lazily. */
  list(prefix: string, startAfter?: string): AsyncIterable<StoredObject>
  /** Creates or replaces. Atomic: a reader sees the old object or the whole new one. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }>
  /** Creates, never replaces; of any number of concurrent calls for one key at most one gets `created`. */
  putIfAbsent(key: string, body: Uint8Array): Promise<PutIfAbsentOutcome>
  /** Deletes; an absent object is no error. */
  delete(key: string): Promise<void>
  /** Releases sockets and the like. */
  close(): Promise<void>
}

/** What a request to a store gives, or `undefined` where the object does not exist. */
export async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KD_STORE_NOT_FOUND') return undefined
    throw error
  }
}
