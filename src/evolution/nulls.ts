import { type DataType, fieldNamed, type StructType } from '../core/schema.ts'
import { isGenerated } from './known.ts'

/**
 * Columns of a table that are NOT NULL where rows of the other type may hold a null, or lack them; `except` are names in
 * lower case of columns of the root that are not looked at.
 */
export function nullFaults(
  table: StructType,
  rows: StructType,
  except: ReadonlySet<string> = new Set(),
  path = '',
): readonly string[] {
  return table.fields.flatMap((field) => {
    if (isGenerated(field) || (path === '' && except.has(field.name.toLowerCase()))) return []
    const ours = fieldNamed(rows, field.name)
    const column = path + field.name
    if (!field.nullable && (ours === undefined || ours.nullable))
      return [`column ${column} is NOT NULL in the table`]
    return ours === undefined ? [] : withinFaults(field.type, ours.type, column)
  })
}

function withinFaults(table: DataType, rows: DataType, path: string): readonly string[] {
  if (typeof table === 'string' || typeof rows === 'string') return []
  if (table.type === 'struct')
    return rows.type === 'struct' ? nullFaults(table, rows, new Set(), `${path}.`) : []
  if (table.type === 'array') {
    if (rows.type !== 'array') return []
    if (!table.containsNull && rows.containsNull) return [`column ${path} holds no null in the table`]
    return withinFaults(table.elementType, rows.elementType, `${path}.element`)
  }
  if (rows.type !== 'map') return []
  if (!table.valueContainsNull && rows.valueContainsNull) return [`column ${path} holds no null in the table`]
  return withinFaults(table.valueType, rows.valueType, `${path}.value`)
}
