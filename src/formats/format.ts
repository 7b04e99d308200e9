import type { DeadLetter } from '../core/batch.ts'
import type { Raw } from '../core/raw.ts'
import type { StructType } from '../core/schema.ts'
import type { PlainContract } from '../contract/columns/plain.ts'
import type { AbsentValues } from '../arrow/builder.ts'
import type { Columns } from '../arrow/column.ts'

/** What a format made of the records of one batch: records = proven + objects + deletions + deadLetters + tombstones + filtered. */
export interface Decoded {
  readonly raw: Raw
  /** Rows that are in columns already and known to obey the contract; `records` ascending. */
  readonly proven: { readonly columns: Columns; readonly records: Int32Array } | undefined
  /** Rows as objects, which the contract has yet to check; `records` ascending. */
  readonly objects: readonly unknown[]
  readonly records: readonly number[]
  readonly deadLetters: readonly DeadLetter[]
  readonly tombstones: number
  /** Tombstones whose value says null in the words of the format; ascending. */
  readonly nulls?: readonly number[]
  /** Rows of tombstones, which neither contract nor transforms are asked about; `records` ascending. */
  readonly deletions?: { readonly columns: Columns; readonly records: Int32Array }
  /** Records that a filter did not keep; absent before there was one. */
  readonly filtered?: number
  /** Fields of proven rows that no column took, where `FormatOptions.unknown` asks for a count. */
  readonly droppedFields?: number
}

/** A format turns the bytes of a batch into rows; what it cannot read becomes a dead letter, never an exception. */
export interface Format {
  readonly name: string
  /** Makes rows, dead letters and tombstones of all records of a batch; throws for none of them. */
  decode(raw: Raw): Decoded
  /** Fetches what the batch needs that is not there yet; `undefined` where nothing is. `decode` of the batch comes after it. */
  prepare?(raw: Raw): Promise<void> | undefined
}

/**
 * What a format may use: the columns to fill, and the contract as data where that says everything. Read anew for each
 * batch, since columns come and go while a stream runs.
 */
export interface FormatOptions {
  readonly schema: StructType
  readonly plain: PlainContract | undefined
  /** What columns of `schema` are in a record that does not have them at all; null by default. */
  readonly absent?: AbsentValues | undefined
  /**
   * What becomes of a field that `plain` allows and does not name: it is left out (by default), left out and counted, or
   * the record is left for the contract to look at.
   */
  readonly unknown?: 'skip' | 'count' | 'leave'
  /** Whether whole numbers that are written with a fraction, such as `1.0`, are told from integers by being `Exact`. */
  readonly fractions?: boolean
}
