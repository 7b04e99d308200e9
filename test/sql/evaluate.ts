import type { StructType } from '../../src/core/schema.ts'
import type { SqlValue } from '../../src/sql/expression/ast.ts'
import { compileExpression } from '../../src/sql/compile.ts'
import { columnsOf } from '../support/flow/batches.ts'

/** Evaluates an expression for each row. Returns values of the evaluator. */
export function evaluated(
  expression: string,
  schema: StructType = { type: 'struct', fields: [] },
  rows: readonly Readonly<Record<string, unknown>>[] = [{}],
): readonly SqlValue[] {
  const { term } = compileExpression(expression, schema)
  const get = term.bind({ columns: columnsOf(schema, rows), nowMs: 0 })
  return rows.map((_, row) => get(row))
}
