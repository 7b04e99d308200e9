import { argumentAt, asInt, asText, requireArgumentCount, type SqlFunction } from './arguments.ts'
import type { SqlType, SqlValue } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { SqlError } from '../expression/error.ts'
import { strictTerm, termOf, unaryTerm, type RowEvaluator, type Term } from '../expression/term.ts'

/** Returns the number of characters of a text; a surrogate pair counts as one. */
function lengthOf(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) length--
  return length
}

/**
 * Returns the characters from `start` (inclusive) to `end` (exclusive), counted from 0; positions outside the
 * text are ignored.
 */
function slice(text: string, start: number, end: number): string {
  if (end <= start || end <= 0) return ''
  if (lengthOf(text) === text.length) return text.slice(Math.max(0, start), end)
  return Array.from(text).slice(Math.max(0, start), end).join('')
}

const INT_MAX = 2 ** 31 - 1

/** Returns a substring. Positions count from 1, or from the end if negative; 0 is the first character as well. */
function substring(text: string, position: number, length: number): string {
  const start = position > 0 ? position - 1 : position < 0 ? lengthOf(text) + position : 0
  return slice(text, start, Math.min(INT_MAX, start + length))
}

/** Returns a part of bytes, by the positions of `substring`. */
function subarray(bytes: Uint8Array, position: number, length: number): Uint8Array {
  const start = position > 0 ? position - 1 : position < 0 ? bytes.length + position : 0
  return bytes.subarray(Math.max(0, start), Math.max(0, start + length))
}

function createTrimmer(leading: boolean, trailing: boolean): (text: string, characters: string) => string {
  return (text, characters) => {
    const units = Array.from(text)
    const cut = new Set(characters)
    let start = 0
    let end = units.length
    if (leading) while (start < end && cut.has(units[start] as string)) start++
    if (trailing) while (end > start && cut.has(units[end - 1] as string)) end--
    return start === 0 && end === units.length ? text : units.slice(start, end).join('')
  }
}

function textFunction(type: SqlType, count: number, compute: (...values: never[]) => SqlValue): SqlFunction {
  return (args, name) => strictTerm(type, requireArgumentCount(args, name, count).map(asText), compute)
}

function trimFunction(leading: boolean, trailing: boolean): SqlFunction {
  const trim = createTrimmer(leading, trailing)
  return (args, name) => {
    requireArgumentCount(args, name, 1, 2)
    if (args.length === 1)
      return unaryTerm('string', asText(argumentAt(args, 0)), (text: string) => trim(text, ' '))
    // The characters to trim are the first argument, except for BTRIM.
    const [characters, text] = name === 'BTRIM' ? [args[1], args[0]] : args
    return strictTerm('string', [asText(text as Term), asText(characters as Term)], trim)
  }
}

const substr: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 2, 3)
  const whole = argumentAt(args, 0)
  const numbers = args.slice(1).map((arg) => asInt(arg, name))
  if (whole.type === 'binary')
    return strictTerm(
      'binary',
      [whole, ...numbers],
      (value: Uint8Array, position: number, length = INT_MAX) => subarray(value, position, length),
    )
  return strictTerm(
    'string',
    [asText(whole), ...numbers],
    (value: string, position: number, length = INT_MAX) => substring(value, position, length),
  )
}

const length: SqlFunction = (args, name) => {
  const arg = argumentAt(requireArgumentCount(args, name, 1), 0)
  return arg.type === 'binary'
    ? unaryTerm('integer', arg, (bytes: Uint8Array) => bytes.length)
    : unaryTerm('integer', asText(arg), lengthOf)
}

const bytes: SqlFunction = (args, name) => {
  const arg = argumentAt(requireArgumentCount(args, name, 1), 0)
  return unaryTerm('integer', castTerm(asText(arg), 'binary'), (value: Uint8Array) => value.length)
}

