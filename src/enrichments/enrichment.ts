import type { Column } from '../arrow/column.ts'
import type { Rows } from '../arrow/rows.ts'
import type { StructField } from '../core/schema.ts'

/**
 * Columns that are computed from what is known of a row. Deterministic: reading a record again gives the same row, so
 * neither the clock nor chance may be asked.
 */
export interface Enrichment {
  readonly fields: readonly StructField[]
  /** One column for each field, as long as `rows`. Never fails: what cannot be computed is null. */
  columns(rows: Rows): readonly Column[]
}
