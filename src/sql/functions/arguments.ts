import type { SqlType, Value } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import type { Term } from '../expression/term.ts'
import { isInteger, isTime, typeText } from '../expression/types.ts'

/** A function of SQL: its term from those of its arguments. Throws `SqlError` for arguments that it does not take. */
export type SqlFunction = (args: readonly Term[], name: string) => Term

/** The arguments, which must be so many. */
export function counted(args: readonly Term[], name: string, min: number, max = min): readonly Term[] {
  if (args.length < min || args.length > max)
    throw new SqlError(`${name} with ${args.length} arguments is not supported`)
  return args
}

/** The argument at `index`, which must be there. */
export function argument(args: readonly Term[], index: number): Term {
  const arg = args[index]
  if (arg === undefined) throw new SqlError(`argument ${index + 1} is missing`)
  return arg
}

/** Any simple value as text. */
export function asText(term: Term): Term {
  return castTerm(term, 'string')
}

/** An integer of up to 32 bits; a long only where it is a constant that fits. */
export function asInt(term: Term, name: string): Term {
  if (term.type === 'void' || term.type === 'string' || (isInteger(term.type) && term.type !== 'long'))
    return castTerm(term, 'integer')
  throw new SqlError(`${name} of a ${typeText(term.type)} where an INT is expected is not supported`)
}

/** A date: of a timestamp its day in UTC, text as it is read. */
export function asDate(term: Term, name: string): Term {
  return checked(term, 'date', name)
}

/** A timestamp in UTC: a date is its midnight, a TIMESTAMP_NTZ stays what it is. */
export function asTimestamp(term: Term, name: string): Term {
  return term.type === 'timestamp_ntz' ? term : checked(term, 'timestamp', name)
}

function checked(term: Term, type: SqlType, name: string): Term {
  if (isTime(term.type) || term.type === 'string' || term.type === 'void') return castTerm(term, type)
  throw new SqlError(`${name} of a ${typeText(term.type)} is not supported`)
}

/** The text of an argument that must be a constant. */
export function constantText(term: Term, name: string): string {
  const value: Value | undefined = term.constant?.value
  if (typeof value !== 'string')
    throw new SqlError(`${name} with a pattern that is no constant text is not supported`)
  return value
}
