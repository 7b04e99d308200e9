import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { Add, MetadataAction, Protocol, Remove, Txn, DomainMetadata } from '../protocol/actions.ts'

/** A checkpoint row holds one action; the other columns are null. Spec: "Checkpoints". */
export type CheckpointRow =
  | { readonly protocol: Protocol }
  | { readonly metaData: MetadataAction }
  | { readonly txn: Txn }
  | { readonly domainMetadata: DomainMetadata }
  | { readonly add: Add }
  | { readonly remove: Remove }
  | { readonly checkpointMetadata: { readonly version: bigint } }
  | { readonly sidecar: Sidecar }

/**
 * Describes a sidecar: a file that holds a part of the file actions of a checkpoint. Spec: "Sidecar File Information".
 */
export interface Sidecar {
  /** File name without a directory. */
  readonly path: string
  readonly sizeInBytes: number
  /** Milliseconds since the epoch. */
  readonly modificationTime: number
}

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

/** Defines the columns of every checkpoint, one struct per action. Spec: "Checkpoint Schema". */
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

const V2_ACTIONS: StructType = struct({
  checkpointMetadata: struct({ version: 'long', tags: TEXT_MAP }),
  sidecar: struct({ path: 'string', sizeInBytes: 'long', modificationTime: 'long', tags: TEXT_MAP }),
})

/** Names the kind of a checkpoint file: a whole checkpoint of the V1 spec, or a manifest or sidecar of the V2 spec. */
type CheckpointFileKind = 'classic' | 'manifest' | 'sidecar'

/**
 * Returns the columns of a checkpoint file to write. `parsed` are additional fields of `add`: statistics and partition
 * values in the types of the table. Spec: "Checkpoint Schema", "Sidecar Files".
 */
export function checkpointSchemaOf(
  kind: CheckpointFileKind,
  parsed: readonly StructField[] = [],
): StructType {
  const actions = CHECKPOINT_SCHEMA.fields.map((field) => {
    if (field.name !== 'add' || typeof field.type === 'string' || field.type.type !== 'struct') return field
    return { ...field, type: { ...field.type, fields: [...field.type.fields, ...parsed] } }
  })
  if (kind === 'classic') return { type: 'struct', fields: actions }
  if (kind === 'manifest') return { type: 'struct', fields: [...actions, ...V2_ACTIONS.fields] }
  return { type: 'struct', fields: actions.filter(({ name }) => name === 'add' || name === 'remove') }
}

function struct(types: Readonly<Record<string, DataType>>): StructType {
  const field = ([name, type]: [string, DataType]): StructField => ({
    name,
    type,
    nullable: true,
    metadata: {},
  })
  return { type: 'struct', fields: Object.entries(types).map(field) }
}
