import type { DataType, StructField, StructType } from '../core/schema.ts'
import type { Add, MetadataAction, Protocol, Remove, Txn, DomainMetadata } from './actions.ts'

/** One row of a checkpoint: one action, the other columns null. Spec: "Checkpoints". */
export type CheckpointRow =
  | { readonly protocol: Protocol }
  | { readonly metaData: MetadataAction }
  | { readonly txn: Txn }
  | { readonly domainMetadata: DomainMetadata }
  | { readonly add: Add }
  | { readonly remove: Remove }

const TEXT_MAP: DataType = {
  type: 'map',
  keyType: 'string',
  valueType: 'string',
  valueContainsNull: true,
}
const TEXTS: DataType = { type: 'array', elementType: 'string', containsNull: true }

const DELETION_VECTOR = struct({
  storageType: 'string',
  pathOrInlineDv: 'string',
  offset: 'integer',
  sizeInBytes: 'integer',
  cardinality: 'long',
})

/** The columns that we write, one struct for each action. Spec: "Checkpoint Schema" (V1 spec). */
export const CHECKPOINT_SCHEMA: StructType = struct({
  txn: struct({ appId: 'string', version: 'long', lastUpdated: 'long' }),
  add: struct({
    path: 'string',
    partitionValues: TEXT_MAP,
    size: 'long',
    modificationTime: 'long',
    dataChange: 'boolean',
    stats: 'string',
    tags: TEXT_MAP,
    deletionVector: DELETION_VECTOR,
    baseRowId: 'long',
    defaultRowCommitVersion: 'long',
    clusteringProvider: 'string',
  }),
  remove: struct({
    path: 'string',
    deletionTimestamp: 'long',
    dataChange: 'boolean',
    extendedFileMetadata: 'boolean',
    partitionValues: TEXT_MAP,
    size: 'long',
    deletionVector: DELETION_VECTOR,
    baseRowId: 'long',
    defaultRowCommitVersion: 'long',
  }),
  metaData: struct({
    id: 'string',
    name: 'string',
    description: 'string',
    format: struct({ provider: 'string', options: TEXT_MAP }),
    schemaString: 'string',
    partitionColumns: TEXTS,
    createdTime: 'long',
    configuration: TEXT_MAP,
  }),
  protocol: struct({
    minReaderVersion: 'integer',
    minWriterVersion: 'integer',
    readerFeatures: TEXTS,
    writerFeatures: TEXTS,
  }),
  domainMetadata: struct({ domain: 'string', configuration: 'string', removed: 'boolean' }),
})

function struct(types: Readonly<Record<string, DataType>>): StructType {
  const field = ([name, type]: [string, DataType]): StructField => ({
    name,
    type,
    nullable: true,
    metadata: {},
  })
  return { type: 'struct', fields: Object.entries(types).map(field) }
}
