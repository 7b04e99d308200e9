import type { PlainRules } from './rules.ts'

/**
 * Says what is known of a value and a rule, as two bits: 1, the value may obey it; 2, the value may violate it. A rule is
 * proven when the second bit is 0.
 */
export type Verdict = number

/** The value obeys the rule. */
export const VALID = 1
/** The value violates the rule. */
export const INVALID = 2
/** Only the contract itself can decide. */
export const UNKNOWN = 3

/** Returns the verdict on a value that must obey both of two rules. */
export function bothOf(a: Verdict, b: Verdict): Verdict {
  return (a & b & VALID) | ((a | b) & INVALID)
}

/** Returns the verdict on a value that must obey at least one of two rules. */
export function eitherOf(a: Verdict, b: Verdict): Verdict {
  return ((a | b) & VALID) | (a & b & INVALID)
}

/** Returns the verdict on a value that must violate the rule. */
export function oppositeOf(a: Verdict): Verdict {
  return ((a & VALID) << 1) | ((a & INVALID) >> 1)
}

/** Returns VALID or INVALID. */
export function verdictOf(isValid: boolean): Verdict {
  return isValid ? VALID : INVALID
}

/** Returns the verdict of a conditional: `then` where `condition` holds, `otherwise` elsewhere. */
export function conditionalOf(condition: Verdict, then: Verdict, otherwise: Verdict): Verdict {
  return bothOf(eitherOf(oppositeOf(condition), then), eitherOf(condition, otherwise))
}

/**
 * Returns the verdict on a value that must obey exactly one of several rules, of which `certain` are obeyed, and `open`
 * are undecided.
 */
export function exactlyOne(certain: number, open: number): Verdict {
  if (certain > 1 || certain + open === 0) return INVALID
  return open === 0 ? VALID : UNKNOWN
}

/** Returns the verdict on null. */
export function nullVerdict(rules: PlainRules): Verdict {
  let verdict = verdictOf(
    rules.never === undefined &&
      (rules.types === undefined || rules.types.includes('null')) &&
      (rules.values === undefined || rules.values.includes(null)),
  )
  for (const part of rules.allOf ?? []) verdict = bothOf(verdict, nullVerdict(part))
  if (rules.anyOf !== undefined)
    verdict = bothOf(
      verdict,
      rules.anyOf.reduce((found, part) => eitherOf(found, nullVerdict(part)), INVALID),
    )
  if (rules.oneOf !== undefined) {
    const verdicts = rules.oneOf.map(nullVerdict)
    const count = (wanted: Verdict): number => verdicts.filter((each) => each === wanted).length
    verdict = bothOf(verdict, exactlyOne(count(VALID), count(UNKNOWN)))
  }
  if (rules.not !== undefined) verdict = bothOf(verdict, oppositeOf(nullVerdict(rules.not)))
  if (rules.condition !== undefined) {
    const { if: condition, then, else: otherwise } = rules.condition
    const branch = (part: PlainRules | undefined): Verdict => (part === undefined ? VALID : nullVerdict(part))
    verdict = bothOf(verdict, conditionalOf(nullVerdict(condition), branch(then), branch(otherwise)))
  }
  return verdict
}
