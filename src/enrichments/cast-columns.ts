import { canCast, castColumn } from '../arrow/cast.ts'
import { findField, typeName, type StructType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'

/**
 * Returns the enrichment with its columns cast to the column types of a table: for example, a date becomes text when
 * the table stores it as text. Columns that the table lacks, or that cannot be cast to its type, keep their type.
 */
export function castColumns(enrichment: Enrichment, table: StructType): Enrichment {
  const fields = enrichment.fields.map((field) => {
    const wanted = findField(table, field.name)?.type ?? field.type
    return typeName(wanted) !== typeName(field.type) && canCast(field.type, wanted)
      ? { ...field, type: wanted }
      : field
  })
  if (fields.every((field, index) => field === enrichment.fields[index])) return enrichment
  return {
    fields,
    columns: (rows, reject) =>
      enrichment.columns(rows, reject).map((column, index) => {
        const { type } = fields[index] ?? column
        return typeName(type) === typeName(column.type) ? column : castColumn(column, type)
      }),
  }
}
