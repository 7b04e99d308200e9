import type { Raw } from '../../core/raw.ts'
import type { SourceColumns } from '../../formats/sources.ts'

/** Holds the rows of a batch for which expressions are evaluated. */
export interface ColumnInput {
  readonly raw: Raw
  readonly sources: SourceColumns
  /** Value `i` belongs to row `rows[i]` of the sources, and to record `records[i]` of `raw`. */
  readonly rows: Int32Array
  readonly records: Int32Array
  readonly length: number
}
