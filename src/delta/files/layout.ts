import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { IndexedColumns } from '../../parquet/statistics.ts'
import type { Codec } from '../../parquet/writer.ts'
import type { MetadataAction, Protocol } from '../protocol/actions.ts'
import { columnMappingOf, PARQUET_FIELD_ID, fieldIdOf, type ColumnMapping } from '../schema/column-mapping.ts'
import { newDataFileKey, randomAlphanumeric } from '../protocol/paths.ts'
import { statsColumnsOf } from '../statistics/stats-columns.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import {
  parseSizeBytes,
  CODEC_PROPERTY,
  parquetCodecOf,
  FILE_SIZE_PROPERTY,
  randomPrefixLengthOf,
} from '../protocol/table-properties.ts'

/** Describes a partition column, whose values are stored in the log and not in the files. */
export interface PartitionColumn {
  readonly name: string
  readonly type: DataType
  /** Name in `add.partitionValues`. */
  readonly physicalName: string
}

/** Describes the data files of a table at one version; made once per flush for the stages that make and name files. */
export interface Layout {
  /** Base snapshot of the table that the files are made for; with `change`, the table before the change. */
  readonly baseSnapshot: TableShape
  /** Change of the table that must be committed together with the files. */
  readonly change?: { readonly metadata?: MetadataAction; readonly protocol?: Protocol }
  /** Columns of the files under the names that users know, without partition columns. */
  readonly columns: StructType
  /** Same columns in the same order, named as in files and statistics, with their field ids. */
  readonly fileSchema: StructType
  readonly partitionColumns: readonly PartitionColumn[]
  /** Leaf columns with statistics. */
  readonly indexedColumns: IndexedColumns
  /** Codec that the table requests, if any. */
  readonly compression: Codec | undefined
  /** Target size of a file in bytes, if the table sets one. */
  readonly fileBytes?: number | undefined
  /** Length of random directory names that replace partition directories, if the table enables them. */
  readonly randomPrefixLength?: number | undefined
  /**
   * Why no files can be made from these rows for the table as it is now. The rows must be dropped and their messages
   * read again.
   */
  readonly incompatibleReason?: string
}

/** Returns the layout of files for a table. Spec: "Column Mapping" (writer requirements), "Per-file Statistics". */
export function layoutOf(table: TableShape): Layout {
  const { schema, partitionColumns, configuration } = table.metadata
  const mapping = columnMappingOf(table.protocol, table.metadata)
  const isPartition = (field: StructField): boolean => partitionColumns.includes(field.name)
  const columns: StructType = { type: 'struct', fields: schema.fields.filter((field) => !isPartition(field)) }
  return {
    baseSnapshot: table,
    columns,
    fileSchema: physicalStruct(columns, mapping),
    partitionColumns: partitionColumns.flatMap((name) =>
      schema.fields
        .filter((field) => field.name === name)
        .map((field) => ({ name, type: field.type, physicalName: mapping.physicalName(field) })),
    ),
    indexedColumns: statsColumnsOf(table, mapping),
    compression: CODEC_PROPERTY in configuration ? parquetCodecOf(configuration) : undefined,
    fileBytes: parseSizeBytes(configuration[FILE_SIZE_PROPERTY]),
    randomPrefixLength: randomPrefixLengthOf(configuration),
  }
}

/**
 * Returns the key of a new data file. The directory has no meaning: readers take partition values from the log. Spec:
 * "Data Files".
 */
export function newFileKey(
  { partitionColumns, randomPrefixLength: length }: Layout,
  partitionValues: Readonly<Record<string, string | null>>,
  codec: Codec,
): string {
  const columns = length === undefined ? partitionColumns.map(({ physicalName }) => physicalName) : []
  const prefix = length === undefined ? '' : `${randomAlphanumeric(length)}/`
  return `${prefix}${newDataFileKey(columns, partitionValues, codec === 'none' ? 'uncompressed' : codec)}`
}

/** Tells whether files made for one layout are valid for the other. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  const text = (layout: Layout): string =>
    JSON.stringify([
      layout.columns,
      layout.fileSchema,
      layout.partitionColumns,
      String(layout.indexedColumns.first),
      layout.indexedColumns.paths,
      layout.compression,
      layout.incompatibleReason,
    ])
  return text(a) === text(b)
}

function physicalStruct(type: StructType, mapping: ColumnMapping): StructType {
  return { type: 'struct', fields: type.fields.map((field) => physicalField(field, mapping)) }
}

function physicalField(field: StructField, mapping: ColumnMapping): StructField {
  const id = mapping.mode === 'none' ? undefined : fieldIdOf(field)
  return {
    name: mapping.physicalName(field),
    type: physicalType(field.type, mapping),
    nullable: field.nullable,
    metadata: id === undefined ? {} : { [PARQUET_FIELD_ID]: String(id) },
  }
}

function physicalType(type: DataType, mapping: ColumnMapping): DataType {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return physicalStruct(type, mapping)
    case 'array':
      return { ...type, elementType: physicalType(type.elementType, mapping) }
    case 'map':
      return {
        ...type,
        keyType: physicalType(type.keyType, mapping),
        valueType: physicalType(type.valueType, mapping),
      }
  }
}
