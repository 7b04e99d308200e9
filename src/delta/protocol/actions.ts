import type { StructType } from '../../core/schema.ts'

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
  /** The schema as the log holds it, so that a checkpoint repeats it to the letter. Absent for a table not yet written. */
  readonly schemaString?: string
  /** Spec: "Format Specification"; `parquet` without options where absent. */
  readonly format?: Format
}

/** How data files are encoded. Spec: "Format Specification". */
export interface Format {
  readonly provider: string
  readonly options: Readonly<Record<string, string>>
}

/** A `metaData` action as it stands in the log, its schema not yet parsed. Spec: "Change Metadata". */
export type MetadataAction = Omit<Metadata, 'schema' | 'schemaString' | 'format'> & {
  readonly schemaString: string
  readonly format: Format
}

/** Spec: "Protocol Evolution". */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

/** A file that left the table; a tombstone until it expires. Spec: "Add File and Remove File". */
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

/** Spec: "Domain Metadata". */
export interface DomainMetadata {
  readonly domain: string
  readonly configuration: string
  readonly removed: boolean
}

/** Who did what; any valid JSON. Spec: "Commit Provenance Information". */
export type CommitInfo = Readonly<Record<string, unknown>>

/** One line of a commit. Spec: "Actions"; what it does not name is ignored, as "Protocol Evolution" demands. */
export type Action =
  | { readonly kind: 'add'; readonly add: Add }
  | { readonly kind: 'remove'; readonly remove: Remove }
  | { readonly kind: 'txn'; readonly txn: Txn }
  | { readonly kind: 'metaData'; readonly metaData: MetadataAction }
  | { readonly kind: 'protocol'; readonly protocol: Protocol }
  | { readonly kind: 'domainMetadata'; readonly domainMetadata: DomainMetadata }
  | { readonly kind: 'commitInfo'; readonly commitInfo: CommitInfo }

/** The primary key of a logical file: its path and the unique id of its deletion vector. Spec: "Action Reconciliation". */
export function fileKey(file: Pick<Add, 'path' | 'deletionVector'>): string {
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
