import { RowNormaliser } from '../../src/arrow/objects/row-normaliser.ts'
import type { Row } from '../../src/arrow/rows.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { deadLetterOf } from '../../src/core/dead-letter.ts'
import { messageOf, PipelineError, type ErrorContext } from '../../src/core/errors.ts'
import type { StructType } from '../../src/core/schema.ts'
import { recordInfosFor, type RecordInfo } from './record-info.ts'
import type { RowSource } from './row-source.ts'

/** Describes the function that a row operator calls for each row. */
export interface RowCallback<R> {
  readonly operator: string
  readonly run: (row: Row, info: RecordInfo) => R
  /** True if the function declares a parameter for the record. */
  readonly takesInfo: boolean
  /** True if the operator passes the rows on, so that the function must get copies. */
  readonly passesRows: boolean
  /** Throws the error that ends the stream; without it, a row for which the function throws becomes a dead letter. */
  readonly failed?: (error: unknown, info: RecordInfo) => never
}

/** Receives what the function returned for a row of the source; `row` is unchanged if the operator passes rows on. */
export type RowOutcome<R> = (result: R, i: number, row: Row) => void

/**
 * Calls a function with each row of a batch as an object of its own, and `keep` with what it returned. Returns the dead
 * letters of the batch: those so far, those of rows that do not fit their columns, and those of rows for which the function
 * threw.
 * @throws KD_OPERATOR_INVALID if the function returns a promise
 */
export function callForEachRow<R>(
  source: RowSource,
  callback: RowCallback<R>,
  keep: RowOutcome<R>,
): readonly DeadLetter[] {
  const { operator, run, takesInfo, passesRows, failed } = callback
  const { raw } = source.rest
  const infoOf = recordInfosFor(raw, takesInfo)
  const letters: DeadLetter[] = [...source.letters]
  const thrown: DeadLetter[] = []
  for (let i = 0; i < source.length; i++) {
    const row = source.ownRowAt(i)
    const record = source.recordAt(i)
    if (typeof row === 'string') {
      letters.push(deadLetterOf(raw, record, 'type', row))
      continue
    }
    const info = infoOf(record)
    let result: R
    try {
      result = run(passesRows ? source.copy(row) : row, info)
    } catch (error) {
      failed?.(error, info)
      thrown.push(deadLetterOf(raw, record, 'custom', messageOf(error)))
      continue
    }
    refusePromise(operator, result, info)
    keep(result, i, row)
  }
  return [...letters, ...thrown]
}

/**
 * Refuses a promise that a synchronous function has returned: its fields would all be read as absent.
 * @throws KD_OPERATOR_INVALID
 */
export function refusePromise(operator: string, result: unknown, info: RecordInfo): void {
  if (!isThenable(result)) return
  // Nothing else awaits it, and a rejection without a handler ends the process.
  Promise.resolve(result).catch(() => undefined)
  throw new PipelineError(
    'KD_OPERATOR_INVALID',
    `${operator}: the function returned a promise; use mapRowsAsync`,
    placeOf(info),
  )
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  )
}

/** Returns the place of a record for errors. */
export function placeOf({ topic, partition, offset }: RecordInfo): ErrorContext {
  return { topic, partition, offset }
}

/** Returns a function that returns the normaliser of a schema; it is made again only when the schema is another one. */
export function normalisers(): (schema: StructType) => RowNormaliser {
  let normaliser: RowNormaliser | undefined
  return (schema) => {
    if (normaliser?.schema !== schema) normaliser = new RowNormaliser(schema)
    return normaliser
  }
}
