import { asText, argumentAt, requireArgumentCount, type SqlFunction } from './arguments.ts'
import { SqlError } from '../expression/error.ts'
import { binaryTerm, type Term } from '../expression/term.ts'

/**
 * Returns the function `LIKE`, or `ILIKE` if `caseless`. `%` matches any text, `_` any one character,
 * including line breaks. The escape character (`\` by default) must precede `%`, `_` or itself.
 */
export function createLikeFunction(caseless: boolean): SqlFunction {
  return (args, name) => {
    requireArgumentCount(args, name, 2, 3)
    const escape = args.length === 3 ? argumentAt(args, 2).constant?.value : '\\'
    if (typeof escape !== 'string' || Array.from(escape).length !== 1)
      throw new SqlError(`${name} with an escape that is not one character is not supported`)
    return matchTerm(asText(argumentAt(args, 0)), asText(argumentAt(args, 1)), (pattern) =>
      likeTest(caseless ? pattern.toLowerCase() : pattern, escape, caseless),
    )
  }
}

/** The function `RLIKE`, which tests whether a Java pattern matches anywhere in the text. */
export const rlikeFunction: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 2)
  const pattern = asText(argumentAt(args, 1))
  if (pattern.constant === undefined)
    throw new SqlError(`${name} with a pattern that is not a constant is not supported`)
  return matchTerm(asText(argumentAt(args, 0)), pattern, (text) => {
    const regex = toJavaScriptRegExp(text)
    return (value) => regex.test(value)
  })
}

/**
 * Returns a term that matches text against a pattern. The last pattern is cached, so that a constant one is
 * compiled once.
 */
function matchTerm(text: Term, pattern: Term, compile: (pattern: string) => (text: string) => boolean): Term {
  let last: string | undefined
  let test: (text: string) => boolean = () => false
  const testFor = (value: string): ((text: string) => boolean) => {
    if (value !== last) {
      test = compile(value)
      last = value
    }
    return test
  }
  // An invalid constant pattern is a fault of the expression, not of a row.
  if (typeof pattern.constant?.value === 'string') testFor(pattern.constant.value)
  return binaryTerm('boolean', text, pattern, (value: string, given: string) => testFor(given)(value))
}

/** Describes a piece of a pattern: a character, `_` (one) or `%` (any). */
type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'one' | 'any' }

function piecesOf(pattern: string, escape: string): readonly Piece[] {
  const pieces: Piece[] = []
  const characters = Array.from(pattern)
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === escape) {
      const next = characters[++i]
      if (next !== '%' && next !== '_' && next !== escape)
        throw new SqlError(`the pattern '${pattern}' has an escape that precedes neither %, _ nor itself`)
      pieces.push({ kind: 'text', text: next })
    } else if (character === '%') pieces.push({ kind: 'any' })
    else if (character === '_') pieces.push({ kind: 'one' })
    else pieces.push({ kind: 'text', text: character })
  }
  return pieces
}

function likeTest(pattern: string, escape: string, caseless: boolean): (text: string) => boolean {
  const pieces = piecesOf(pattern, escape)
  return caseless ? (text) => isLike(text.toLowerCase(), pieces) : (text) => isLike(text, pieces)
}

/**
 * Matches text against a pattern. It backtracks only to the last `%`, so the time is at most proportional to
 * the length of the text times that of the pattern; a regular expression could take exponential time.
 */
function isLike(text: string, pieces: readonly Piece[]): boolean {
  let at = 0
  let next = 0
  let anyAt = -1
  let resume = 0
  while (at < text.length) {
    const piece = pieces[next]
    const width = piece === undefined ? 0 : widthOf(text, at, piece)
    if (piece?.kind === 'any') {
      anyAt = next++
      resume = at
    } else if (width > 0) {
      at += width
      next++
    } else if (anyAt >= 0) {
      resume += characterWidth(text, resume)
      at = resume
      next = anyAt + 1
    } else return false
  }
  while (pieces[next]?.kind === 'any') next++
  return next === pieces.length
}

/** Returns the number of 16-bit units of the text at `at` that the piece matches, or 0 if it does not match. */
function widthOf(text: string, at: number, piece: Piece): number {
  if (piece.kind === 'text') return text.startsWith(piece.text, at) ? piece.text.length : 0
  return piece.kind === 'one' ? characterWidth(text, at) : 0
}

function characterWidth(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

/** Line terminators of Java patterns. */
const LINE_END = '\\n\\r\\u0085\\u2028\\u2029'
const PATTERN =
  /\\([dDwWsStnrf\\^$.|?*+()[\]{}/-])|(\[)(\^?)((?:\\[dDwWsStnrf\\^$.|?*+()[\]{}/-]|[^\\[\]&])+)\]|(\((?:\?[:=!]|(?!\?)))|(\))|([*+?]|\{\d+(?:,\d*)?\})([?+]?)|([.^$|])|([^\\[\](){}*+?.^$|])/uy
const CLASSES: Readonly<Record<string, string>> = {
  s: ' \\t\\n\\x0b\\f\\r',
  S: '[^ \\t\\n\\x0b\\f\\r]',
}

/**
 * Converts a Java pattern to a JavaScript one, for the syntax that both have: characters, classes, groups,
 * alternatives, quantifiers, anchors. `.` and `$` use Java's line terminators, `\s` matches only ASCII.
 *
 * @throws SqlError naming the part that is not supported
 */
function toJavaScriptRegExp(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at = PATTERN.lastIndex) {
    PATTERN.lastIndex = at
    const match = PATTERN.exec(pattern)
    if (match === null)
      throw new SqlError(
        `${JSON.stringify(pattern.slice(at, at + 10))} of the regular expression is not supported`,
      )
    source += pieceOf(match)
  }
  try {
    return new RegExp(source, 'u')
  } catch (cause) {
    throw new SqlError(`the regular expression '${pattern}' is not supported: ${String(cause)}`)
  }
}

function pieceOf(match: RegExpExecArray): string {
  const [all, escaped, set, negated, members, , , , lazy, meta] = match
  if (lazy === '+') throw new SqlError(`${all} of the regular expression is not supported`)
  if (escaped !== undefined) return escapeOf(escaped, false)
  if (set !== undefined) {
    const inner = (members as string).replace(/\\(.)/gu, (_, character: string) => escapeOf(character, true))
    return `[${negated}${inner}]`
  }
  if (meta === '.') return `[^${LINE_END}]`
  // The end of the text, or the position before a final line terminator.
  if (meta === '$') return '(?=(?:\\r\\n|(?<!\\r)\\n|[\\r\\u0085\\u2028\\u2029])?$)'
  return all === '/' ? '\\/' : all
}

function escapeOf(character: string, inClass: boolean): string {
  if (character === 's') return inClass ? (CLASSES['s'] as string) : `[${CLASSES['s']}]`
  if (character === 'S') {
    if (inClass) throw new SqlError('\\S within [] of the regular expression is not supported')
    return CLASSES['S'] as string
  }
  if (character === '-') return inClass ? '\\-' : '-'
  return `\\${character}`
}
