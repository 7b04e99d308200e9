import { isNull, type Column } from '../arrow/column.ts'
import { nullColumnOf } from '../arrow/sparse/null-column.ts'
import type { Rows } from '../arrow/rows.ts'
import { PipelineError } from '../core/errors.ts'
import type { StructField, StructType } from '../core/schema.ts'
import { columnAt, columnTerm, createValueBuilder } from '../sql/expression/columns.ts'
import { compileExpressionAs, type CompiledSqlExpression } from '../sql/compile.ts'
import { SqlError } from '../sql/expression/error.ts'
import type { Enrichment } from './enrichment.ts'

/**
 * Returns an enrichment that computes a generated column from other columns of `schema`, the table's schema. If the
 * rows have the column already, only its nulls are filled, because in columns a missing value looks like null; other
 * values stay, and the table's constraints compare them. A value that cannot be computed is null, which those
 * constraints then refuse. Spec: "Generated Columns".
 * @throws KD_TABLE_UNSUPPORTED naming the column and the unsupported part of the expression
 */
export function generatedColumn(field: StructField, expression: string, schema: StructType): Enrichment {
  const compiled = compiledFor(field, expression, schema)
  return {
    fields: [field],
    columns: (rows) => [computed(field, compiled, rows)],
  }
}

function compiledFor(field: StructField, expression: string, schema: StructType): CompiledSqlExpression {
  try {
    return compileExpressionAs(expression, field.type, schema)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const detail = `generated column ${field.name} (${expression}: ${error.message})`
    throw new PipelineError('KD_TABLE_UNSUPPORTED', detail, {}, { cause: error })
  }
}

function computed({ name, type }: StructField, { term }: CompiledSqlExpression, { columns }: Rows): Column {
  const held = columnAt(columns, [name])
  if (held !== undefined && held.valid === undefined) return held
  // Nested types support only null.
  if (typeof type !== 'string') return nullColumnOf(type, columns.length)
  // Expressions that use the current time are refused when the table is opened.
  const source = { columns, nowMs: 0 }
  const get = term.bind(source)
  const holds = columnTerm({ path: [name], type }).bind(source)
  const builder = createValueBuilder(type)
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
