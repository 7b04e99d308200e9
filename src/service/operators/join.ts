import type { OperatorFunction } from 'rxjs'
import type { RowOperator } from '../../../operators/rows/row-operator.ts'
import type { Rows } from '../../arrow/rows.ts'
import type { Batch } from '../../core/batch.ts'

type AnyOperator = OperatorFunction<Batch<Rows>, Batch<Rows>>

/** Joins operators on rows into one that runs them in order; absent ones are left out. Returns `undefined` if none is left. */
export function joinOperators(
  operators: readonly (RowOperator<never, object> | AnyOperator | undefined)[],
): AnyOperator | undefined {
  const given = operators.filter((operator) => operator !== undefined) as readonly AnyOperator[]
  if (given.length === 0) return undefined
  return (batches) => given.reduce((stream, operator) => operator(stream), batches)
}
