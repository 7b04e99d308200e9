import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import type { Add, Metadata, Protocol } from '../protocol/actions.ts'
import { readerFeatures } from '../protocol/protocol.ts'

/** A field of a file, as Arrow shows it. */
export interface FileField {
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
}

/** How the columns of the schema are found in data files and in the log. Spec: "Column Mapping". */
export interface ColumnMapping {
  readonly mode: 'none' | 'name' | 'id'
  /** The name by which partition values, statistics and, but for the mode `id`, files know the field. */
  physicalName(field: StructField): string
  /** Where among the fields of one struct of a file the field is; -1 where the file does not hold it. */
  indexIn(fields: readonly FileField[], field: StructField): number
}

/** Files and log know a column by its name. */
export const BY_NAME: ColumnMapping = namedBy('none', ({ name }) => name)

/** Where the schema keeps the id of a field. */
export const ID_KEY = 'delta.columnMapping.id'
/** Where the schema keeps the physical name of a field. */
export const NAME_KEY = 'delta.columnMapping.physicalName'

/** Where Arrow keeps the `field_id` of Parquet. */
export const FIELD_ID = 'PARQUET:field_id'

/**
 * The mapping of a table. Its mode counts only where the protocol supports the feature.
 * Throws `KD_TABLE_UNSUPPORTED` for a mode that is not known, `KD_TABLE_CORRUPT` where a column has no physical name or
 * id, or not one of its own. Spec: "Reader Requirements for Column Mapping".
 */
export function columnMapping(protocol: Protocol, metadata: Metadata): ColumnMapping {
  const mode = metadata.configuration['delta.columnMapping.mode'] ?? 'none'
  if (mode === 'none' || !readerFeatures(protocol).includes('columnMapping')) return BY_NAME
  if (mode !== 'name' && mode !== 'id') {
    throw new PipelineError('KD_TABLE_UNSUPPORTED', `the columnMapping mode ${mode} is not known`)
  }
  checkFields(metadata.schema, '', new Set())
  if (mode === 'name') return namedBy(mode, physicalName)
  return {
    mode,
    physicalName,
    indexIn: (fields, { metadata: own }) => {
      const id = String(own[ID_KEY])
      return fields.findIndex((field) => field.metadata.get(FIELD_ID) === id)
    },
  }
}

/** Partition values by the names of the schema, which is how people know the columns. */
export function shownPartitionValues(
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

/** Whether any field of a file carries an id: without one, nothing of it can be found by id. */
export function hasFieldIds(fields: readonly FileField[]): boolean {
  return fields.some((field) => field.metadata.has(FIELD_ID))
}

function namedBy(mode: 'none' | 'name', nameOf: (field: StructField) => string): ColumnMapping {
  return {
    mode,
    physicalName: nameOf,
    indexIn: (fields, field) => {
      const name = nameOf(field)
      return fields.findIndex((one) => one.name === name)
    },
  }
}

/** The id of a column of a mapped table. */
export function fieldIdOf(field: StructField): number {
  return Number(field.metadata[ID_KEY])
}

function physicalName(field: StructField): string {
  return field.metadata[NAME_KEY] as string
}

/** Every struct field, at any depth, has a physical name unique in its struct and an id unique in the table. */
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
    const name = field.metadata[NAME_KEY]
    const id = field.metadata[ID_KEY]
    if (typeof name !== 'string' || names.has(name)) throw corrupt(NAME_KEY, column)
    if (!Number.isSafeInteger(id) || ids.has(id)) throw corrupt(ID_KEY, column)
    names.add(name)
    ids.add(id)
    checkFields(field.type, column, ids)
  }
}

function corrupt(key: string, column: string): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', `a column has no ${key} of its own`, { column })
}
