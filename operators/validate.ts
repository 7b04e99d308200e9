import type { OperatorFunction } from 'rxjs'
import { StructBuilder } from '../src/arrow/builder.ts'
import { appendObjects, mergeRows, noRows, type Rows } from '../src/arrow/rows.ts'
import type { Contract } from '../src/contract/contract.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import type { StructType } from '../src/core/schema.ts'
import type { Admitted, RowColumns } from '../src/evolution/row-columns.ts'
import type { Decoded } from '../src/formats/format.ts'

/**
 * Rows that the contract refuses, or that do not fit their columns, become dead letters; the others are in columns from
 * here on. Rows that the format has proven already pass as they are. With `columns` rows have these columns, which grow as
 * messages show new ones, instead of those of the contract.
 * @throws KD_SCHEMA_CHANGED where `columns` says so
 */
export function validate(
  contract: Contract,
  columns?: Pick<RowColumns, 'admit' | 'absent'>,
): OperatorFunction<Batch<Decoded>, Batch<Rows>> {
  return (source) => {
    let builder = new StructBuilder(contract.schema, columns?.absent)
    const builderFor = (schema: StructType): StructBuilder =>
      builder.type === schema ? builder : (builder = new StructBuilder(schema, columns?.absent))
    return source.pipe(
      batchStage('validate', (decoded) => {
        const { objects, records, raw } = decoded
        const admitted = columns?.admit(objects, records, raw) ?? byContract(decoded, contract)
        return rowsOf(decoded, admitted, builderFor(admitted.schema))
      }),
    )
  }
}

/** Contract alone: fields that it does not name are left out. */
function byContract(decoded: Decoded, contract: Contract): Admitted {
  const objects: object[] = []
  const records: number[] = []
  const refused: { record: number; reason: 'contract'; message: string }[] = []
  for (const [index, object] of decoded.objects.entries()) {
    const record = decoded.records[index] as number
    const message = contract.check(object)
    if (message !== undefined) refused.push({ record, reason: 'contract', message })
    else {
      objects.push(object as object)
      records.push(record)
    }
  }
  return { schema: contract.schema, objects, records, refused, droppedFields: 0 }
}

function rowsOf(decoded: Decoded, admitted: Admitted, builder: StructBuilder): Rows {
  const { raw, proven, deletions, tombstones } = decoded
  const refused = admitted.refused.map(({ record, reason, message }) =>
    deadLetterOf(raw, record, reason, message),
  )
  const deadLetters: DeadLetter[] = [...decoded.deadLetters, ...refused]
  const fitting = Int32Array.from(appendObjects(builder, raw, admitted, deadLetters))
  const checked = { columns: builder.finishColumns(), records: fitting }
  const messages = mergeRows(proven ?? noRows(admitted.schema), checked)
  const { columns, records } = deletions === undefined ? messages : mergeRows(deletions, messages)
  const droppedFields = (decoded.droppedFields ?? 0) + admitted.droppedFields
  return {
    raw,
    deadLetters,
    tombstones,
    filtered: decoded.filtered ?? 0,
    columns,
    records,
    ...(droppedFields > 0 ? { droppedFields } : {}),
    ...(deletions === undefined ? {} : { deleted: new Set(deletions.records) }),
  }
}
