import type { SqlType } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { commonTypeOfTerms } from './compare.ts'
import { SqlError } from '../expression/error.ts'
import { constantTerm, termOf, unaryTerm, type RowEvaluator, type Term } from '../expression/term.ts'
import { boundedDecimal, digitsOf, isDecimal, formatSqlType } from '../expression/types.ts'

/**
 * Returns the term if it is a boolean or NULL.
 *
 * @throws SqlError for any other type
 */
export function requireCondition(term: Term, where: string): Term {
  if (term.type === 'void') return constantTerm('boolean', null)
  if (term.type !== 'boolean')
    throw new SqlError(`${where} of a ${formatSqlType(term.type)} is not supported`)
  return term
}

/** Returns a term for AND or OR in three-valued logic. The right side is not evaluated if the left one decides. */
export function andOrTerm(operator: 'AND' | 'OR', left: Term, right: Term): Term {
  const decides = operator === 'OR'
  const terms = [requireCondition(left, operator), requireCondition(right, operator)]
  return termOf('boolean', terms, ([getLeft, getRight]) => {
    const l = getLeft as RowEvaluator
    const r = getRight as RowEvaluator
    return (row) => {
      const a = l(row)
      if (a === decides) return decides
      const b = r(row)
      if (b === decides) return decides
      return a === null || b === null ? null : !decides
    }
  })
}

/** Returns a term for NOT; null stays null. */
export function notTerm(term: Term): Term {
  return unaryTerm('boolean', requireCondition(term, 'NOT'), (value: boolean) => !value)
}

/** Returns a term for IS NULL, which accepts every type and is never null. */
export function isNullTerm(term: Term): Term {
  return termOf(
    'boolean',
    [term],
    ([get]) =>
      (row) =>
        (get as RowEvaluator)(row) === null,
  )
}

/** Returns a term for the first value that is not null; later ones are not evaluated. */
export function coalesceTerm(args: readonly Term[], where = 'COALESCE'): Term {
  const { type, terms } = castAllToCommonType(args, where)
  return termOf(type, terms, (getters) => (row) => {
    for (const get of getters) {
      const value = get(row)
      if (value !== null) return value
    }
    return null
  })
}

/**
 * Returns a term for CASE and IF: the value of the first branch whose condition is true. Other branches are
 * not evaluated.
 */
export function caseTerm(
  branches: readonly { readonly when: Term; readonly then: Term }[],
  otherwise: Term | undefined,
  where = 'CASE',
): Term {
  const last = otherwise ?? constantTerm('void', null)
  const { type, terms } = castAllToCommonType([...branches.map((branch) => branch.then), last], where)
  const whens = branches.map((branch) => requireCondition(branch.when, where))
  return termOf(type, [...whens, ...terms], (getters) => {
    const conditions = getters.slice(0, whens.length)
    const results = getters.slice(whens.length)
    return (row) => {
      const at = conditions.findIndex((condition) => condition(row) === true)
      return (results[at < 0 ? whens.length : at] as RowEvaluator)(row)
    }
  })
}

/** Casts terms to their common type; a decimal is bounded to 38 digits. */
export function castAllToCommonType(
  args: readonly Term[],
  where: string,
): { readonly type: SqlType; readonly terms: readonly Term[] } {
  const wide = commonTypeOfTerms(args, where)
  const type = isDecimal(wide) ? boundedDecimal(digitsOf(wide).precision, digitsOf(wide).scale) : wide
  return { type, terms: args.map((arg) => castTerm(arg, type)) }
}
