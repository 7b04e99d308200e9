import type { Columns } from '../../arrow/column.ts'
import type { StructType } from '../../core/schema.ts'
import type { PlainContract, PlainValue } from './plain.ts'

/** Marks each row of columns that violates or may violate a rule: `suspect[row]` becomes 1. Other rows keep their mark. */
export type ColumnRules = (columns: Columns, suspect: Uint8Array) => void

/**
 * Says what a null in a column means for the message: it is `null` there, it is `absent`, or `either`. The field of a
 * column may also be `missing` in every message, whatever the column contains, such as a default of the table.
 */
export type NullMeaning = 'null' | 'absent' | 'either' | 'missing'

/**
 * Returns the rules of `plain` for rows with the columns of `schema`; they never miss a row that the contract refuses.
 * Returns `undefined` when a rule cannot be proven on columns, so that every row needs the contract.
 *
 * The caller guarantees that the message of a row has no fields but those of the columns, and that a value which is not
 * null has the JSON type `json` of its `PlainValue` in the message; that instants and dates are texts of RFC 3339 there.
 * `meaningOf` returns what a null in the column at a path means, names joined by dots; by default it is `either`.
 */
export function columnRulesOf(
  plain: PlainContract,
  schema: StructType,
  meaningOf: (path: string) => NullMeaning = () => 'either',
): ColumnRules | undefined {
  void schema
  void meaningOf
  return plain.rules === undefined && plain.fields.every(isFree) ? () => undefined : undefined
}

function isFree(value: PlainValue): boolean {
  const { type: _, json: __, nullable, ...rules } = value
  void _
  void __
  const others = Object.keys(rules).filter((key) => key !== 'name' && key !== 'required')
  return nullable && others.length === 0 && !('required' in value && value.required === true)
}
