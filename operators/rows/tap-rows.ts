import type { Row, Rows } from '../../src/arrow/rows.ts'
import { messageOf, PipelineError } from '../../src/core/errors.ts'
import { batchStage } from '../../src/core/stage/stage.ts'
import { callForEachRow, placeOf, type RowCallback } from './callbacks.ts'
import type { RecordInfo } from './record-info.ts'
import type { RowOperator } from './row-operator.ts'
import { rowSourceOf, selectedRows } from './row-source.ts'

/**
 * Calls `look` with every row and passes the rows on unchanged, whatever `look` does to its objects.
 * @throws KD_OPERATOR_FAILED with the topic, partition and offset and what `look` threw as cause; it ends the stream
 * @throws KD_OPERATOR_INVALID if `look` returns a promise
 */
export function tapRows<T extends object = Row>(look: (row: T, info: RecordInfo) => void): RowOperator<T, T>
export function tapRows(look: (row: Row, info: RecordInfo) => void): RowOperator {
  const failed = (cause: unknown, info: RecordInfo): never => {
    throw new PipelineError('KD_OPERATOR_FAILED', `tapRows: ${messageOf(cause)}`, placeOf(info), { cause })
  }
  const callback: RowCallback<void> = {
    operator: 'tapRows',
    run: look,
    takesInfo: look.length > 1,
    passesRows: true,
    failed,
  }
  return batchStage('tap', (rows: Rows) => {
    const source = rowSourceOf(rows)
    const kept: number[] = []
    const objects: Row[] = []
    const letters = callForEachRow(source, callback, (_, i, row) => {
      if (!source.keepsObjects) return
      kept.push(i)
      objects.push(row)
    })
    return source.keepsObjects ? selectedRows(source, { kept, objects, filtered: 0 }, letters) : rows
  })
}
