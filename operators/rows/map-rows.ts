import type { Row, Rows } from '../../src/arrow/rows.ts'
import type { StructType } from '../../src/core/schema.ts'
import { batchStage } from '../../src/core/stage/stage.ts'
import type { Exactly, RowInput } from '../../src/rows/row-input.ts'
import type { RowSchema } from '../../src/rows/row-types.ts'
import { callForEachRow, normalisers, type RowCallback } from './callbacks.ts'
import type { RecordInfo } from './record-info.ts'
import { withRowSchema, type RowOperator } from './row-operator.ts'
import { rowSourceOf, rowsOfObjects } from './row-source.ts'

/**
 * Replaces each row by the result of `map`, in the columns of `schema` or, without it, in its present columns. A row for
 * which `map` throws, or whose result does not fit the columns, becomes a dead letter. Returns a new object for each row or
 * the row itself, changed; fields that the columns lack are left out, and the compiler refuses them where it knows the columns. Neighbouring row operators hand their objects on and
 * build columns once.
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
  const callback: RowCallback<object> = {
    operator: 'mapRows',
    run: map,
    takesInfo: map.length > 1,
    passesRows: false,
  }
  const normaliserOf = normalisers()
  const operator: RowOperator = batchStage('map', (rows: Rows) => {
    const source = rowSourceOf(rows)
    const objects: object[] = []
    const records: number[] = []
    const letters = callForEachRow(source, callback, (result, i) => {
      objects.push(result)
      records.push(source.recordAt(i))
    })
    const made = { objects, records, areChecked: false }
    return rowsOfObjects(source.rest, normaliserOf(schema ?? source.schema), made, letters)
  })
  return schema === undefined ? operator : withRowSchema(operator, schema)
}
