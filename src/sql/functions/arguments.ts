import type { SqlType, SqlValue } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import type { Term } from '../expression/term.ts'
import { isInteger, isTime, formatSqlType } from '../expression/types.ts'

/**
 * Builds the term of a function call from the terms of its arguments.
 *
 * @throws SqlError for arguments that the function does not support
 */
export type SqlFunction = (args: readonly Term[], name: string) => Term

/**
 * Returns the arguments if their number is between `min` and `max`.
 *
 * @throws SqlError for another number of arguments
 */
export function requireArgumentCount(
  args: readonly Term[],
  name: string,
  min: number,
  max = min,
): readonly Term[] {
  if (args.length < min || args.length > max)
    throw new SqlError(`${name} with ${args.length} arguments is not supported`)
  return args
}

/**
 * Returns the argument at `index`.
 *
 * @throws SqlError if it is missing
 */
export function argumentAt(args: readonly Term[], index: number): Term {
  const arg = args[index]
  if (arg === undefined) throw new SqlError(`argument ${index + 1} is missing`)
  return arg
}

/** Casts any primitive value to text. */
export function asText(term: Term): Term {
  return castTerm(term, 'string')
}

/** Casts an argument to a 32-bit integer; longs are not accepted. */
export function asInt(term: Term, name: string): Term {
  if (term.type === 'void' || term.type === 'string' || (isInteger(term.type) && term.type !== 'long'))
    return castTerm(term, 'integer')
  throw new SqlError(`${name} of a ${formatSqlType(term.type)} where an INT is expected is not supported`)
}

/** Casts an argument to a date: the UTC day of a timestamp, or parsed text. */
export function asDate(term: Term, name: string): Term {
  return castToTime(term, 'date', name)
}

/** Casts an argument to a timestamp in UTC: a date becomes its midnight, a TIMESTAMP_NTZ is unchanged. */
export function asTimestamp(term: Term, name: string): Term {
  return term.type === 'timestamp_ntz' ? term : castToTime(term, 'timestamp', name)
}

function castToTime(term: Term, type: SqlType, name: string): Term {
  if (isTime(term.type) || term.type === 'string' || term.type === 'void') return castTerm(term, type)
  throw new SqlError(`${name} of a ${formatSqlType(term.type)} is not supported`)
}

/**
 * Returns the text of a constant argument.
 *
 * @throws SqlError if the argument is not a constant text
 */
export function requireConstantText(term: Term, name: string): string {
  const value: SqlValue | undefined = term.constant?.value
  if (typeof value !== 'string')
    throw new SqlError(`${name} with a pattern that is not a constant text is not supported`)
  return value
}
