import type { Column } from '../../src/arrow/column.ts'
import { valueAt } from '../../src/arrow/values.ts'
import type { StructType } from '../../src/core/schema.ts'
import { derivedColumn } from '../../src/enrichments/derived-column.ts'
import type { Enrichment } from '../../src/enrichments/enrichment.ts'
import { rowsOf, type Origin } from '../support/flow/batches.ts'

/** Returns the values of an enrichment's only column, and the reasons for rejected rows by row number. */
export function enriched(
  enrichment: Enrichment,
  schema: StructType,
  rows: readonly Record<string, unknown>[],
  origin: Origin = {},
): { values: unknown[]; rejected: Record<number, string> } {
  const rejected: Record<number, string> = {}
  const [column] = enrichment.columns(rowsOf(schema, rows, origin), (row, message) => {
    rejected[row] = message
  })
  return { values: rows.map((_, row) => valueAt(column as Column, row)), rejected }
}

/** Returns the derived values of rows. */
export function derived(
  expression: string,
  schema: StructType,
  rows: readonly Record<string, unknown>[],
  origin: Origin = {},
): unknown[] {
  return enriched(derivedColumn('part', expression, schema), schema, rows, origin).values
}
