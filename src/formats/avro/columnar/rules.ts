import { columnRulesOf, type ColumnRules } from '../../../contract/columns/column-rules.ts'
import type { PlainContract, PlainValue } from '../../../contract/columns/plain.ts'
import type { FormatOptions } from '../../format.ts'

/** Says how the rules of a contract are proven: by plans alone, by columns of rows, or not at all. */
export type RuleProof =
  { readonly isNeeded: false } | { readonly isNeeded: true; readonly check: ColumnRules | undefined }

/** Returns how the rules of a contract are proven, beside types, nulls and required fields, which plans prove. */
export function ruleProofOf({ plain, schema }: FormatOptions): RuleProof {
  if (plain === undefined || !hasRules(plain)) return { isNeeded: false }
  return { isNeeded: true, check: columnRulesOf(plain, schema) }
}

function hasRules({ fields, rules }: PlainContract): boolean {
  return rules !== undefined || fields.some(isRuled)
}

function isRuled(value: PlainValue): boolean {
  const { object, items, entries } = value
  return (
    RULES.some((rule) => value[rule] !== undefined) ||
    (object !== undefined && hasRules(object)) ||
    (items !== undefined && isRuled(items)) ||
    (entries !== undefined && isRuled(entries))
  )
}

const RULES = [
  'enum',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'rules',
] as const
