import { PipelineError } from '../core/errors.ts'
import type { StoreRequest } from './requests.ts'

/** Locates the objects of a store below a prefix of a bucket. */
export class BucketPrefix {
  readonly name: string
  /** Empty or ends with a slash. */
  readonly prefix: string
  readonly #calledAs: 'bucket' | 'container'

  /** `prefix` may be empty and neither begins nor ends with a slash; errors call the bucket `calledAs`. */
  constructor(name: string, prefix: string, calledAs: 'bucket' | 'container' = 'bucket') {
    this.name = name
    this.prefix = prefix === '' ? '' : `${prefix}/`
    this.#calledAs = calledAs
  }

  /** Returns the key in the bucket. */
  keyOf(key: string): string {
    return this.prefix + key
  }

  /** Describes a request for an object, or for a listing whose prefix is `key`. */
  requestOf(operation: string, key: string, bytes?: number): StoreRequest {
    const request = { operation, bucket: this.name, key: this.keyOf(key) }
    return bytes === undefined ? request : { ...request, bytes }
  }

  /**
   * Returns no bytes if the object has a size, so exists: HTTP has no empty range.
   * @throws KD_STORE_NOT_FOUND
   */
  emptyRangeOf(key: string, size: number | undefined): Uint8Array {
    if (size !== undefined) return new Uint8Array(0)
    throw new PipelineError('KD_STORE_NOT_FOUND', 'no object is stored under this key', {
      [this.#calledAs]: this.name,
      key: this.keyOf(key),
    })
  }

  /** Returns the error for a listing that continues with `key`, which is not after `last`. */
  orderErrorOf(key: string, last: string): PipelineError {
    return new PipelineError(
      'KD_STORE_FAILED',
      'the server does not list keys in byte order, or not from the requested key on',
      { [this.#calledAs]: this.name, key, after: last },
    )
  }
}
