import type { Row } from '../../src/arrow/rows.ts'
import { fusedStage, type RowStep } from './fused-stage.ts'
import type { RecordInfo } from './record-info.ts'
import type { RowOperator } from './row-operator.ts'

/**
 * Keeps the rows for which `keep` returns true and counts the others as filtered. A row for which it throws becomes a dead
 * letter. Changes that it makes to the row are lost.
 * @throws KD_OPERATOR_INVALID if `keep` returns a promise
 */
export function filterRows<T extends object = Row, Kept extends T = T>(
  keep: ((row: T, info: RecordInfo) => row is Kept) | ((row: T, info: RecordInfo) => boolean),
): RowOperator<T, Kept>
export function filterRows(keep: (row: Row, info: RecordInfo) => boolean): RowOperator {
  // Only true keeps a row.
  const step: RowStep = {
    ...{ stage: 'filter', kind: 'filter', operator: 'filterRows' },
    ...{ run: keep, takesInfo: keep.length > 1, passesRows: true },
  }
  return (source) => fusedStage(source, step)
}
