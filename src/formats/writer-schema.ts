import { findField, typeName, type DataType, type StructType } from '../core/schema.ts'
import { isWider } from '../core/widening.ts'
import type { ColumnFault, WriterSchema } from './format.ts'

/** Holds the columns that a schema describes, and the fields that are none of them. */
export interface SchemaColumns {
  readonly columns: StructType
  readonly columnFaults: readonly ColumnFault[]
}

/** Returns a writer's schema whose columns `derive` makes when they are first read. Most are never read. */
export function lazyWriterSchema(derive: () => SchemaColumns): WriterSchema {
  let derived: SchemaColumns | undefined
  const get = (): SchemaColumns => (derived ??= derive())
  return {
    get columns() {
      return get().columns
    },
    get columnFaults() {
      return get().columnFaults
    },
  }
}

/**
 * Returns true when messages of a schema with the columns `needed` add nothing to `schema`: each column is there, at any
 * depth, and none has a narrower type that would be widened.
 */
export function hasColumns(schema: StructType, needed: StructType): boolean {
  return needed.fields.every(({ name, type }) => {
    const own = findField(schema, name)
    return own !== undefined && takesType(own.type, type)
  })
}

function takesType(own: DataType, needed: DataType): boolean {
  const [ownName, neededName] = [typeName(own), typeName(needed)]
  if (ownName === neededName && typeof own === 'string') return true
  if (typeof own === 'string' || typeof needed === 'string') return !isWider(ownName, neededName)
  if (own.type === 'struct' && needed.type === 'struct') return hasColumns(own, needed)
  if (own.type === 'array' && needed.type === 'array') return takesType(own.elementType, needed.elementType)
  if (own.type === 'map' && needed.type === 'map') return takesType(own.valueType, needed.valueType)
  return true
}

/** Returns true when every value of the type of a writer has its place in a column, at any depth. */
export function holdsColumns(column: DataType, writer: DataType): boolean {
  if (typeof column === 'string' || typeof writer === 'string')
    return typeName(column) === typeName(writer) || isWider(typeName(writer), typeName(column))
  if (column.type === 'struct' && writer.type === 'struct')
    return writer.fields.every((field) => {
      const own = findField(column, field.name)
      return own !== undefined && holdsColumns(own.type, field.type)
    })
  if (column.type === 'array' && writer.type === 'array')
    return holdsColumns(column.elementType, writer.elementType)
  if (column.type === 'map' && writer.type === 'map') return holdsColumns(column.valueType, writer.valueType)
  return false
}
