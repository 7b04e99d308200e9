import type { Columns } from '../../arrow/column.ts'
import type { StructType } from '../../core/schema.ts'
import { columnJudgeOf } from './column-judge.ts'
import type { ColumnJudge } from './column-verdicts.ts'
import type { PlainContract } from './plain.ts'
import { rulesOfObject } from './value-rules.ts'
import { INVALID } from '../rules/verdict.ts'

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
 * The caller guarantees that the message of a row has no fields but those of the columns (or that a message with others is
 * left to the contract), and that a value which is not
 * null has the JSON type `json` of its `PlainValue` in the message; that instants and dates are texts of RFC 3339 there.
 * `meaningOf` returns what a null in the column at a path means, names joined by dots, `element` and `value` for the
 * content of arrays and maps; by default it is `either`.
 */
export function columnRulesOf(
  plain: PlainContract,
  schema: StructType,
  meaningOf: (path: string) => NullMeaning = () => 'either',
): ColumnRules | undefined {
  const names = new Set(schema.fields.map(({ name }) => name))
  if (plain.fields.some(({ name }) => !names.has(name))) return undefined
  const judge: ColumnJudge | undefined = columnJudgeOf(
    rulesOfObject(plain),
    { type: schema, json: 'object', object: plain },
    '',
    meaningOf,
  )
  if (judge === undefined) return () => undefined
  return ({ columns, length }, suspect) => {
    const verdicts = judge({ kind: 'struct', type: schema, length, valid: undefined, children: columns })
    for (let row = 0; row < length; row++) if (((verdicts[row] as number) & INVALID) !== 0) suspect[row] = 1
  }
}
