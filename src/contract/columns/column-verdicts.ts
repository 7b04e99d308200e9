import type { Column } from '../../arrow/column.ts'
import { bothOf, type Verdict } from '../rules/verdict.ts'
import type { PlainRules } from '../rules/rules.ts'
import type { PlainValue } from './plain.ts'

/** Judges each value of a column: returns one verdict per value. */
export type ColumnJudge = (column: Column) => Uint8Array

/** Lowers the verdicts on the values of a column by one rule. Values that are null are judged later. */
export type ColumnStep = (column: Column, verdicts: Uint8Array) => void

/** Says what is known of a column beside its values. */
export type ValueShape = Pick<PlainValue, 'type' | 'json' | 'object' | 'items' | 'entries'>

/** Says what a null in the column at a path means; see `NullMeaning`. */
export type MeaningOf = (path: string) => 'null' | 'absent' | 'either' | 'missing'

/** Returns the judge of rules for columns of a shape at a path, or `undefined` when every value obeys them. */
export type JudgeOf = (rules: PlainRules, shape: ValueShape, path: string) => ColumnJudge | undefined

/** Combines the verdicts `found` into `verdicts`. */
export function combine(
  verdicts: Uint8Array,
  found: Uint8Array,
  by: (a: Verdict, b: Verdict) => Verdict,
): void {
  for (let i = 0; i < verdicts.length; i++) verdicts[i] = by(verdicts[i] as Verdict, found[i] as Verdict)
}

/** Lowers the verdict on each list by the verdicts on its elements. */
export function gatherVerdicts(verdicts: Uint8Array, found: Uint8Array, offsets: Int32Array): void {
  for (let i = 0; i < verdicts.length; i++) {
    let verdict = verdicts[i] as Verdict
    const end = offsets[i + 1] as number
    for (let at = offsets[i] as number; at < end; at++) verdict = bothOf(verdict, found[at] as Verdict)
    verdicts[i] = verdict
  }
}
