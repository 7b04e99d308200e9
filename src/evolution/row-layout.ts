import { canCast } from '../arrow/cast.ts'
import { PipelineError } from '../core/errors.ts'
import { findField, type DataType, type StructType } from '../core/schema.ts'
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

/**
 * Returns the layout of files for rows with these columns in a table whose schema no policy changes.
 * @throws KD_SCHEMA_CHANGED if rows have fields, at any depth, that the table has no column for
 */
export function unchangedLayoutOf(shape: TableShape, rows: readonly StructType[]): Layout {
  const { schema } = shape.metadata
  const unknown = [...new Set(rows.flatMap((each) => unknownPathsOf(each, schema)))]
  if (unknown.length === 0) return layoutOf(shape)
  const detail = `rows have ${unknown.join(', ')}, and the table has no such column; add it to the table, or leave it out of the rows`
  throw new PipelineError('KD_SCHEMA_CHANGED', detail)
}

function unknownPathsOf(rows: DataType, table: DataType | undefined, path = ''): readonly string[] {
  if (table === undefined) return [path]
  // Values of other types are cast, or refused with their own error.
  if (typeof rows === 'string' || typeof table === 'string') return []
  if (rows.type === 'struct' && table.type === 'struct')
    return rows.fields.flatMap(({ name, type }) =>
      unknownPathsOf(type, findField(table, name)?.type, path === '' ? name : `${path}.${name}`),
    )
  if (rows.type === 'array' && table.type === 'array')
    return unknownPathsOf(rows.elementType, table.elementType, `${path}.element`)
  if (rows.type === 'map' && table.type === 'map')
    return unknownPathsOf(rows.valueType, table.valueType, `${path}.value`)
  return []
}
