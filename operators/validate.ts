import { defer, type OperatorFunction } from 'rxjs'
import { StructBuilder } from '../src/arrow/builder.ts'
import { appendObjects, mergeRows, emptyRows, type Rows } from '../src/arrow/rows.ts'
import type { Contract } from '../src/contract/contract.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import type { ValidatedMessages } from '../src/evolution/batch-validation.ts'
import type { RowColumns } from '../src/evolution/row-columns.ts'
import type { Decoded } from '../src/formats/format.ts'

/**
 * Validates messages and converts them to rows in columns; messages that the contract refuses or that do not fit their
 * columns become dead letters. Messages that the format has already validated are passed on unchanged. With `columns`,
 * rows have these columns, which grow as messages contain new fields, instead of the columns of the contract.
 * @throws KD_SCHEMA_CHANGED if `columns` refuses new fields
 */
export function validate(
  contract: Contract,
  columns?: Pick<RowColumns, 'validate'>,
): OperatorFunction<Batch<Decoded>, Batch<Rows>> {
  return (batches) =>
    defer(() => {
      let builder: StructBuilder | undefined
      return batches.pipe(
        batchStage('validate', (decoded) => {
          const { objects, records, raw, writers } = decoded
          const validated = columns?.validate(objects, records, raw, writers) ?? byContract(decoded, contract)
          const { schema, absentValues } = validated
          if (builder?.type !== schema) builder = new StructBuilder(schema, absentValues)
          return rowsOf(decoded, validated, builder)
        }),
      )
    })
}

/** Validates messages by the contract alone and leaves out fields that it does not name. */
function byContract(decoded: Decoded, contract: Contract): ValidatedMessages {
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

function rowsOf(decoded: Decoded, validated: ValidatedMessages, builder: StructBuilder): Rows {
  const { raw, validated: decodedRows, deletions, tombstones } = decoded
  const refused = validated.refused.map(({ record, reason, message }) =>
    deadLetterOf(raw, record, reason, message),
  )
  const deadLetters: DeadLetter[] = [...decoded.deadLetters, ...refused]
  const fitting = Int32Array.from(appendObjects(builder, raw, validated, deadLetters))
  const checked = { columns: builder.finishColumns(), records: fitting }
  const messages = mergeRows(decodedRows ?? emptyRows(validated.schema), checked)
  const { columns, records } = deletions === undefined ? messages : mergeRows(deletions, messages)
  const droppedPaths = [
    ...(decoded.droppedPaths ?? []),
    ...(validated.droppedPaths ? [validated.droppedPaths] : []),
  ]
  const droppedFields = (decoded.droppedFields ?? 0) + validated.droppedFields
  return {
    raw,
    deadLetters,
    tombstones,
    filtered: decoded.filtered ?? 0,
    columns,
    records,
    ...(droppedFields > 0 ? { droppedFields } : {}),
    ...(droppedPaths.length > 0 ? { droppedPaths } : {}),
    ...(decoded.slow === undefined ? {} : { slow: decoded.slow }),
    ...(deletions === undefined ? {} : { deleted: new Set(deletions.records) }),
  }
}
