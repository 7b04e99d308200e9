import type { StructType } from '../core/schema.ts'

/** A file that belongs to the table. Spec: "Add File and Remove File". `size` and `modificationTime` are safe integers. */
export interface Add {
  /** Relative to the table root and URL-encoded, as the log holds it. */
  readonly path: string
  /** Physical column name → serialised value; `null` for a null value. Spec: "Partition Value Serialization". */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  /** JSON text. Spec: "Per-file Statistics". */
  readonly stats?: string
  readonly tags?: Readonly<Record<string, string | null>>
  readonly deletionVector?: Readonly<Record<string, unknown>>
  readonly baseRowId?: bigint
  readonly defaultRowCommitVersion?: bigint
  readonly clusteringProvider?: string
}

/** Spec: "Transaction Identifiers". */
export interface Txn {
  readonly appId: string
  readonly version: bigint
  /** Milliseconds since the epoch. */
  readonly lastUpdated?: number
}

/** Spec: "Change Metadata"; `schema` is `schemaString` parsed. */
export interface Metadata {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTime?: number
}

/** Spec: "Protocol Evolution". */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}
