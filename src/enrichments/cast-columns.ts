import { canCast, castColumn } from '../arrow/cast.ts'
import { fieldNamed, typeName, type StructType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'

/**
 * The enrichment with its columns in the types that the columns of a table have: a date for a table that keeps dates as
 * text becomes that text. Columns that the table lacks, or of which it has another type than they can be cast to, stay.
 */
export function castColumns(enrichment: Enrichment, table: StructType): Enrichment {
  const fields = enrichment.fields.map((field) => {
    const wanted = fieldNamed(table, field.name)?.type ?? field.type
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
