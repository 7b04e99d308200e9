import type { Persistence } from '../requests.ts'

/** How Google Cloud Storage is reached; everything has a default. */
export interface GcsStoreOptions extends Persistence {
  /** Address of a server other than that of Google, such as `http://127.0.0.1:4443`. */
  readonly endpoint?: string
  /** File with the key of a service account or another credential; absent, the standard chain of Google finds one. */
  readonly keyFile?: string
  /** Send no credentials: for public buckets and servers of one's own; default false. */
  readonly anonymous?: boolean
  /** Objects of at least this size go up in parts of 8 MiB; default 16 MiB. */
  readonly multipartBytesMin?: number
}
