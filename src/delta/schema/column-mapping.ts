import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { Add, Metadata, Protocol } from '../protocol/actions.ts'
import { readerFeaturesOf } from '../protocol/protocol.ts'
import { columnMappingModeOf } from '../protocol/table-properties.ts'

/** Describes a field of a data file as Arrow shows it. */
export interface FileField {
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
}

/** Finds the columns of the table schema in data files and in the log. Spec: "Column Mapping". */
export interface ColumnMapping {
  readonly mode: 'none' | 'name' | 'id'
  /** Returns the name under which partition values, statistics and, except in mode `id`, files hold the field. */
  physicalName(field: StructField): string
  /** Returns the index of the field among the fields of one struct of a file, or -1 if the file lacks it. */
  indexIn(fields: readonly FileField[], field: StructField): number
}

/** Maps every column to its own name: files and log use the names of the schema. */
export const BY_NAME: ColumnMapping = namedBy('none', ({ name }) => name)

/** Holds the id of a field in the schema metadata. */
export const COLUMN_ID_KEY = 'delta.columnMapping.id'
/** Holds the physical name of a field in the schema metadata. */
export const PHYSICAL_NAME_KEY = 'delta.columnMapping.physicalName'

/** Holds the `field_id` of Parquet in the metadata of an Arrow field. */
export const PARQUET_FIELD_ID = 'PARQUET:field_id'

/**
 * Returns the column mapping of a table. The mode applies only if the protocol supports the feature. Spec: "Reader
 * Requirements for Column Mapping".
 * @throws KD_TABLE_UNSUPPORTED for an unknown mode
 * @throws KD_TABLE_CORRUPT if a column has no physical name or id, or shares it with another column
 */
export function columnMappingOf(protocol: Protocol, metadata: Metadata): ColumnMapping {
  const mode = columnMappingModeOf(metadata.configuration)
  if (mode === 'none' || !readerFeaturesOf(protocol).includes('columnMapping')) return BY_NAME
  if (mode !== 'name' && mode !== 'id') {
    throw new PipelineError('KD_TABLE_UNSUPPORTED', `the columnMapping mode ${mode} is not supported`)
  }
  checkFields(metadata.schema, '', new Set())
  if (mode === 'name') return namedBy(mode, physicalName)
  return {
    mode,
    physicalName,
    indexIn: (fields, { metadata: own }) => {
      const id = String(own[COLUMN_ID_KEY])
      return fields.findIndex((field) => field.metadata.get(PARQUET_FIELD_ID) === id)
    },
  }
}

/**
 * Refuses to read data files in which the name of a field begins with a byte order mark: the mark is lost when the schema of
 * a file is read, so that the column would read as null. Files that are found by field id are read.
 * @throws KD_TABLE_UNSUPPORTED naming the column
 */
export function checkNamesReadable(type: DataType, mapping: ColumnMapping, path = ''): void {
  if (typeof type === 'string' || mapping.mode === 'id') return
  if (type.type === 'array') checkNamesReadable(type.elementType, mapping, `${path}element.`)
  else if (type.type === 'map') {
    checkNamesReadable(type.keyType, mapping, `${path}key.`)
    checkNamesReadable(type.valueType, mapping, `${path}value.`)
  } else
    for (const field of type.fields) {
      if (mapping.physicalName(field).startsWith('\ufeff')) {
        const detail =
          'the name of a column begins with a byte order mark (U+FEFF), and such a column cannot be read'
        throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, { column: path + field.name })
      }
      checkNamesReadable(field.type, mapping, `${path}${field.name}.`)
    }
}

/** Returns the partition values of a file under the column names that users know. */
export function partitionValuesByName(
  add: Pick<Add, 'partitionValues'>,
  metadata: Metadata,
  mapping: ColumnMapping,
): Record<string, string | null> {
  return Object.fromEntries(
    metadata.schema.fields
      .filter((field) => metadata.partitionColumns.includes(field.name))
      .map((field) => [field.name, add.partitionValues[mapping.physicalName(field)] ?? null]),
  )
}

/** Tells whether any field of a file carries an id. In a file without ids no column can be found by id. */
export function hasFieldIds(fields: readonly FileField[]): boolean {
  return fields.some((field) => field.metadata.has(PARQUET_FIELD_ID))
}

function namedBy(mode: 'none' | 'name', nameOf: (field: StructField) => string): ColumnMapping {
  return {
    mode,
    physicalName: nameOf,
    indexIn: (fields, field) => {
      const name = nameOf(field)
      return fields.findIndex((candidate) => candidate.name === name)
    },
  }
}

/** Returns the id of a column of a mapped table. */
export function fieldIdOf(field: StructField): number {
  return Number(field.metadata[COLUMN_ID_KEY])
}

function physicalName(field: StructField): string {
  return field.metadata[PHYSICAL_NAME_KEY] as string
}

/**
 * Checks that every struct field, at any depth, has a physical name unique in its struct and an id unique in the table.
 */
function checkFields(type: DataType, path: string, ids: Set<unknown>): void {
  if (typeof type === 'string') return
  if (type.type === 'array') checkFields(type.elementType, `${path}.element`, ids)
  else if (type.type === 'map') {
    checkFields(type.keyType, `${path}.key`, ids)
    checkFields(type.valueType, `${path}.value`, ids)
  } else checkStruct(type, path, ids)
}

function checkStruct(type: StructType, path: string, ids: Set<unknown>): void {
  const names = new Set<unknown>()
  for (const field of type.fields) {
    const column = path === '' ? field.name : `${path}.${field.name}`
    const name = field.metadata[PHYSICAL_NAME_KEY]
    const id = field.metadata[COLUMN_ID_KEY]
    if (typeof name !== 'string' || names.has(name)) throw corrupt(PHYSICAL_NAME_KEY, column)
    if (!Number.isSafeInteger(id) || ids.has(id)) throw corrupt(COLUMN_ID_KEY, column)
    names.add(name)
    ids.add(id)
    checkFields(field.type, column, ids)
  }
}

function corrupt(key: string, column: string): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', `a column lacks a unique ${key}`, { column })
}
