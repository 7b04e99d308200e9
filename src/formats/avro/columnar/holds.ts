import { findField, typeName, type DataType } from '../../../core/schema.ts'
import { isWider } from '../../../core/widening.ts'

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
