import type { AbsentValues } from '../arrow/builder.ts'
import type { DroppedPaths } from '../arrow/rows.ts'
import type { DeadLetterReason } from '../core/batch.ts'
import type { StructType } from '../core/schema.ts'

/** Holds the valid messages of a batch and the faults of the others. */
export interface ValidatedMessages {
  /** The columns of all `objects`. */
  readonly schema: StructType
  /** Values for columns that an object lacks; other absent columns become null. They belong to `schema`. */
  readonly absentValues?: AbsentValues
  readonly objects: readonly object[]
  readonly records: readonly number[]
  readonly refused: readonly {
    readonly record: number
    readonly reason: DeadLetterReason
    readonly message: string
  }[]
  /** Number of dropped fields that have no column. */
  readonly droppedFields: number
  /** Their names; absent when there are none. */
  readonly droppedPaths?: DroppedPaths
}

/** Collects the outcomes for the messages of one batch. */
export class BatchValidation {
  droppedFields = 0
  hasRescued = false
  readonly #objects: object[] = []
  readonly #records: number[] = []
  readonly #refused: { record: number; reason: DeadLetterReason; message: string }[] = []

  accept(object: object, record: number): void {
    this.#objects.push(object)
    this.#records.push(record)
  }

  refuse(record: number, reason: DeadLetterReason, message: string): void {
    this.#refused.push({ record, reason, message })
  }

  result(schema: StructType, absentValues: AbsentValues, droppedPaths: DroppedPaths): ValidatedMessages {
    return {
      schema,
      absentValues,
      objects: this.#objects,
      records: this.#records,
      refused: this.#refused,
      droppedFields: this.droppedFields,
      ...(this.droppedFields > 0 ? { droppedPaths } : {}),
    }
  }
}
