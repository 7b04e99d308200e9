import { isNull, nullColumn, type Column } from '../arrow/column.ts'
import type { Rows } from '../arrow/rows.ts'
import { PipelineError } from '../core/errors.ts'
import type { StructField, StructType } from '../core/schema.ts'
import { columnAt, columnTerm, valueBuilder } from '../sql/expression/columns.ts'
import { compileAs, type Compiled } from '../sql/compile.ts'
import { SqlError } from '../sql/expression/error.ts'
import type { Enrichment } from './enrichment.ts'

/**
 * A generated column, computed from others of `schema`, the table's. Where the rows hold the column already its nulls are
 * filled, since what a record leaves out cannot be told from null once it is in columns; other values stay, and it is for
 * the table's constraints to compare them. What cannot be computed for a row is null, which those constraints then refuse.
 * Spec: "Generated Columns".
 * @throws KD_TABLE_UNSUPPORTED naming the column, and what of the expression cannot be evaluated
 */
export function generatedColumn(field: StructField, expression: string, schema: StructType): Enrichment {
  const compiled = compiledFor(field, expression, schema)
  return {
    fields: [field],
    columns: (rows) => [computed(field, compiled, rows)],
  }
}

function compiledFor(field: StructField, expression: string, schema: StructType): Compiled {
  try {
    return compileAs(expression, field.type, schema)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const detail = `generated column ${field.name} (${expression}: ${error.message})`
    throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, {}, { cause: error })
  }
}

function computed({ name, type }: StructField, { term }: Compiled, { columns }: Rows): Column {
  const held = columnAt(columns, [name])
  if (held !== undefined && held.valid === undefined) return held
  // Of nested types there is no value but null.
  if (typeof type !== 'string') return nullColumn(type, columns.length)
  // What asks for the time is refused where the table is opened.
  const source = { columns, nowMs: 0 }
  const get = term.bind(source)
  const holds = columnTerm({ path: [name], type }).bind(source)
  const builder = valueBuilder(type)
  for (let row = 0; row < columns.length; row++) {
    try {
      builder.append(held === undefined || isNull(held, row) ? get(row) : holds(row))
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      builder.append(null)
    }
  }
  return builder.finish()
}
