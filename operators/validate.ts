import type { OperatorFunction } from 'rxjs'
import { StructBuilder } from '../src/arrow/builder.ts'
import { appendObjects, mergeRows, noRows, type Rows } from '../src/arrow/rows.ts'
import type { Contract } from '../src/contract/contract.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage.ts'
import type { Decoded } from '../src/formats/format.ts'

/**
 * Rows that the contract refuses, or that do not fit their columns, become dead letters; the others are in columns from
 * here on. Rows that the format has proven already pass as they are.
 */
export function validate(contract: Contract): OperatorFunction<Batch<Decoded>, Batch<Rows>> {
  return (source) => {
    const builder = new StructBuilder(contract.schema)
    return source.pipe(batchStage('validate', (decoded) => check(decoded, contract, builder)))
  }
}

function check(decoded: Decoded, contract: Contract, builder: StructBuilder): Rows {
  const { raw, proven, tombstones } = decoded
  const deadLetters: DeadLetter[] = [...decoded.deadLetters]
  const objects: unknown[] = []
  const records: number[] = []
  for (const [index, object] of decoded.objects.entries()) {
    const record = decoded.records[index] as number
    const fault = contract.check(object)
    if (fault !== undefined) deadLetters.push(deadLetterOf(raw, record, 'contract', fault))
    else {
      objects.push(object)
      records.push(record)
    }
  }
  const fitting = Int32Array.from(appendObjects(builder, raw, { objects, records }, deadLetters))
  const checked = { columns: builder.finishColumns(), records: fitting }
  return {
    raw,
    deadLetters,
    tombstones,
    filtered: 0,
    ...mergeRows(proven ?? noRows(contract.schema), checked),
  }
}
