import { canCast } from '../arrow/cast.ts'
import { PipelineError } from '../core/errors.ts'
import type { StructType } from '../core/schema.ts'
import { layoutOf, type Layout } from '../delta/files/layout.ts'
import type { TableShape } from '../delta/protocol/table-shape.ts'
import { evolveTable, type EvolutionRules } from '../delta/schema/evolve.ts'
import { findNullFaults } from './nulls.ts'

/** Says how a table may change so that rows fit it, and which of its columns the rows need not have. */
export interface RowLayoutRules extends Pick<EvolutionRules, 'add' | 'widen'> {
  /** Lower-case names of columns that are filled elsewhere, so that NOT NULL is not checked here. */
  readonly filledColumns?: ReadonlySet<string>
}

/**
 * Returns the layout of files for rows with these columns, together with the change of the table that they need. When
 * the rows do not fit the table, the layout has `incompatibleReason`.
 */
export function rowLayoutOf(shape: TableShape, rows: StructType, rules: RowLayoutRules): Layout {
  const { add, widen, filledColumns } = rules
  try {
    const evolution = evolveTable(shape, rows, { add, widen, casts: canCast })
    const faults = findNullFaults(shape.metadata.schema, rows, filledColumns)
    if (faults.length > 0) return { ...layoutOf(shape), incompatibleReason: faults.join('; ') }
    if (evolution === undefined) return layoutOf(shape)
    const { metadata, protocol } = evolution
    const change = { metadata, ...(protocol === undefined ? {} : { protocol }) }
    return { ...layoutOf(evolution.shape), baseSnapshot: shape, change }
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'KD_SCHEMA_MISMATCH') throw error
    return { ...layoutOf(shape), incompatibleReason: error.message }
  }
}
