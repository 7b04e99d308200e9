import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { IndexedColumns } from '../../parquet/statistics.ts'
import type { Codec } from '../../parquet/writer.ts'
import type { MetadataAction, Protocol } from '../protocol/actions.ts'
import { columnMapping, FIELD_ID, fieldIdOf, type ColumnMapping } from '../schema/column-mapping.ts'
import { newDataFileKey, randomText } from '../protocol/paths.ts'
import { statsColumnsOf } from '../statistics/stats-columns.ts'
import type { TableShape } from '../protocol/table-shape.ts'
import {
  bytesOfSize,
  CODEC_PROPERTY,
  codecOf,
  FILE_SIZE_PROPERTY,
  prefixLength,
} from '../protocol/table-properties.ts'

/** A column whose values stand in the log and not in the files. */
export interface PartitionColumn {
  readonly name: string
  readonly type: DataType
  /** Its name in `add.partitionValues`. */
  readonly physicalName: string
}

/** What data files must be for the table at one version: made once a flush, for those who make and name files. */
export interface Layout {
  /** The table that the files are made for; with `change`, the table as it was before. */
  readonly basis: TableShape
  /** What the commit that brings the files must say of the table as well, so that they fit it. */
  readonly change?: { readonly metadata?: MetadataAction; readonly protocol?: Protocol }
  /** The columns of the files by the names that users know; partition columns are left out. */
  readonly columns: StructType
  /** The same columns in the same order, named as files and statistics name them, with their field ids. */
  readonly fileSchema: StructType
  readonly partitionColumns: readonly PartitionColumn[]
  /** Leaf columns that get statistics. */
  readonly indexedColumns: IndexedColumns
  /** The codec that the table asks for, if it does. */
  readonly compression: Codec | undefined
  /** Bytes at which a file is full, where the table says so. */
  readonly fileBytes?: number | undefined
  /** Characters of a random directory that files lie in, in place of those of their partition; where the table says so. */
  readonly prefixLength?: number | undefined
  /**
   * Why no files can be made for this table of the rows at hand, though others could be made of the same messages: the
   * rows are to be given up and read again.
   */
  readonly unfit?: string
}

/** The layout of files for a table as it is. Spec: "Column Mapping" (writer requirements), "Per-file Statistics". */
export function layoutOf(table: TableShape): Layout {
  const { schema, partitionColumns, configuration } = table.metadata
  const mapping = columnMapping(table.protocol, table.metadata)
  const isPartition = (field: StructField): boolean => partitionColumns.includes(field.name)
  const columns: StructType = { type: 'struct', fields: schema.fields.filter((field) => !isPartition(field)) }
  return {
    basis: table,
    columns,
    fileSchema: physicalStruct(columns, mapping),
    partitionColumns: partitionColumns.flatMap((name) =>
      schema.fields
        .filter((field) => field.name === name)
        .map((field) => ({ name, type: field.type, physicalName: mapping.physicalName(field) })),
    ),
    indexedColumns: statsColumnsOf(table, mapping),
    compression: CODEC_PROPERTY in configuration ? codecOf(configuration) : undefined,
    fileBytes: bytesOfSize(configuration[FILE_SIZE_PROPERTY]),
    prefixLength: prefixLength(configuration),
  }
}

/**
 * The key of a new data file. Where a file lies has no meaning: readers take partition values from the log.
 * Spec: "Data Files".
 */
export function newFileKey(
  { partitionColumns, prefixLength: length }: Layout,
  partitionValues: Readonly<Record<string, string | null>>,
  codec: Codec,
): string {
  const columns = length === undefined ? partitionColumns.map(({ physicalName }) => physicalName) : []
  const prefix = length === undefined ? '' : `${randomText(length)}/`
  return `${prefix}${newDataFileKey(columns, partitionValues, codec === 'none' ? 'uncompressed' : codec)}`
}

/** Whether files made for one are right for the other, to the letter. */
export function sameFiles(a: Layout, b: Layout): boolean {
  const text = (layout: Layout): string =>
    JSON.stringify([
      layout.columns,
      layout.fileSchema,
      layout.partitionColumns,
      String(layout.indexedColumns.first),
      layout.indexedColumns.paths,
      layout.compression,
      layout.unfit,
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
    metadata: id === undefined ? {} : { [FIELD_ID]: String(id) },
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
