import { TreeInterpreter } from '@jmespath-community/jmespath'
import { ExactNumber, WholeFraction, narrowFraction, toPlainNumbers } from '../core/exact.ts'
import { toJsonText } from '../core/json-text.ts'
import type { ExpressionFunction } from './function-table.ts'
import { toDouble, isNumber, parseNumber } from './numbers.ts'

/**
 * Longest text that padding or replacing may produce, in UTF-16 code units. Widths and counts may come from a
 * message.
 */
const TEXT_LENGTH_MAX = 16_777_216

const WIDTH_MAX = 10_000

function callLibrary(name: string, args: readonly unknown[]): unknown {
  const { runtime } = TreeInterpreter
  return runtime.callFunction(name, args as Parameters<typeof runtime.callFunction>[1])
}

/** Converts numbers that a double cannot hold to the nearest double. */
function withDoubles(name: string): ExpressionFunction {
  return (args) => callLibrary(name, args.map(toPlainNumbers))
}

/** The library checks the elements, but sorts numbers by their text. */
function sort(args: readonly unknown[]): unknown {
  const sorted = callLibrary('sort', args.map(toPlainNumbers)) as unknown[]
  return typeof sorted[0] === 'number' ? (sorted as number[]).sort((a, b) => a - b) : sorted
}

function mapNumber(name: string, ofBigInt: (value: bigint) => bigint): ExpressionFunction {
  return (args) => {
    const [value] = args
    if (typeof value === 'bigint') return ofBigInt(value)
    return callLibrary(name, [value instanceof ExactNumber ? toDouble(value) : value])
  }
}

function textOf(name: string, value: unknown, at: number): string {
  if (typeof value === 'string') return value
  throw new Error(`${name}() expected text as argument ${at + 1}, got ${jmespathTypeOf(value)}`)
}

/** Returns the JMESPath name of the type of a value, such as `number` or `array`. */
export function jmespathTypeOf(value: unknown): string {
  if (isNumber(value)) return 'number'
  if (value === null || value === undefined) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const WHITE =
  ' \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'

/** Trims with a loop, because the library's regular expression takes quadratic time. */
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
    return callLibrary(name, args)
  }
}

/** Replaces from the left, at most `count` times, or everywhere without a count. */
function replace(args: readonly unknown[]): unknown {
  const [text, from, to] = [0, 1, 2].map((at) => textOf('replace', args[at], at)) as [string, string, string]
  const count = args[3] ?? Infinity
  if (typeof count !== 'number' || count < 0 || (count !== Infinity && !Number.isInteger(count)))
    throw new Error(`replace() expected a whole number as argument 4, got ${jmespathTypeOf(args[3])}`)
  const parts = text.split(from)
  const times = Math.min(count, parts.length - 1)
  if (text.length + times * (to.length - from.length) > TEXT_LENGTH_MAX)
    throw new Error(`replace() returns at most ${TEXT_LENGTH_MAX} characters`)
  return [parts.slice(0, times + 1).join(to), ...parts.slice(times + 1)].join(from)
}

/** Functions that return an argument, or a part of one, as it is. */
const PASSING = new Set(['default', 'not_null', 'to_array', 'to_number'])

/**
 * Returns the arguments of a call with doubles for numbers such as `2.0`, so that a function does not see how a number was
 * written. Lists and objects stay as they are.
 */
export function narrowArguments(name: string, args: readonly unknown[]): readonly unknown[] {
  return PASSING.has(name) || !args.some((arg) => arg instanceof WholeFraction)
    ? args
    : args.map(narrowFraction)
}

/** Name of a function that returns its argument. No expression can call it, because no parsed name contains a blank. */
export const NARROW = 'narrow fraction'

/** Functions that compare what their second argument, an expression, gives for each element. */
export const COMPARING: ReadonlySet<string> = new Set(['max_by', 'min_by', 'sort_by'])

function contains(args: readonly unknown[]): unknown {
  const [within, value] = args
  return callLibrary('contains', [Array.isArray(within) ? within.map(narrowFraction) : within, value])
}

/**
 * Holds the built-in functions of JMESPath that accept exact numbers here, or whose cost is bounded whatever a
 * message contains.
 */
export const BUILT_IN_FUNCTIONS: ReadonlyMap<string, ExpressionFunction> = new Map<
  string,
  ExpressionFunction
>([
  ['abs', mapNumber('abs', (value) => (value < 0n ? -value : value))],
  ['ceil', mapNumber('ceil', (value) => value)],
  ['floor', mapNumber('floor', (value) => value)],
  ...['avg', 'max', 'min', 'sum'].map((name) => [name, withDoubles(name)] as const),
  ['sort', sort],
  [NARROW, ([value]) => value],
  ['contains', contains],
  ['type', ([value]) => jmespathTypeOf(value)],
  ['to_string', ([value]) => (typeof value === 'string' ? value : toJsonText(value))],
  [
    'to_number',
    ([value]) => (isNumber(value) ? value : typeof value === 'string' ? (parseNumber(value) ?? null) : null),
  ],
  ['trim', trim('trim', true, true)],
  ['trim_left', trim('trim_left', true, false)],
  ['trim_right', trim('trim_right', false, true)],
  ['pad_left', pad('pad_left')],
  ['pad_right', pad('pad_right')],
  ['replace', replace],
])
