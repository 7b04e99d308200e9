import { argument, asInt, asText, counted, type SqlFunction } from './arguments.ts'
import type { SqlType, Value } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { strict, termOf, unary, type Getter, type Term } from '../expression/term.ts'

/** Characters of a text; halves of a character beyond 16 bits count as one. */
function lengthOf(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) length--
  return length
}

/** The characters from `start` up to `end`, counted from 0; what lies outside is left out. */
function slice(text: string, start: number, end: number): string {
  if (end <= start || end <= 0) return ''
  if (lengthOf(text) === text.length) return text.slice(Math.max(0, start), end)
  return Array.from(text).slice(Math.max(0, start), end).join('')
}

const INT_MAX = 2 ** 31 - 1

/** `substring`: counted from 1, from the end where negative; 0 is the first character as well. */
function substring(text: string, position: number, length: number): string {
  const start = position > 0 ? position - 1 : position < 0 ? lengthOf(text) + position : 0
  return slice(text, start, Math.min(INT_MAX, start + length))
}

function trimmer(leading: boolean, trailing: boolean): (text: string, characters: string) => string {
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

function texts(type: SqlType, count: number, compute: (...values: never[]) => Value): SqlFunction {
  return (args, name) => strict(type, counted(args, name, count).map(asText), compute)
}

function trimming(leading: boolean, trailing: boolean): SqlFunction {
  const trim = trimmer(leading, trailing)
  return (args, name) => {
    counted(args, name, 1, 2)
    if (args.length === 1)
      return unary('string', asText(argument(args, 0)), (text: string) => trim(text, ' '))
    // The characters to take away stand before the text, but for BTRIM.
    const [characters, text] = name === 'BTRIM' ? [args[1], args[0]] : args
    return strict('string', [asText(text as Term), asText(characters as Term)], trim)
  }
}

const substr: SqlFunction = (args, name) => {
  counted(args, name, 2, 3)
  const text = argument(args, 0).type === 'binary' ? undefined : asText(argument(args, 0))
  const numbers = args.slice(1).map((arg) => asInt(arg, name))
  if (text === undefined) return asText(argument(args, 0))
  return strict('string', [text, ...numbers], (value: string, position: number, length = INT_MAX) =>
    substring(value, position, length),
  )
}

const length: SqlFunction = (args, name) => {
  const arg = argument(counted(args, name, 1), 0)
  return arg.type === 'binary'
    ? unary('integer', arg, (bytes: Uint8Array) => bytes.length)
    : unary('integer', asText(arg), lengthOf)
}

const bytes: SqlFunction = (args, name) => {
  const arg = argument(counted(args, name, 1), 0)
  return unary('integer', castTerm(asText(arg), 'binary'), (value: Uint8Array) => value.length)
}

function side(which: 'left' | 'right'): SqlFunction {
  return (args, name) => {
    counted(args, name, 2)
    const terms = [asText(argument(args, 0)), asInt(argument(args, 1), name)]
    return strict('string', terms, (text: string, count: number) => {
      if (count <= 0) return ''
      return which === 'left' ? substring(text, 1, count) : substring(text, -count, INT_MAX)
    })
  }
}

function pad(which: 'left' | 'right'): SqlFunction {
  return (args, name) => {
    counted(args, name, 2, 3)
    const terms = [asText(argument(args, 0)), asInt(argument(args, 1), name), ...args.slice(2).map(asText)]
    return strict('string', terms, (text: string, count: number, fill = ' ') => {
      const lacking = count - lengthOf(text)
      if (lacking <= 0) return slice(text, 0, count)
      if (fill === '') return text
      const padding = slice(fill.repeat(Math.ceil(lacking / lengthOf(fill))), 0, lacking)
      return which === 'left' ? padding + text : text + padding
    })
  }
}

/** Null arguments are left out; only a null separator makes null. */
const concatWs: SqlFunction = (args, name) => {
  const terms: readonly Term[] = counted(args, name, 1, 100).map(asText)
  return termOf('string', terms, ([separator, ...getters]) => (row) => {
    const between = (separator as Getter)(row)
    if (typeof between !== 'string') return null
    return getters
      .map((get) => get(row))
      .filter((value) => value !== null)
      .join(between)
  })
}

const concat: SqlFunction = (args, name) => {
  counted(args, name, 0, 1000)
  const binary = args.length > 0 && args.every((arg) => arg.type === 'binary')
  return binary
    ? strict('binary', args, (...parts: Uint8Array[]) => Buffer.concat(parts))
    : strict('string', args.map(asText), (...parts: string[]) => parts.join(''))
}

/** Functions of text, by their names in capitals. */
export const TEXT_FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  LENGTH: length,
  LEN: length,
  CHAR_LENGTH: length,
  CHARACTER_LENGTH: length,
  OCTET_LENGTH: bytes,
  UPPER: texts('string', 1, (text: string) => text.toUpperCase()),
  UCASE: texts('string', 1, (text: string) => text.toUpperCase()),
  LOWER: texts('string', 1, (text: string) => text.toLowerCase()),
  LCASE: texts('string', 1, (text: string) => text.toLowerCase()),
  TRIM: trimming(true, true),
  LTRIM: trimming(true, false),
  RTRIM: trimming(false, true),
  BTRIM: trimming(true, true),
  SUBSTRING: substr,
  SUBSTR: substr,
  LEFT: side('left'),
  RIGHT: side('right'),
  LPAD: pad('left'),
  RPAD: pad('right'),
  CONCAT: concat,
  '||': concat,
  CONCAT_WS: concatWs,
  STARTSWITH: texts('boolean', 2, (text: string, part: string) => text.startsWith(part)),
  ENDSWITH: texts('boolean', 2, (text: string, part: string) => text.endsWith(part)),
  CONTAINS: texts('boolean', 2, (text: string, part: string) => text.includes(part)),
  INSTR: texts('integer', 2, (text: string, part: string) => {
    const at = text.indexOf(part)
    return at < 0 ? 0 : lengthOf(text.slice(0, at)) + 1
  }),
  REPLACE: (args, name) => {
    counted(args, name, 2, 3)
    return strict('string', args.map(asText), (text: string, from: string, to = '') =>
      from === '' ? text : text.replaceAll(from, () => to),
    )
  },
}
