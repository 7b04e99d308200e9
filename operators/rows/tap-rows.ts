import type { Row } from '../../src/arrow/rows.ts'
import { messageOf, PipelineError } from '../../src/core/errors.ts'
import { placeOf } from './callbacks.ts'
import { fusedStage, type RowStep } from './fused-stage.ts'
import type { RecordInfo } from './record-info.ts'
import type { RowOperator } from './row-operator.ts'

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
  const step: RowStep = {
    ...{ stage: 'tap', kind: 'tap', operator: 'tapRows' },
    ...{ run: look, takesInfo: look.length > 1, passesRows: true, failed },
  }
  return (source) => fusedStage(source, step)
}
