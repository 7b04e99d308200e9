import type { StructType } from '../../core/schema.ts'

/**
 * Describes a data file that belongs to the table. `size` and `modificationTime` are safe integers. Spec: "Add File and
 * Remove File".
 */
export interface Add {
  /** Path relative to the table root, URL-encoded as in the log. */
  readonly path: string
  /** Serialised value by physical column name; `null` for a null value. Spec: "Partition Value Serialization". */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  /** Statistics as JSON text. Spec: "Per-file Statistics". */
  readonly stats?: string
  readonly tags?: Readonly<Record<string, string | null>>
  readonly deletionVector?: Readonly<Record<string, unknown>>
  readonly baseRowId?: bigint
  readonly defaultRowCommitVersion?: bigint
  readonly clusteringProvider?: string
}

/** Records the last version that an application has committed to the table. Spec: "Transaction Identifiers". */
export interface Txn {
  readonly appId: string
  readonly version: bigint
  /** Milliseconds since the epoch. */
  readonly lastUpdated?: number
}

/**
 * Describes the table: schema, partition columns and properties. `schema` is the parsed `schemaString`. Spec: "Change
 * Metadata".
 */
export interface Metadata {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTime?: number
  /** Schema text of the log, which a checkpoint must repeat exactly. Absent for a table that is not written yet. */
  readonly schemaString?: string
  /** File format; absent means `parquet` without options. Spec: "Format Specification". */
  readonly format?: FileFormat
}

/** Names the encoding of data files. Spec: "Format Specification". */
export interface FileFormat {
  readonly provider: string
  readonly options: Readonly<Record<string, string>>
}

/**
 * A `metaData` action holds the metadata as the log stores it, with the schema not yet parsed. Spec: "Change Metadata".
 */
export type MetadataAction = Omit<Metadata, 'schema' | 'schemaString' | 'format'> & {
  readonly schemaString: string
  readonly format: FileFormat
}

/**
 * Names the versions and features that a client must support to read or write the table. Spec: "Protocol Evolution".
 */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

/**
 * Marks a file as removed from the table; it remains in the log as a tombstone until it expires. Spec: "Add File and
 * Remove File".
 */
export interface Remove {
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly deletionTimestamp?: number
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean
  readonly partitionValues?: Readonly<Record<string, string | null>>
  readonly size?: number
  readonly deletionVector?: Readonly<Record<string, unknown>>
  readonly baseRowId?: bigint
  readonly defaultRowCommitVersion?: bigint
}

/** Holds the configuration of one metadata domain. Spec: "Domain Metadata". */
export interface DomainMetadata {
  readonly domain: string
  readonly configuration: string
  readonly removed: boolean
}

/** Holds the provenance of a commit, as any valid JSON object. Spec: "Commit Provenance Information". */
export type CommitInfo = Readonly<Record<string, unknown>>

/**
 * An action is one line of a commit. Kinds that are not listed here are ignored, as "Protocol Evolution" requires.
 * Spec: "Actions".
 */
export type Action =
  | { readonly kind: 'add'; readonly add: Add }
  | { readonly kind: 'remove'; readonly remove: Remove }
  | { readonly kind: 'txn'; readonly txn: Txn }
  | { readonly kind: 'metaData'; readonly metaData: MetadataAction }
  | { readonly kind: 'protocol'; readonly protocol: Protocol }
  | { readonly kind: 'domainMetadata'; readonly domainMetadata: DomainMetadata }
  | { readonly kind: 'commitInfo'; readonly commitInfo: CommitInfo }

/**
 * Returns the primary key of a logical file: its path and the unique id of its deletion vector. Spec: "Action
 * Reconciliation".
 */
export function logicalFileKey(file: Pick<Add, 'path' | 'deletionVector'>): string {
  const vector = file.deletionVector
  if (vector === undefined) return file.path
  const part = (name: string): string => {
    const value = vector[name]
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : ''
  }
  return `${file.path}\n${part('storageType')}${part('pathOrInlineDv')}@${part('offset')}`
}
