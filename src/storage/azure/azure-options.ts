import type { StoreRequestOptions } from '../requests.ts'

/** Configures the access to Azure Blob Storage, with at most one of key, token and connection string. */
export interface AzureAccess {
  /** Storage account; may be absent if the URI or the connection string contains it. */
  readonly accountName?: string
  readonly accountKey?: string
  /** Shared access signature, with or without a question mark. */
  readonly sasToken?: string
  readonly connectionString?: string
  /** Address of another Blob server than Azure's, with the account in its path if the server requires it. */
  readonly endpoint?: string
}

/** Configures a store in Azure; everything has a default. */
export interface AzureStoreOptions extends StoreRequestOptions {
  /** Objects of at least this size are uploaded in blocks of 8 MiB; default 16 MiB. */
  readonly multipartBytesMin?: number
}
