import type { AnyBuilder, ListBuilder, MapBuilder, StructBuilder } from '../../../arrow/builder.ts'
import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { SlowReason } from '../../format.ts'
import type { DroppedPath } from './input.ts'
import type { KeySet } from './key-set.ts'
import type { SkipPlan } from './skip.ts'

/**
 * Describes how one Avro value is read from bytes into its column. `kind` selects the function that reads it: a switch
 * over a few functions is faster than a call through a property, which the compiler cannot inline. All plans have the
 * same shape.
 */
export type AvroPlan =
  | Plan<'text', BytesBuilder, undefined>
  | Plan<'enum', BytesBuilder, AvroSymbolTexts>
  | Plan<'boolean' | 'long' | 'double' | 'millis' | 'micros', FixedBuilder, undefined>
  | Plan<'integer', FixedBuilder, IntegerRange>
  | Plan<'decimal', FixedBuilder, AvroDecimalRules>
  | Plan<'null', AnyBuilder, undefined>
  | Plan<'union', AnyBuilder, readonly AvroPlan[]>
  | Plan<'record', StructBuilder, RecordRules>
  | Plan<'list', ListBuilder, ItemRules>
  | Plan<'map', MapBuilder, EntryRules>
  | Plan<'dropped', undefined, DroppedFields>
  | RarePlan

/** A `RarePlan` is one of the plans for types that are rare. */
export type RarePlan =
  | Plan<'bytes', BytesBuilder, undefined>
  | Plan<'fixedBytes', BytesBuilder, number>
  | Plan<'uuid', BytesBuilder, undefined>
  | Plan<'date' | 'int' | 'float' | 'doubleAsFloat', FixedBuilder, undefined>
  | Plan<'number', FixedBuilder, NumberRules>
  | Plan<'wholeDecimal', FixedBuilder, WholeDecimalRules>
  | Plan<'presence', FixedBuilder, SkipPlan>
  | Plan<'member', StructBuilder, MemberRules>
  | Plan<'skip', undefined, SkipPlan>
  | RefusedPlan

interface Plan<Kind, Builder, Rules> {
  readonly kind: Kind
  readonly builder: Builder
  readonly rules: Rules
}

/** A `RefusedPlan` leaves the records that have the value to the object reader, for the reason in `rules`. */
export type RefusedPlan = Plan<'refused', undefined, SlowReason>

/** Holds the symbols of an enum as UTF-8: symbol `i` is `view[starts[i]..starts[i + 1])`; refused where `isKnown[i]` is 0. */
export interface AvroSymbolTexts {
  readonly view: DataView
  readonly starts: Int32Array
  readonly isKnown: Uint8Array
}

/** Limits an integer to the type of its column. */
export interface IntegerRange {
  readonly minimum: number
  readonly maximum: number
}

/** Describes a whole number in a column of floats or doubles. */
export interface NumberRules {
  /** True for numbers of 32 bits. */
  readonly isInt: boolean
  /** True when the number is rounded to a float first. */
  readonly isRounded: boolean
}

/** Describes a decimal: the number of its bytes, or -1 when a length precedes them. */
export interface AvroDecimalRules {
  readonly size: number
  /** Ten to the power of the column's precision, in four words, lowest first: the first absolute value that does not fit. */
  readonly limit: Uint32Array
  /** The limit less one. */
  readonly limitBelow: Uint32Array
  /** The limit as a double. */
  readonly limitNumber: number
}

/** Describes a whole number in a decimal column. */
export interface WholeDecimalRules {
  readonly isInt: boolean
  /** Ten to the power of the column's scale. */
  readonly factor: number
  /** The first absolute unscaled value that does not fit or that a double may not hold. */
  readonly limit: number
}

/** Describes a member of a union of several types: the child of the struct that holds it. */
export interface MemberRules {
  readonly value: AvroPlan
  /** The children of the other members, which are null. */
  readonly others: readonly AnyBuilder[]
}

/** Describes a record: its fields in the order of the bytes, and the columns that it lacks. */
export interface RecordRules {
  readonly steps: readonly AvroPlan[]
  readonly missing: readonly AnyBuilder[]
  /** Values of fields that the writer lacks. */
  readonly constants: readonly { readonly builder: AnyBuilder; readonly value: unknown }[]
  /** True when columns that the record lacks have values of their own. */
  readonly hasAbsent: boolean
  /** Fields without a column that each record has by default. */
  readonly dropped: readonly DroppedFields[]
}

/** Describes the items of an array. */
export interface ItemRules {
  readonly value: AvroPlan
  readonly bytesMin: number
}

/** Describes the entries of a map. */
export interface EntryRules {
  readonly keys: BytesBuilder
  readonly value: AvroPlan
  /** The keys of the present map. */
  readonly seen: KeySet
}

/** Describes a field without a column, which is skipped and may be counted. */
export interface DroppedFields extends DroppedPath {
  readonly skip: SkipPlan
  readonly isCounted: boolean
}

/** Returns the plan of values that are left to the object reader. */
export function refusedPlan(reason: SlowReason): RefusedPlan {
  return { kind: 'refused', builder: undefined, rules: reason }
}
