import { asText, argument, counted, type SqlFunction } from './arguments.ts'
import { SqlError } from '../expression/error.ts'
import { binary, type Term } from '../expression/term.ts'

/**
 * `LIKE` and `ILIKE`: `%` stands for any text, `_` for one character, line ends included; the escape character
 * (`\` unless another is given) must stand before `%`, `_` or itself.
 */
export function like(caseless: boolean): SqlFunction {
  return (args, name) => {
    counted(args, name, 2, 3)
    const escape = args.length === 3 ? argument(args, 2).constant?.value : '\\'
    if (typeof escape !== 'string' || Array.from(escape).length !== 1)
      throw new SqlError(`${name} with an escape that is not one character is not supported`)
    return matching(asText(argument(args, 0)), asText(argument(args, 1)), (pattern) =>
      likeTest(caseless ? pattern.toLowerCase() : pattern, escape, caseless),
    )
  }
}

/** `RLIKE`: whether the pattern, one of Java's, is found anywhere. */
export const rlike: SqlFunction = (args, name) => {
  counted(args, name, 2)
  const pattern = asText(argument(args, 1))
  if (pattern.constant === undefined)
    throw new SqlError(`${name} with a pattern that is no constant is not supported`)
  return matching(asText(argument(args, 0)), pattern, (text) => {
    const regex = regexOf(text)
    return (value) => regex.test(value)
  })
}

/** Tests texts by patterns; the last pattern is kept, so that a constant one is made ready once. */
function matching(text: Term, pattern: Term, compile: (pattern: string) => (text: string) => boolean): Term {
  let last: string | undefined
  let test: (text: string) => boolean = () => false
  const testFor = (value: string): ((text: string) => boolean) => {
    if (value !== last) {
      test = compile(value)
      last = value
    }
    return test
  }
  // A constant pattern that is none is a fault of the expression, not of a row.
  if (typeof pattern.constant?.value === 'string') testFor(pattern.constant.value)
  return binary('boolean', text, pattern, (value: string, given: string) => testFor(given)(value))
}

/** A piece of a pattern: one character, `_` or `%`. */
type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'one' | 'any' }

function piecesOf(pattern: string, escape: string): readonly Piece[] {
  const pieces: Piece[] = []
  const characters = Array.from(pattern)
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === escape) {
      const next = characters[++i]
      if (next !== '%' && next !== '_' && next !== escape)
        throw new SqlError(`the pattern '${pattern}' has its escape before neither %, _ nor itself`)
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
 * Goes back to the last `%` alone, never to one before it: time grows with the length of the text times that of the
 * pattern, where a regular expression may take forever.
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

/** Units of the text at `at` that the piece stands for; 0 when it does not stand for what is there. */
function widthOf(text: string, at: number, piece: Piece): number {
  if (piece.kind === 'text') return text.startsWith(piece.text, at) ? piece.text.length : 0
  return piece.kind === 'one' ? characterWidth(text, at) : 0
}

function characterWidth(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

/** Line ends as Java knows them. */
const LINE_END = '\\n\\r\\u0085\\u2028\\u2029'
const PATTERN =
  /\\([dDwWsStnrf\\^$.|?*+()[\]{}/-])|(\[)(\^?)((?:\\[dDwWsStnrf\\^$.|?*+()[\]{}/-]|[^\\[\]&])+)\]|(\((?:\?[:=!]|(?!\?)))|(\))|([*+?]|\{\d+(?:,\d*)?\})([?+]?)|([.^$|])|([^\\[\](){}*+?.^$|])/uy
const CLASSES: Readonly<Record<string, string>> = {
  s: ' \\t\\n\\x0b\\f\\r',
  S: '[^ \\t\\n\\x0b\\f\\r]',
}

/**
 * A pattern of Java's as one of JavaScript's, for the pieces that both have: characters, classes, groups, alternatives,
 * quantifiers, anchors. `.` and `$` know Java's line ends, `\s` is of ASCII alone.
 * @throws SqlError naming the piece that is not supported
 */
export function regexOf(pattern: string): RegExp {
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
  // The end of the text, or before one line end there.
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