function sideFunction(which: 'left' | 'right'): SqlFunction {
  return (args, name) => {
    requireArgumentCount(args, name, 2)
    const whole = argumentAt(args, 0)
    const count = asInt(argumentAt(args, 1), name)
    if (which === 'left' && whole.type === 'binary')
      return strictTerm('binary', [whole, count], (value: Uint8Array, most: number) =>
        subarray(value, 1, most),
      )
    const terms = [asText(whole), count]
    return strictTerm('string', terms, (text: string, count: number) => {
      if (count <= 0) return ''
      return which === 'left' ? substring(text, 1, count) : substring(text, -count, INT_MAX)
    })
  }
}

function padFunction(which: 'left' | 'right'): SqlFunction {
  return (args, name) => {
    requireArgumentCount(args, name, 2, 3)
    if (argumentAt(args, 0).type === 'binary')
      throw new SqlError(`${name} over binary values is not supported`)
    const terms = [
      asText(argumentAt(args, 0)),
      asInt(argumentAt(args, 1), name),
      ...args.slice(2).map(asText),
    ]
    return strictTerm('string', terms, (text: string, count: number, fill = ' ') => {
      const lacking = count - lengthOf(text)
      if (lacking <= 0) return slice(text, 0, count)
      if (fill === '') return text
      const padding = slice(fill.repeat(Math.ceil(lacking / lengthOf(fill))), 0, lacking)
      return which === 'left' ? padding + text : text + padding
    })
  }
}

/** The function `concat_ws`: null arguments are skipped; the result is null only for a null separator. */
const concatWs: SqlFunction = (args, name) => {
  const terms: readonly Term[] = requireArgumentCount(args, name, 1, 100).map(asText)
  return termOf('string', terms, ([separator, ...getters]) => (row) => {
    const between = (separator as RowEvaluator)(row)
    if (typeof between !== 'string') return null
    return getters
      .map((get) => get(row))
      .filter((value) => value !== null)
      .join(between)
  })
}

const concat: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 0, 1000)
  const binary = args.length > 0 && args.every((arg) => arg.type === 'binary')
  return binary
    ? strictTerm('binary', args, (...parts: Uint8Array[]) => Buffer.concat(parts))
    : strictTerm('string', args.map(asText), (...parts: string[]) => parts.join(''))
}

/** Maps the text functions by their names in capitals. */
export const SQL_TEXT_FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  LENGTH: length,
  LEN: length,
  CHAR_LENGTH: length,
  CHARACTER_LENGTH: length,
  OCTET_LENGTH: bytes,
  UPPER: textFunction('string', 1, (text: string) => text.toUpperCase()),
  UCASE: textFunction('string', 1, (text: string) => text.toUpperCase()),
  LOWER: textFunction('string', 1, (text: string) => text.toLowerCase()),
  LCASE: textFunction('string', 1, (text: string) => text.toLowerCase()),
  TRIM: trimFunction(true, true),
  LTRIM: trimFunction(true, false),
  RTRIM: trimFunction(false, true),
  BTRIM: trimFunction(true, true),
  SUBSTRING: substr,
  SUBSTR: substr,
  LEFT: sideFunction('left'),
  RIGHT: sideFunction('right'),
  LPAD: padFunction('left'),
  RPAD: padFunction('right'),
  CONCAT: concat,
  '||': concat,
  CONCAT_WS: concatWs,
  STARTSWITH: textFunction('boolean', 2, (text: string, part: string) => text.startsWith(part)),
  ENDSWITH: textFunction('boolean', 2, (text: string, part: string) => text.endsWith(part)),
  CONTAINS: textFunction('boolean', 2, (text: string, part: string) => text.includes(part)),
  INSTR: textFunction('integer', 2, (text: string, part: string) => {
    const at = text.indexOf(part)
    return at < 0 ? 0 : lengthOf(text.slice(0, at)) + 1
  }),
  REPLACE: (args, name) => {
    requireArgumentCount(args, name, 2, 3)
    return strictTerm('string', args.map(asText), (text: string, from: string, to = '') =>
      from === '' ? text : text.replaceAll(from, () => to),
    )
  },
}
