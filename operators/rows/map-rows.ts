import type { Row } from '../../src/arrow/rows.ts'
import type { StructType } from '../../src/core/schema.ts'
import type { Exactly, RowInput } from '../../src/rows/row-input.ts'
import type { RowSchema } from '../../src/rows/row-types.ts'
import { fusedStage, type RowStep } from './fused-stage.ts'
import type { RecordInfo } from './record-info.ts'
import { withRowSchema, type RowOperator } from './row-operator.ts'

/**
 * Replaces each row by the result of `map`, in the columns of `schema` or, without it, in its present columns. A row for
 * which `map` throws, or whose result does not fit the columns, becomes a dead letter. Returns a new object for each row or
 * the row itself, changed; fields that the columns lack are left out, and the compiler refuses them where it knows the columns.
 * Of row operators in a row, all are applied to one row before the next row, and columns are built once.
 * @throws KD_OPERATOR_INVALID if `map` returns a promise
 */
export function mapRows<
  T extends object = Row,
  Out extends object = Row,
  In extends object = Out,
  R extends In = In,
>(
  map: (row: T, info: RecordInfo) => R & Exactly<NoInfer<R>, In>,
  schema: RowSchema<Out, In> | { readonly schema: RowSchema<Out, In> },
): RowOperator<T, Out>
export function mapRows<T extends object = Row, R extends RowInput<T> = RowInput<T>>(
  map: (row: T, info: RecordInfo) => R & Exactly<NoInfer<R>, RowInput<T>>,
): RowOperator<T, T>
export function mapRows(
  map: (row: Row, info: RecordInfo) => object,
  options: StructType | { readonly schema?: StructType | undefined } = {},
): RowOperator {
  const schema = 'type' in options ? options : options.schema
  const step: RowStep = {
    ...{ stage: 'map', kind: 'map', operator: 'mapRows', schema },
    ...{ run: map, takesInfo: map.length > 1, passesRows: false },
  }
  const operator: RowOperator = (source) => fusedStage(source, step)
  return schema === undefined ? operator : withRowSchema(operator, schema)
}
