import type { DataType } from '../../core/schema.ts'
import type { JsonType } from '../json-schema/json-schema.ts'
import type { PlainRules } from '../rules/rules.ts'

/**
 * Describes a contract as plain data, for a validator that sees bytes and columns but no objects. It exists only when
 * it expresses every rule of the JSON Schema: a record that it accepts is one that `Contract.check` accepts. The rules
 * that readers of columns apply while they read are members of their own; all others are `rules`.
 */
export interface PlainContract {
  readonly fields: readonly PlainField[]
  /** True when properties other than `fields` are allowed. They are left out of the table. */
  readonly additionalProperties: boolean
  /** Further rules for the object as a whole. */
  readonly rules?: PlainRules
}

/** Describes one property of an object. */
export interface PlainField extends PlainValue {
  readonly name: string
  /** True when the property must be present. A property with the value null is present. */
  readonly required: boolean
}

/** Describes the values that are accepted. A rule that is absent accepts everything. */
export interface PlainValue {
  /** The column type, which the value must fit as well. */
  readonly type: DataType
  /** The JSON type; `integer` includes `1.0` and `1e3`. Absent: any value that fits the column. */
  readonly json?: JsonType
  /** True when null is accepted. */
  readonly nullable: boolean
  /**
   * The formats as ajv-formats reads them: `2024-02-29`, `2024-02-29T12:00:00.123Z` (`T` or a space; `Z` or an offset
   * is required).
   */
  readonly format?: 'date' | 'date-time'
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  /** In Unicode code points. */
  readonly minLength?: number
  /** In Unicode code points. */
  readonly maxLength?: number
  /** Fields of a struct. */
  readonly object?: PlainContract
  /** Elements of an array. */
  readonly items?: PlainValue
  /** Values of a map. */
  readonly entries?: PlainValue
  /** Further rules for a value that is not null; those for a struct are in `object`. */
  readonly rules?: PlainRules
}
