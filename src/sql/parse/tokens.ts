import { SqlError } from '../expression/error.ts'

/** Describes one word, name, literal or symbol of an expression. */
export interface SqlToken {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'sign' | 'end'
  /** Text of the token: a word or number as written, a name without its quotes, or the content of a string. */
  readonly text: string
  /** Offset in the expression, in characters. */
  readonly at: number
}

const SPACE = /(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)+/y
const NUMBER = /(?:\d+\.\d*|\.\d+|\d+)(?:e[+-]?\d+)?(?:bd|[lsydf])?(?![\p{L}\d_])/iuy
const WORD = /[\p{L}\d_]+/uy
const QUOTED = /`((?:[^`]|``)*)`/y
const STRING = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/y
const RAW = /[rR](?:'([^']*)'|"([^"]*)")/y
const SIGN = /<=>|\|\||::|<<|>>|[<>!=]=|<>|!<|!>|[-+*/%=<>!().,[\]&|^~]/y

/**
 * Splits a Spark SQL expression into tokens, with an `end` token after the last. String literals have Spark's
 * escapes: `\n`, `\u00e9`, `\'`, `''`, raw strings `r'…'`; `\%` and `\_` keep their backslash for LIKE.
 *
 * @throws SqlError for a character that begins no token
 */
export function tokenizeSql(text: string): readonly SqlToken[] {
  const tokens: SqlToken[] = []
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  while ((at = match(SPACE) === null ? at : SPACE.lastIndex) < text.length) {
    const token = next(match)
    if (token === undefined)
      throw new SqlError(`${JSON.stringify(text.slice(at, at + 20))} is not understood`)
    const [kind, content, length] = token
    tokens.push({ kind, text: content, at })
    at += length
  }
  return [...tokens, { kind: 'end', text: 'the end', at }]
}

function next(
  match: (pattern: RegExp) => RegExpExecArray | null,
): readonly [SqlToken['kind'], string, number] | undefined {
  const raw = match(RAW)
  if (raw !== null) return ['string', raw[1] ?? raw[2] ?? '', raw[0].length]
  const number = match(NUMBER)
  if (number !== null) return ['number', number[0], number[0].length]
  const word = match(WORD)
  if (word !== null) return ['word', word[0], word[0].length]
  const quoted = match(QUOTED)
  if (quoted !== null) return ['quoted', (quoted[1] ?? '').replaceAll('``', '`'), quoted[0].length]
  const string = match(STRING)
  if (string !== null) return ['string', unescape(string[0]), string[0].length]
  const sign = match(SIGN)
  return sign === null ? undefined : ['sign', sign[0], sign[0].length]
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
  '%': '\\%',
  _: '\\_',
}

function unescape(literal: string): string {
  const quote = literal[0] as string
  return literal
    .slice(1, -1)
    .replace(
      /''|""|\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|([01][0-7]{2})|([\s\S]))/g,
      (all, hex: string | undefined, long: string | undefined, octal: string | undefined, other?: string) => {
        if (all === "''" || all === '""') return all[0] === quote ? quote : all
        if (hex !== undefined || long !== undefined) return codePoint(parseInt(hex ?? long ?? '', 16))
        if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8))
        return ESCAPES[other ?? ''] ?? other ?? ''
      },
    )
}

function codePoint(code: number): string {
  if (code > 0x10ffff) throw new SqlError(`\\U${code.toString(16)} is not a Unicode character`)
  return String.fromCodePoint(code)
}
