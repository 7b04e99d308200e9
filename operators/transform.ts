import type { OperatorFunction } from 'rxjs'
import { rowAt } from '../src/arrow/values.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import type { StructType } from '../src/core/schema.ts'
import type { Decoded } from '../src/formats/format.ts'
import { instantsOf } from '../src/transforms/columns.ts'
import { FILTERED, Refusal, type Transformation } from '../src/transforms/transformation.ts'

/** What transforming needs beside the transformation. */
export interface TransformParts {
  /** What the contract says of a message as it came: `undefined` when it is valid. Asked before anything else. */
  readonly check?: (message: unknown) => string | undefined
  /** The columns that rows go to, read anew for each batch: integers that end in timestamps are microseconds. */
  readonly columns?: { readonly schema: StructType }
}

/**
 * Messages → messages as the table wants them. What the contract refuses, what breaks a rule and what cannot be
 * transformed become dead letters; what the filter does not keep is counted. Works on objects: rows that the format has in
 * columns already are taken out of them.
 */
export function transform(
  transformation: Transformation,
  parts: TransformParts = {},
): OperatorFunction<Batch<Decoded>, Batch<Decoded>> {
  let schema: StructType | undefined
  let instants: readonly boolean[] = []
  return batchStage('transform', (decoded) => {
    if (parts.columns !== undefined && parts.columns.schema !== schema) {
      schema = parts.columns.schema
      instants = instantsOf(schema, transformation)
    }
    const { raw } = decoded
    const objects: object[] = []
    const records: number[] = []
    const deadLetters: DeadLetter[] = [...decoded.deadLetters]
    let filtered = decoded.filtered ?? 0
    for (const { object, record, proven } of messagesOf(decoded)) {
      const fault = proven ? undefined : faultOf(object, parts.check)
      if (fault !== undefined) {
        deadLetters.push(deadLetterOf(raw, record, fault.reason, fault.message))
        continue
      }
      const row = transformation.apply(object as object, raw, record, instants)
      if (row === FILTERED) filtered++
      else if (row instanceof Refusal) deadLetters.push(deadLetterOf(raw, record, row.reason, row.message))
      else {
        objects.push(row)
        records.push(record)
      }
    }
    return { ...decoded, proven: undefined, objects, records, deadLetters, filtered }
  })
}

interface Message {
  readonly object: unknown
  readonly record: number
  /** Known to obey the contract. */
  readonly proven: boolean
}

/** The messages of a batch, ascending by record. */
function messagesOf({ proven, objects, records }: Decoded): readonly Message[] {
  const messages: Message[] = objects.map((object, index) => ({
    object,
    record: records[index] as number,
    proven: false,
  }))
  if (proven === undefined || proven.records.length === 0) return messages
  const { columns } = proven
  for (const [row, record] of proven.records.entries())
    messages.push({ object: rowAt(columns, row), record, proven: true })
  return messages.sort((a, b) => a.record - b.record)
}

function faultOf(
  object: unknown,
  check: TransformParts['check'],
): { reason: 'contract' | 'type'; message: string } | undefined {
  const message = check?.(object)
  if (message !== undefined) return { reason: 'contract', message }
  if (typeof object === 'object' && object !== null && !Array.isArray(object)) return undefined
  return { reason: 'type', message: `expected an object, got ${String(object)}` }
}
