import type { Column } from '../arrow/column.ts'
import type { Rows } from '../arrow/rows.ts'
import type { StructField } from '../core/schema.ts'

/** Removes a row from the batch: its record becomes a dead letter with the reason `partition` and this message. */
export type Reject = (row: number, message: string) => void

/**
 * Adds columns that are computed from a row and its record. An enrichment is deterministic: reading a record again
 * gives the same row, so it must use neither the clock nor random numbers.
 */
export interface Enrichment {
  readonly fields: readonly StructField[]
  /**
   * Returns one column for each field, as long as `rows`. Never throws: a value that cannot be computed is null, and
   * a row that must not reach the table is passed to `reject`; its values in the columns are ignored then.
   */
  columns(rows: Rows, reject: Reject): readonly Column[]
}
