import type { Row, Rows } from '../../src/arrow/rows.ts'
import { batchStage } from '../../src/core/stage/stage.ts'
import { callForEachRow, type RowCallback } from './callbacks.ts'
import type { RecordInfo } from './record-info.ts'
import type { RowOperator } from './row-operator.ts'
import { rowSourceOf, selectedRows } from './row-source.ts'

/**
 * Keeps the rows for which `keep` returns true and counts the others as filtered. A row for which it throws becomes a dead
 * letter. Changes that it makes to the row are lost.
 * @throws KD_OPERATOR_INVALID if `keep` returns a promise
 */
export function filterRows<T extends object = Row, Kept extends T = T>(
  keep: ((row: T, info: RecordInfo) => row is Kept) | ((row: T, info: RecordInfo) => boolean),
): RowOperator<T, Kept>
export function filterRows(keep: (row: Row, info: RecordInfo) => boolean): RowOperator {
  const callback: RowCallback<boolean> = {
    operator: 'filterRows',
    run: keep,
    takesInfo: keep.length > 1,
    passesRows: true,
  }
  return batchStage('filter', (rows: Rows) => {
    const source = rowSourceOf(rows)
    const kept: number[] = []
    const objects: Row[] = []
    let filtered = 0
    const letters = callForEachRow(source, callback, (result, i, row) => {
      // Only true keeps a row.
      if ((result as unknown) !== true) filtered++
      else {
        kept.push(i)
        if (source.keepsObjects) objects.push(row)
      }
    })
    const isUnchanged = kept.length === source.length && !source.keepsObjects
    return isUnchanged ? rows : selectedRows(source, { kept, objects, filtered }, letters)
  })
}
