import type { DeadLetter } from '../core/batch.ts'
import type { Raw } from '../core/raw.ts'
import type { StructField, StructType } from '../core/schema.ts'
import type { PlainContract } from '../contract/columns/plain.ts'
import type { DroppedPaths } from '../arrow/rows.ts'
import type { AbsentValues } from '../arrow/builder.ts'
import type { Columns } from '../arrow/column.ts'
import type { MessageSource, SourceColumns } from './sources.ts'

/**
 * Describes the schema with which a value was written, if the value names it: by an id of a registry, in the header of
 * a container, or beside itself. It is the only source of new columns' types; values are asked only where it is
 * missing. One schema is one object, so that what is derived from it can be kept by its identity.
 */
export interface WriterSchema {
  /** Every column that values of this schema can fill, at any depth. */
  readonly columns: StructType
  /** The fields that no column can hold, at any depth; absent or empty when there are none. At most 1,000 are listed. */
  readonly columnFaults?: readonly ColumnFault[]
  /** Returns the fault of a value that does not obey the schema, for schemas that decoding does not check already. */
  readonly check?: (value: object) => string | undefined
}

/** Says why a field of a writer's schema is in none of its columns. */
export interface ColumnFault {
  /** Names from the row down to the field; `items` and `values` stand for the content of arrays and maps. */
  readonly path: readonly string[]
  readonly message: string
}

/**
 * Names why a record was decoded as an object instead of directly into columns: `path`, its topic cannot be decoded into
 * columns at all (`Format.objectReasons` says why); `schema`, its writer's schema has columns that rows do not have yet;
 * `field`, it has a field without a column; `value`, a value is unusual or of another type; `contract`, a rule of the
 * contract is violated or could not be proven; `transform`, an expression needs objects for it.
 */
export type SlowReason = 'path' | 'schema' | 'field' | 'value' | 'contract' | 'transform'

/** Counts the records of a batch that were decoded as objects, by reason; absent reasons are 0. */
export type SlowCounts = Readonly<Partial<Record<SlowReason, number>>>

/** Says why a column, a rule or a transform needs objects. */
export interface ObjectReason {
  /** The column, as names joined by dots, or the option: `columns.price`, `filter`, `transforms.day`. */
  readonly subject: string
  /** Says what is not supported on columns, for people. */
  readonly reason: string
}

/**
 * Holds the result of decoding one batch. Every record is accounted for: records = validated + objects + deletions +
 * deadLetters + tombstones + filtered.
 */
export interface Decoded {
  readonly raw: Raw
  /** Rows that are in columns already and are known to obey the contract; `records` ascending. */
  readonly validated: { readonly columns: Columns; readonly records: Int32Array } | undefined
  /** Values of `validated` as the messages have them, if `FormatOptions.sources` asks for some. */
  readonly sources?: SourceColumns
  /** Rows as objects, which the contract has yet to validate; `records` ascending. */
  readonly objects: readonly unknown[]
  readonly records: readonly number[]
  /** The writer's schema of each of `objects`, undefined for one that names none; absent where no value names one. */
  readonly writers?: readonly (WriterSchema | undefined)[]
  readonly deadLetters: readonly DeadLetter[]
  readonly tombstones: number
  /** Tombstones whose value is the null of the format, such as `null` in JSON; ascending. */
  readonly nullTombstones?: readonly number[]
  /** Rows made from tombstones. They bypass contract and transforms; `records` ascending. */
  readonly deletions?: { readonly columns: Columns; readonly records: Int32Array }
  /** Records that a filter dropped; absent before the first filter. */
  readonly filtered?: number
  /** Records that were decoded as objects, or that became dead letters, instead of columns; absent where all became columns. */
  readonly slow?: SlowCounts
  /** Fields of validated rows without a column, if `FormatOptions.unknownFields` asks for a count. */
  readonly droppedFields?: number
  /** The names of these fields, and of those that keys of tombstones have without a column. */
  readonly droppedPaths?: readonly DroppedPaths[]
}

/**
 * A format decodes the bytes of a batch into rows. A record that cannot be decoded becomes a dead letter, never an
 * exception.
 */
export interface Format {
  readonly name: string
  /** Decodes all records of a batch into rows, dead letters and tombstones. Never throws for a record. */
  decode(raw: Raw): Decoded
  /**
   * Returns why records cannot be decoded into the present columns directly; empty if they can. Absent for formats that
   * always make objects.
   */
  objectReasons?(): readonly ObjectReason[]
  /**
   * Fetches data that the batch needs and that is not loaded yet, such as schemas; `undefined` when nothing is
   * missing. `decode` of the batch follows it.
   */
  prepare?(raw: Raw): Promise<void> | undefined
  /**
   * Asks worker threads to read the batch into columns; `undefined` when it is decoded where it is. Several batches may be
   * read at once. `prepare` and `decode` of the batch follow it, and the result is the same without it.
   */
  readAhead?(raw: Raw): Promise<void> | undefined
}

/** Holds the columns that messages fill. */
export interface MessageColumns {
  readonly schema: StructType
}

/**
 * Holds the columns to fill, and the contract as data if it can be expressed that way. A format takes either one such
 * value or, for columns that change while a stream runs, a `Changing` one, which it asks once per batch.
 */
export interface FormatOptions extends MessageColumns {
  readonly plain: PlainContract | undefined
  /** Values of columns of `schema` in records that lack them; null by default. */
  readonly absentValues?: AbsentValues | undefined
  /**
   * Handling of a field that `plain` allows and does not name: it is left out (default), left out and counted, or the
   * record is left to the contract.
   */
  readonly unknownFields?: 'skip' | 'count' | 'leave'
  /**
   * True when integers written with a fraction, such as `1.0`, are kept as `ExactNumber`, which distinguishes them from integers.
   */
  readonly keepFractions?: boolean
  /**
   * Decides which columns store values other than text as their JSON, where they hold text, at any depth; by default
   * none does.
   */
  readonly storesJsonText?: ((field: StructField) => boolean) | undefined
  /**
   * Decides which columns have their type from messages alone, so that each message may change it at any depth; by
   * default none has.
   */
  readonly isInferred?: ((field: StructField) => boolean) | undefined
  /**
   * True when an unknown field with an empty object or an empty array calls for no column, so that it needs no object under
   * `unknownFields: 'leave'`. One with null never does.
   */
  readonly ignoresEmpty?: boolean
  /**
   * True when records that do not become columns are left out of the result: the format makes neither objects nor dead
   * letters of them, because another thread decodes them.
   */
  readonly onlyColumns?: boolean
  /** Fields whose values a format that decodes into columns returns as the message has them, in `Decoded.sources`. */
  readonly sources?: readonly MessageSource[] | undefined
}
