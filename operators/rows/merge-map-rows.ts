import type { Row, Rows } from '../../src/arrow/rows.ts'
import { deadLetterOf } from '../../src/core/dead-letter.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { batchStage } from '../../src/core/stage/stage.ts'
import type { Exactly } from '../../src/rows/row-input.ts'
import type { RowSchema } from '../../src/rows/row-types.ts'
import { callForEachRow, normalisers, type RowCallback } from './callbacks.ts'
import type { RecordInfo } from './record-info.ts'
import { withRowSchema, type RowOperator } from './row-operator.ts'
import { rowSourceOf, rowsOfObjects } from './row-source.ts'

/**
 * Replaces each row by the rows that `map` returns, in the columns of `schema`: none, one or several. A row that becomes
 * none is counted as filtered; those beyond one are counted as `expanded`, and all of them belong to the same record. If
 * `map` throws or one of its rows does not fit the columns, the record becomes one dead letter and none of its rows stay.
 * Later operators work on single rows: one that they reject becomes a dead letter of the record beside the rows that stay.
 * @throws KD_OPERATOR_INVALID if `map` returns a promise
 */
export function mergeMapRows<
  T extends object = Row,
  Out extends object = Row,
  In extends object = Out,
  R extends In = In,
>(
  map: (row: T, info: RecordInfo) => readonly (R & Exactly<NoInfer<R>, In>)[],
  schema: RowSchema<Out, In>,
): RowOperator<T, Out>
export function mergeMapRows(
  map: (row: Row, info: RecordInfo) => readonly object[],
  schema: RowSchema,
): RowOperator {
  const callback: RowCallback<unknown> = {
    operator: 'mergeMapRows',
    run: map,
    takesInfo: map.length > 1,
    passesRows: false,
  }
  const normaliser = normalisers()(schema)
  const operator: RowOperator = batchStage('mergeMap', (rows: Rows) => {
    const source = rowSourceOf(rows)
    const { raw } = source.rest
    const objects: Row[] = []
    const records: number[] = []
    const unfit: DeadLetter[] = []
    let { filtered, expanded = 0 } = source.rest
    const letters = callForEachRow(source, callback, (result, i) => {
      const record = source.recordAt(i)
      const made = Array.isArray(result)
        ? result.map((object, at) => withPlace(normaliser.normalise(object), at))
        : ['expected an array of rows']
      const fault = made.find((row) => typeof row === 'string')
      if (fault !== undefined) unfit.push(deadLetterOf(raw, record, 'type', fault))
      else if (made.length === 0) filtered++
      else {
        expanded += made.length - 1
        for (const row of made as readonly Row[]) {
          objects.push(row)
          records.push(record)
        }
      }
    })
    const rest = { ...source.rest, filtered, ...(expanded > 0 ? { expanded } : {}) }
    return rowsOfObjects(rest, normaliser, { objects, records, areChecked: true }, [...letters, ...unfit])
  })
  return withRowSchema(operator, schema)
}

/** Adds the position to the fault of a row. */
function withPlace(row: Row | string, at: number): Row | string {
  return typeof row === 'string' ? `row ${at}: ${row}` : row
}
