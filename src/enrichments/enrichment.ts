import type { Column } from '../arrow/column.ts'
import type { Rows } from '../arrow/rows.ts'
import type { StructField } from '../core/schema.ts'

/** Takes a row out of the batch: its record becomes a dead letter with the reason `partition` and this message. */
export type Reject = (row: number, message: string) => void

/**
 * Columns that are computed from what is known of a row. Deterministic: reading a record again gives the same row, so
 * neither the clock nor chance may be asked.
 */
export interface Enrichment {
  readonly fields: readonly StructField[]
  /**
   * One column for each field, as long as `rows`. Never throws: what cannot be computed is null, and a row that must not be
   * in the table for it is given to `reject`; its values in the columns do not matter then.
   */
  columns(rows: Rows, reject: Reject): readonly Column[]
}
