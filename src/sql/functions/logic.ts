import type { SqlType } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { typesTogether } from './compare.ts'
import { SqlError } from '../expression/error.ts'
import { constantTerm, termOf, unary, type Getter, type Term } from '../expression/term.ts'
import { boundedDecimal, digitsOf, isDecimal, typeText } from '../expression/types.ts'

/** A condition: a boolean, or NULL. Throws `SqlError` for any other type. */
export function conditionOf(term: Term, where: string): Term {
  if (term.type === 'void') return constantTerm('boolean', null)
  if (term.type !== 'boolean') throw new SqlError(`${where} of a ${typeText(term.type)} is not supported`)
  return term
}

/** AND and OR of three-valued logic; the right side is not evaluated where the left one decides. */
export function andOr(operator: 'AND' | 'OR', left: Term, right: Term): Term {
  const decides = operator === 'OR'
  const terms = [conditionOf(left, operator), conditionOf(right, operator)]
  return termOf('boolean', terms, ([getLeft, getRight]) => {
    const l = getLeft as Getter
    const r = getRight as Getter
    return (row) => {
      const a = l(row)
      if (a === decides) return decides
      const b = r(row)
      if (b === decides) return decides
      return a === null || b === null ? null : !decides
    }
  })
}

/** NOT: null stays null. */
export function not(term: Term): Term {
  return unary('boolean', conditionOf(term, 'NOT'), (value: boolean) => !value)
}

/** IS NULL: never null; for values of every type. */
export function isNullTerm(term: Term): Term {
  return termOf(
    'boolean',
    [term],
    ([get]) =>
      (row) =>
        (get as Getter)(row) === null,
  )
}

/** The first value that is not null; what stands behind it is not evaluated. */
export function coalesce(args: readonly Term[], where = 'COALESCE'): Term {
  const { type, terms } = together(args, where)
  return termOf(type, terms, (getters) => (row) => {
    for (const get of getters) {
      const value = get(row)
      if (value !== null) return value
    }
    return null
  })
}

/** CASE and IF: the first branch whose condition is true; only that one is evaluated. */
export function caseTerm(
  branches: readonly { readonly when: Term; readonly then: Term }[],
  otherwise: Term | undefined,
  where = 'CASE',
): Term {
  const last = otherwise ?? constantTerm('void', null)
  const { type, terms } = together([...branches.map((branch) => branch.then), last], where)
  const whens = branches.map((branch) => conditionOf(branch.when, where))
  return termOf(type, [...whens, ...terms], (getters) => {
    const conditions = getters.slice(0, whens.length)
    const results = getters.slice(whens.length)
    return (row) => {
      const at = conditions.findIndex((condition) => condition(row) === true)
      return (results[at < 0 ? whens.length : at] as Getter)(row)
    }
  })
}

/** Terms as the type that they have together, a decimal within its 38 digits. */
export function together(
  args: readonly Term[],
  where: string,
): { readonly type: SqlType; readonly terms: readonly Term[] } {
  const wide = typesTogether(args, where)
  const type = isDecimal(wide) ? boundedDecimal(digitsOf(wide).precision, digitsOf(wide).scale) : wide
  return { type, terms: args.map((arg) => castTerm(arg, type)) }
}
