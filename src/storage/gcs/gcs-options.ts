import type { StoreRequestOptions } from '../requests.ts'

/** Configures the access to Google Cloud Storage; everything has a default. */
export interface GcsStoreOptions extends StoreRequestOptions {
  /** Address of another server than Google's, such as `http://127.0.0.1:4443`. */
  readonly endpoint?: string
  /** File with the key of a service account or another credential; Google's default credentials if absent. */
  readonly keyFile?: string
  /** Sends no credentials: for public buckets and local servers; default false. */
  readonly anonymous?: boolean
  /** Objects of at least this size are uploaded in parts of 8 MiB; default 16 MiB. */
  readonly multipartBytesMin?: number
}
