import { type DataType, findField, type StructType } from '../core/schema.ts'
import { isGenerated } from './table-columns.ts'

/**
 * Returns one fault for each NOT NULL column of the table for which rows may hold null or lack the column. `except`
 * has lower-case names of root columns to ignore.
 */
export function findNullFaults(
  table: StructType,
  rows: StructType,
  except: ReadonlySet<string> = new Set(),
  path = '',
): readonly string[] {
  return table.fields.flatMap((field) => {
    if (isGenerated(field) || (path === '' && except.has(field.name.toLowerCase()))) return []
    const rowField = findField(rows, field.name)
    const column = path + field.name
    if (!field.nullable && (rowField === undefined || rowField.nullable))
      return [`column ${column} is NOT NULL in the table`]
    return rowField === undefined ? [] : withinFaults(field.type, rowField.type, column)
  })
}

function withinFaults(table: DataType, rows: DataType, path: string): readonly string[] {
  if (typeof table === 'string' || typeof rows === 'string') return []
  if (table.type === 'struct')
    return rows.type === 'struct' ? findNullFaults(table, rows, new Set(), `${path}.`) : []
  if (table.type === 'array') {
    if (rows.type !== 'array') return []
    if (!table.containsNull && rows.containsNull)
      return [`column ${path} allows no null elements in the table`]
    return withinFaults(table.elementType, rows.elementType, `${path}.element`)
  }
  if (rows.type !== 'map') return []
  if (!table.valueContainsNull && rows.valueContainsNull)
    return [`column ${path} allows no null values in the table`]
  return withinFaults(table.valueType, rows.valueType, `${path}.value`)
}
