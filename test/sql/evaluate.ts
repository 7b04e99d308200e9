import type { StructType } from '../../src/core/schema.ts'
import type { Value } from '../../src/sql/expression/ast.ts'
import { compileExpression } from '../../src/sql/compile.ts'
import { columnsOf } from '../support/flow/batches.ts'

/** What an expression gives for each row, as values of the evaluator. */
export function evaluated(
  expression: string,
  schema: StructType = { type: 'struct', fields: [] },
  rows: readonly Readonly<Record<string, unknown>>[] = [{}],
): readonly Value[] {
  const { term } = compileExpression(expression, schema)
  const get = term.bind({ columns: columnsOf(schema, rows), nowMs: 0 })
  return rows.map((_, row) => get(row))
}
