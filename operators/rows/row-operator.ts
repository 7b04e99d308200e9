import type { OperatorFunction } from 'rxjs'
import type { Row, Rows } from '../../src/arrow/rows.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { StructType } from '../../src/core/schema.ts'

/** Names the property of an operator function that holds the columns of the rows that it emits. */
export const ROW_SCHEMA: unique symbol = Symbol.for('kafka-delta row schema')

/**
 * A `RowOperator` makes rows of type `B` from rows of type `A`. It emits one batch for each batch, in order, and passes
 * provenances on unchanged. The property `ROW_SCHEMA` holds the columns of the rows that it emits; without it, they are
 * the columns of the rows that it takes.
 */
export type RowOperator<A extends object = Row, B extends object = A> = OperatorFunction<
  Batch<Rows<A>>,
  Batch<Rows<B>>
> & { readonly [ROW_SCHEMA]?: StructType }

/** Returns an operator that emits what `operator` emits and states that the rows have the columns of `schema`. */
export function withRowSchema<A extends object, B extends object>(
  operator: OperatorFunction<Batch<Rows<A>>, Batch<Rows<B>>>,
  schema: StructType,
): RowOperator<A, B> {
  const stated: RowOperator<A, B> = (source) => operator(source)
  return Object.assign(stated, { [ROW_SCHEMA]: schema })
}

/**
 * Returns the columns of rows that have passed through `operators`, in order; `schema` are their columns before. An
 * operator that does not state its columns counts as one that keeps them.
 */
export function schemaAfter(operators: readonly object[], schema: StructType): StructType {
  return operators.reduce<StructType>(
    (before, operator) => (operator as { readonly [ROW_SCHEMA]?: StructType })[ROW_SCHEMA] ?? before,
    schema,
  )
}
