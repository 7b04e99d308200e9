import { defer, type OperatorFunction } from 'rxjs'
import { rowAt } from '../src/arrow/values.ts'
import type { Batch, DeadLetter } from '../src/core/batch.ts'
import { currentOf, type Changing } from '../src/core/changing.ts'
import { deadLetterOf } from '../src/core/dead-letter.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import type { Decoded, WriterSchema } from '../src/formats/format.ts'
import { sourceMessageOf } from '../src/formats/json/source-message.ts'
import type { SourceColumns } from '../src/formats/sources.ts'
import { timestampTransformsOf, writerAfter } from '../src/transforms/columns.ts'
import type { TransformedRows } from '../src/transforms/columns/column-program.ts'
import type { ColumnTransforms, TransformInput } from '../src/transforms/columns/column-transforms.ts'
import { FILTERED, RejectedMessage, type Transformation } from '../src/transforms/transformation.ts'

/** Configures the `transform` operator. */
export interface TransformOperatorOptions {
  /** Returns why the contract refuses an untransformed message, or `undefined` if it is valid. Called first. */
  readonly check?: (message: unknown) => string | undefined
  /**
   * Returns the check of untransformed messages that name a writer's schema, in place of `check`; `undefined` for a schema
   * that has none. Absent when `check` applies to all messages.
   */
  readonly checkOf?: (writer: WriterSchema) => TransformOperatorOptions['check']
  /** Table columns: integers for timestamp columns are microseconds. Columns that change are asked once per batch. */
  readonly columns?: TransformInput | Changing<TransformInput>
  /** The transforms on columns; without them rows in columns are converted to objects. */
  readonly onColumns?: ColumnTransforms | undefined
}

/**
 * Transforms messages into the shape of the table. Messages that the contract refuses, that violate a rule or that cannot
 * be transformed become dead letters; messages that the filter excludes are counted. Messages that the format has decoded
 * into columns are transformed there as far as possible; all others, and those without `onColumns`, as objects.
 */
export function transform(
  transformation: Transformation,
  options: TransformOperatorOptions = {},
): OperatorFunction<Batch<Decoded>, Batch<Decoded>> {
  return (batches) =>
    defer(() => {
      let columns: TransformInput | undefined
      let instants: readonly boolean[] = []
      const writers = new WriterMapping(transformation, options)
      return batches.pipe(
        batchStage('transform', (decoded) => {
          const current = options.columns && currentOf(options.columns)
          if (current !== undefined && current !== columns) {
            columns = current
            instants = timestampTransformsOf(current.schema, transformation)
          }
          const made = current && options.onColumns?.transform(decoded, current)
          return transformed(decoded, made, transformation, writers, instants)
        }),
      )
    })
}

function transformed(
  decoded: Decoded,
  made: TransformedRows | undefined,
  transformation: Transformation,
  mapping: WriterMapping,
  instants: readonly boolean[],
): Decoded {
  const { raw } = decoded
  const objects: object[] = []
  const writers: (WriterSchema | undefined)[] = []
  const records: number[] = []
  const deadLetters: DeadLetter[] = [...decoded.deadLetters]
  let filtered = (decoded.filtered ?? 0) + (made?.filtered ?? 0)
  for (const { object, record, validated, writer } of messagesOf(decoded, made)) {
    const fault = validated ? undefined : faultOf(object, mapping.checkOf(writer))
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
      writers.push(mapping.afterTransforms(writer))
    }
  }
  const { writers: given, sources, droppedFields: dropped, ...rest } = decoded
  const named = given === undefined ? {} : { writers }
  // No rows have no columns: they are those of the rows that are made from objects.
  const validated =
    made === undefined || made.records.length === 0
      ? undefined
      : { columns: made.columns, records: made.records }
  const droppedFields = sources === undefined ? dropped : droppedOf(sources, made)
  return {
    ...rest,
    ...slowOf(decoded, made),
    ...(droppedFields === undefined ? {} : { droppedFields }),
    validated,
    objects,
    records,
    ...named,
    deadLetters,
    filtered,
  }
}

/** Counts the fields that the rows in columns leave out; those of other rows are counted when they are validated. */
function droppedOf({ droppedFields }: SourceColumns, made: TransformedRows | undefined): number {
  let dropped = 0
  for (const row of made?.rows ?? []) dropped += droppedFields[row] as number
  return dropped
}

/** Adds the messages that were decoded into columns and are transformed as objects. */
function slowOf({ slow, validated }: Decoded, made: TransformedRows | undefined): Pick<Decoded, 'slow'> {
  const count = made === undefined ? (validated?.records.length ?? 0) : made.remaining.length
  if (count > 0) return { slow: { ...slow, transform: (slow?.transform ?? 0) + count } }
  return slow === undefined ? {} : { slow }
}

/** Holds what follows from each writer's schema: the check of its messages, and the columns of their rows. */
class WriterMapping {
  readonly #transformation: Transformation
  readonly #options: TransformOperatorOptions
  readonly #checks = new WeakMap<WriterSchema, { readonly check: TransformOperatorOptions['check'] }>()
  readonly #after = new WeakMap<WriterSchema, WriterSchema>()

  constructor(transformation: Transformation, options: TransformOperatorOptions) {
    this.#transformation = transformation
    this.#options = options
  }

  checkOf(writer: WriterSchema | undefined): TransformOperatorOptions['check'] {
    const { check, checkOf } = this.#options
    if (writer === undefined || checkOf === undefined) return check
    let own = this.#checks.get(writer)
    if (own === undefined) this.#checks.set(writer, (own = { check: checkOf(writer) ?? check }))
    return own.check
  }

  /** Returns the schema of rows made from messages of a schema; it has no checks, as they were made before. */
  afterTransforms(writer: WriterSchema | undefined): WriterSchema | undefined {
    if (writer === undefined) return undefined
    let after = this.#after.get(writer)
    if (after === undefined) this.#after.set(writer, (after = writerAfter(writer, this.#transformation)))
    return after
  }
}

interface Message {
  readonly object: unknown
  readonly writer: WriterSchema | undefined
  readonly record: number
  /** True if the message is known to satisfy the contract. */
  readonly validated: boolean
}

/** Returns the messages of a batch, ascending by record. */
function messagesOf(
  { validated, sources, objects, records, writers }: Decoded,
  made: TransformedRows | undefined,
): readonly Message[] {
  const messages: Message[] = objects.map((object, index) => ({
    object,
    record: records[index] as number,
    writer: writers?.[index],
    validated: false,
  }))
  if (validated === undefined || validated.records.length === 0) return messages
  const { columns } = validated
  for (const row of made?.remaining ?? validated.records.keys()) {
    // Columns no longer have the text of every value.
    const object = sources === undefined ? rowAt(columns, row) : sourceMessageOf(sources, row)
    const record = validated.records[row] as number
    messages.push({ object, record, writer: undefined, validated: true })
  }
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
