import { randomUUID } from 'node:crypto'
import { type DataType, REFUSED_IN_NAMES, type StructField, type StructType } from '../../core/schema.ts'
import type { Metadata, Protocol } from '../protocol/actions.ts'
import { columnMapping, ID_KEY, NAME_KEY } from './column-mapping.ts'

const MAX_ID_PROPERTY = 'delta.columnMapping.maxColumnId'

/**
 * Makes the fields that a table gets anew: nullable at every depth, and in a mapped table with an id and a physical name
 * each. Spec: "Writer Requirements for Column Mapping".
 */
export class NewFields {
  readonly #metadata: Metadata
  readonly #mapped: boolean
  #maxId: number

  constructor(protocol: Protocol, metadata: Metadata) {
    this.#metadata = metadata
    this.#mapped = columnMapping(protocol, metadata).mode !== 'none'
    this.#maxId = Math.max(Number(metadata.configuration[MAX_ID_PROPERTY] ?? 0), maxIdOf(metadata.schema))
  }

  /** The field as the table gets it; `path` is that of its struct, with a dot at the end, for `faults`. */
  field({ name, type }: StructField, path: string, faults: string[]): StructField {
    if (name === '' || (!this.#mapped && REFUSED_IN_NAMES.test(name))) {
      faults.push(`column ${path}${name}: ${JSON.stringify(name)} cannot name a column`)
    }
    const metadata = this.#mapped ? { [ID_KEY]: ++this.#maxId, [NAME_KEY]: `col-${randomUUID()}` } : {}
    return { name, type: this.#type(type, `${path}${name}`, faults), nullable: true, metadata }
  }

  /** The table's properties with the largest id that was given. */
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
    return type.fields.map((field) => this.field(field, path, faults))
  }
}

function maxIdOf(type: DataType): number {
  if (typeof type === 'string') return 0
  switch (type.type) {
    case 'struct':
      return Math.max(
        0,
        ...type.fields.map((field) => Math.max(Number(field.metadata[ID_KEY] ?? 0), maxIdOf(field.type))),
      )
    case 'array':
      return maxIdOf(type.elementType)
    case 'map':
      return Math.max(maxIdOf(type.keyType), maxIdOf(type.valueType))
  }
}
