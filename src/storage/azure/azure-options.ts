import type { Persistence } from '../requests.ts'

/** How Azure Blob Storage is reached. Of key, token and connection string at most one. */
export interface AzureAccess {
  /** Storage account; may be absent where the URI or the connection string names it. */
  readonly accountName?: string
  readonly accountKey?: string
  /** Shared access signature, with or without a question mark. */
  readonly sasToken?: string
  readonly connectionString?: string
  /** Address of a Blob server other than that of Azure, with the account in its path where the server wants it. */
  readonly endpoint?: string
}

/** How a store in Azure behaves; everything has a default. */
export interface AzureStoreOptions extends Persistence {
  /** Objects of at least this size go up in blocks of 8 MiB; default 16 MiB. */
  readonly multipartBytesMin?: number
}
