import { defer, type OperatorFunction } from 'rxjs'
import { rowAt } from '../src/arrow/values.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { currentOf, type Changing } from '../src/core/changing.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import type { Decoded, MessageColumns } from '../src/formats/format.ts'
import { timestampTransformsOf } from '../src/transforms/columns.ts'
import { FILTERED, RejectedMessage, type Transformation } from '../src/transforms/transformation.ts'

/** Configures the `transform` operator. */
export interface TransformOperatorOptions {
  /** Returns why the contract refuses an untransformed message, or `undefined` if it is valid. Called first. */
  readonly check?: (message: unknown) => string | undefined
  /** Table columns: integers for timestamp columns are microseconds. Columns that change are asked once per batch. */
  readonly columns?: MessageColumns | Changing<MessageColumns>
}

/**
 * Transforms messages into the shape of the table. Messages that the contract refuses, that violate a rule or that cannot
 * be transformed become dead letters; messages that the filter excludes are counted. The operator works on objects: rows
 * that the format has already decoded into columns are converted back.
 */
export function transform(
  transformation: Transformation,
  options: TransformOperatorOptions = {},
): OperatorFunction<Batch<Decoded>, Batch<Decoded>> {
  return (batches) =>
    defer(() => {
      let columns: MessageColumns | undefined
      let instants: readonly boolean[] = []
      return batches.pipe(
        batchStage('transform', (decoded) => {
          const current = options.columns && currentOf(options.columns)
          if (current !== undefined && current !== columns) {
            columns = current
            instants = timestampTransformsOf(current.schema, transformation)
          }
          return transformed(decoded, transformation, options.check, instants)
        }),
      )
    })
}

function transformed(
  decoded: Decoded,
  transformation: Transformation,
  check: TransformOperatorOptions['check'],
  instants: readonly boolean[],
): Decoded {
  const { raw } = decoded
  const objects: object[] = []
  const records: number[] = []
  const deadLetters: DeadLetter[] = [...decoded.deadLetters]
  let filtered = decoded.filtered ?? 0
  for (const { object, record, validated } of messagesOf(decoded)) {
    const fault = validated ? undefined : faultOf(object, check)
    if (fault !== undefined) {
      deadLetters.push(deadLetterOf(raw, record, fault.reason, fault.message))
      continue
    }
    const row = transformation.apply(object as object, raw, record, instants)
    if (row === FILTERED) filtered++
    else if (row instanceof RejectedMessage)
      deadLetters.push(deadLetterOf(raw, record, row.reason, row.message))
    else {
      objects.push(row)
      records.push(record)
    }
  }
  return { ...decoded, validated: undefined, objects, records, deadLetters, filtered }
}

interface Message {
  readonly object: unknown
  readonly record: number
  /** True if the message is known to satisfy the contract. */
  readonly validated: boolean
}

/** Returns the messages of a batch, ascending by record. */
function messagesOf({ validated, objects, records }: Decoded): readonly Message[] {
  const messages: Message[] = objects.map((object, index) => ({
    object,
    record: records[index] as number,
    validated: false,
  }))
  if (validated === undefined || validated.records.length === 0) return messages
  const { columns } = validated
  for (const [row, record] of validated.records.entries())
    messages.push({ object: rowAt(columns, row), record, validated: true })
  return messages.sort((a, b) => a.record - b.record)
}

function faultOf(
  object: unknown,
  check: TransformOperatorOptions['check'],
): { reason: 'contract' | 'type'; message: string } | undefined {
  const message = check?.(object)
  if (message !== undefined) return { reason: 'contract', message }
  if (typeof object === 'object' && object !== null && !Array.isArray(object)) return undefined
  return { reason: 'type', message: `expected an object, got ${String(object)}` }
}
