import { randomUUID } from 'node:crypto'
import { columnNameFault, type DataType, type StructField, type StructType } from '../../core/schema.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import { columnMappingOf, COLUMN_ID_KEY, PHYSICAL_NAME_KEY } from './column-mapping.ts'

const MAX_ID_PROPERTY = 'delta.columnMapping.maxColumnId'

/**
 * Creates fields that are added to a table: nullable at every depth and, in a mapped table, each with an id and a
 * physical name. Spec: "Writer Requirements for Column Mapping".
 */
export class NewFieldFactory {
  readonly #metadata: Metadata
  readonly #mapped: boolean
  #maxId: number

  constructor(protocol: Protocol, metadata: Metadata) {
    this.#metadata = metadata
    this.#mapped = columnMappingOf(protocol, metadata).mode !== 'none'
    this.#maxId = Math.max(Number(metadata.configuration[MAX_ID_PROPERTY] ?? 0), maxIdOf(metadata.schema))
  }

  /**
   * Returns the field to add. `path` is the path of its struct, with a dot at the end; invalid names are added to
   * `faults`.
   */
  create({ name, type }: StructField, path: string, faults: string[]): StructField {
    const fault = columnNameFault(name, this.#mapped)
    if (fault !== undefined)
      faults.push(`column ${path}${name}: ${JSON.stringify(name)} cannot name a column: it ${fault}`)
    const metadata = this.#mapped
      ? { [COLUMN_ID_KEY]: ++this.#maxId, [PHYSICAL_NAME_KEY]: `col-${randomUUID()}` }
      : {}
    return { name, type: this.#type(type, `${path}${name}`, faults), nullable: true, metadata }
  }

  /** Returns the table properties with the largest column id updated. */
  configuration(): Metadata['configuration'] {
    const { configuration } = this.#metadata
    return this.#mapped ? { ...configuration, [MAX_ID_PROPERTY]: String(this.#maxId) } : configuration
  }

  #type(type: DataType, path: string, faults: string[]): DataType {
    if (typeof type === 'string') return type
    switch (type.type) {
      case 'struct':
        return { type: 'struct', fields: this.#fields(type, `${path}.`, faults) }
      case 'array':
        return {
          type: 'array',
          elementType: this.#type(type.elementType, `${path}.element`, faults),
          containsNull: true,
        }
      case 'map':
        return {
          type: 'map',
          keyType: this.#type(type.keyType, `${path}.key`, faults),
          valueType: this.#type(type.valueType, `${path}.value`, faults),
          valueContainsNull: true,
        }
    }
  }

  #fields(type: StructType, path: string, faults: string[]): readonly StructField[] {
    return type.fields.map((field) => this.create(field, path, faults))
  }
}

function maxIdOf(type: DataType): number {
  if (typeof type === 'string') return 0
  switch (type.type) {
    case 'struct':
      return Math.max(
        0,
        ...type.fields.map((field) =>
          Math.max(Number(field.metadata[COLUMN_ID_KEY] ?? 0), maxIdOf(field.type)),
        ),
      )
    case 'array':
      return maxIdOf(type.elementType)
    case 'map':
      return Math.max(maxIdOf(type.keyType), maxIdOf(type.valueType))
  }
}
