import { TreeInterpreter } from '@jmespath-community/jmespath'
import { Exact, plainNumbers } from '../core/exact.ts'
import { jsonText } from '../core/json-text.ts'
import type { ExpressionFunction } from './function-table.ts'
import { doubleOf, isNumber, numberOfText } from './numbers.ts'

/** Longest text that padding or replacing may make, in UTF-16 units: widths and counts may come from a message. */
export const TEXT_MAX = 16_777_216

const WIDTH_MAX = 10_000

function library(name: string, args: readonly unknown[]): unknown {
  const { runtime } = TreeInterpreter
  return runtime.callFunction(name, args as Parameters<typeof runtime.callFunction>[1])
}

/** Numbers that no double holds count as the nearest one. */
function withDoubles(name: string): ExpressionFunction {
  return (args) => library(name, args.map(plainNumbers))
}

function mapNumber(name: string, ofBigInt: (value: bigint) => bigint): ExpressionFunction {
  return (args) => {
    const [value] = args
    if (typeof value === 'bigint') return ofBigInt(value)
    return library(name, [value instanceof Exact ? doubleOf(value) : value])
  }
}

function textOf(name: string, value: unknown, at: number): string {
  if (typeof value === 'string') return value
  throw new Error(`${name}() expected text as argument ${at + 1}, got ${typeName(value)}`)
}

/** The name that JMESPath has for the type of a value. */
export function typeName(value: unknown): string {
  if (isNumber(value)) return 'number'
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const WHITE =
  ' \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'

/** By a loop: the library's pattern takes time by the square of the length. */
function trim(name: string, left: boolean, right: boolean): ExpressionFunction {
  return (args) => {
    const text = textOf(name, args[0], 0)
    const listed = args.length > 1 ? textOf(name, args[1], 1) : ''
    const dropped = new Set(listed === '' ? WHITE : listed)
    let [start, end] = [0, text.length]
    while (left && start < end && dropped.has(text[start] ?? '')) start++
    while (right && end > start && dropped.has(text[end - 1] ?? '')) end--
    return text.slice(start, end)
  }
}

function pad(name: string): ExpressionFunction {
  return (args) => {
    const width = args[1]
    if (typeof width === 'number' && width > WIDTH_MAX)
      throw new Error(`${name}() pads to at most ${WIDTH_MAX} characters, got ${width}`)
    return library(name, args)
  }
}

/** At most `count` times from the left; everywhere without. */
function replace(args: readonly unknown[]): unknown {
  const [text, from, to] = [0, 1, 2].map((at) => textOf('replace', args[at], at)) as [string, string, string]
  const count = args[3] ?? Infinity
  if (typeof count !== 'number' || count < 0 || (count !== Infinity && !Number.isInteger(count)))
    throw new Error(`replace() expected a whole number as argument 4, got ${typeName(args[3])}`)
  const parts = text.split(from)
  const times = Math.min(count, parts.length - 1)
  if (text.length + times * (to.length - from.length) > TEXT_MAX)
    throw new Error(`replace() makes texts of at most ${TEXT_MAX} characters`)
  return [parts.slice(0, times + 1).join(to), ...parts.slice(times + 1)].join(from)
}

/** Functions of JMESPath that take other numbers than doubles here, or whose cost is bounded whatever a message holds. */
export const BUILT_IN: ReadonlyMap<string, ExpressionFunction> = new Map<string, ExpressionFunction>([
  ['abs', mapNumber('abs', (value) => (value < 0n ? -value : value))],
  ['ceil', mapNumber('ceil', (value) => value)],
  ['floor', mapNumber('floor', (value) => value)],
  ...['avg', 'max', 'min', 'sort', 'sum'].map((name) => [name, withDoubles(name)] as const),
  ['type', ([value]) => typeName(value)],
  ['to_string', ([value]) => (typeof value === 'string' ? value : jsonText(value))],
  [
    'to_number',
    ([value]) => (isNumber(value) ? value : typeof value === 'string' ? (numberOfText(value) ?? null) : null),
  ],
  ['trim', trim('trim', true, true)],
  ['trim_left', trim('trim_left', true, false)],
  ['trim_right', trim('trim_right', false, true)],
  ['pad_left', pad('pad_left')],
  ['pad_right', pad('pad_right')],
  ['replace', replace],
])
