import type {
  AnyBuilder,
  LaggingBuilder,
  ListBuilder,
  MapBuilder,
  StructBuilder,
} from '../../../arrow/builder.ts'
import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import type { DroppedPaths } from '../../../arrow/rows.ts'
import type { FormatOptions } from '../../format.ts'
import type { CheckedRules } from './checked-plan.ts'
import type { QuotedText } from './json-bytes.ts'
import type { MemberNames } from './member-names.ts'

/**
 * Describes how one JSON value is read from bytes into its column. `kind` selects the function that reads it: a switch
 * over a few functions is faster than a call through a property, which the compiler cannot inline.
 */
export type ValuePlan =
  | Plan<'text' | 'jsonText', BytesBuilder, TextLimits>
  | Plan<'enum', BytesBuilder, readonly QuotedText[]>
  | Plan<'binary', BytesBuilder, undefined>
  | Plan<'boolean' | 'date', FixedBuilder, undefined>
  | Plan<'time', FixedBuilder, TimeRules>
  | Plan<'long' | 'integer' | 'float' | 'double' | 'wholeDouble', FixedBuilder, NumberRange>
  | Plan<'decimal', FixedBuilder, DecimalRules>
  | Plan<'object', StructBuilder, ObjectPlan>
  | Plan<'list', ListBuilder, ValuePlan>
  | Plan<'map', MapBuilder, MapPlan>
  | Plan<'checked', AnyBuilder, CheckedPlan>
  | Plan<'source', SourceTap, ValuePlan | undefined>

interface Plan<Kind, Builder, Rules> {
  readonly kind: Kind
  /** True when null is accepted. */
  readonly nullable: boolean
  readonly builder: Builder
  readonly rules: Rules
}

/** Describes a value that is read by one plan and then checked by rules. */
export interface CheckedPlan {
  readonly inner: ValuePlan
  readonly check: CheckedRules
}

/** Takes note of a value that is needed as the message has it, besides its column if it has one. */
export interface SourceTap {
  appendNull(): void
  /** Notes the value in `[at, end)`; returns false when the record must be parsed. */
  note(bytes: Uint8Array, at: number, end: number): boolean
}

/** Limits the length of a text, in code points. */
export interface TextLimits {
  readonly lengthMin: number
  readonly lengthMax: number
}

/** Limits a number; the bounds of the column type are included. */
export interface NumberRange {
  readonly minimum: number
  readonly maximum: number
  readonly exclusiveMinimum: number
  readonly exclusiveMaximum: number
}

/** Describes a date with time. */
export interface TimeRules {
  /** True when a zone is required; otherwise it is refused. */
  readonly zoned: boolean
  readonly needsSeconds: boolean
}

/** Describes a decimal column, and the JSON that it is read from. */
export interface DecimalRules {
  readonly precision: number
  readonly scale: number
  readonly numbers: boolean
  readonly texts: boolean
}

/** Describes the entries of a map. */
export interface MapPlan {
  readonly key: ValuePlan
  readonly value: ValuePlan
}

/** Describes one property of an object. */
export interface MemberPlan {
  readonly required: boolean
  readonly name: QuotedText
  /** The name with the colon after it, as most producers write both. */
  readonly key: QuotedText
  /** Absent for a field without a column. */
  readonly value: ValuePlan | undefined
  /** The dotted path, in lower case, of a field that is counted, until a row has named it. */
  path?: string | undefined
}

/** Describes an object and holds what is known of the objects read so far. */
export interface ObjectPlan {
  /** The properties, and after them the unknown fields seen so far. */
  readonly members: MemberPlan[]
  /** Positions of the members that an object must have. */
  readonly required: readonly number[]
  /** The names of the members. */
  readonly names: MemberNames
  /** Builders of the properties that must be padded before a value is appended. */
  readonly lagging: readonly (LaggingBuilder | undefined)[]
  /** Number of the properties, and of the sources without a column that follow them. */
  readonly known: number
  /** Number of the properties. */
  readonly columns: number
  /** Index of the member that last followed each member, at the index of that member plus 1; first the first member of an object. */
  successors: Int32Array
  /** Number of the object in which each member was last seen. */
  seenIn: Float64Array
  /** Objects read so far. */
  objects: number
  readonly unknown: UnknownMembers
  /** Number of fields from which on the type of the column is another one. */
  readonly fieldsMax: number
  /** Rules for the object as a whole. */
  readonly check: CheckedRules | undefined
}

/** Counts the fields that the contract allows and does not name, over all objects of a reader. */
export interface UnknownFields {
  readonly policy: NonNullable<FormatOptions['unknownFields']>
  /** True when one with an empty object or array is ignored under `leave`. */
  ignoresEmpty: boolean
  /** True after one with an empty object or array was ignored. */
  hasIgnored: boolean
  /** Number of fields left out, if they are counted. */
  dropped: number
  /** Their names. */
  readonly paths: DroppedPaths
  /** Fields of the present record whose names `paths` lacks. */
  readonly named: MemberPlan[]
}

/** Describes what becomes of the fields of one object that are none of its properties. */
export interface UnknownMembers {
  readonly fields: UnknownFields
  /** `skip`: left out; `count`: left out and counted; `blank`: left out if they have no value; `refuse`: the record is parsed. */
  readonly use: 'skip' | 'count' | 'blank' | 'refuse'
  /** Dotted path of the object in lower case, with a dot at the end; empty for the record itself. */
  readonly path: string
  /** Lower-case names of the properties: a name that differs only in case is not unknown. */
  readonly names: ReadonlySet<string>
}
