import { fullFormats } from 'ajv-formats/dist/formats.js'
import { daysOf } from '../../arrow/time.ts'
import { bytePatternOf, matchBytes, type BytePattern } from './byte-pattern.ts'
import type { PlainRules } from './rules.ts'
import { bothOf, INVALID, VALID, verdictOf, type Verdict } from './verdict.ts'

/** Judges the text whose UTF-8 is `bytes[start..end)`. */
export type TextRule = (bytes: Uint8Array, start: number, end: number) => Verdict

const NUMBER_FORMATS = new Set(['int32', 'int64', 'float', 'double'])

/** Returns true when the format applies to numbers and to no text. */
export function isNumberFormat(format: string): boolean {
  return NUMBER_FORMATS.has(format)
}

/** Returns the rule for texts that `rules` contains, other than `values`; `undefined` when every text obeys it. */
export function textRuleOf({ minLength, maxLength, pattern, format }: PlainRules): TextRule | undefined {
  const all: TextRule[] = []
  if (minLength !== undefined || maxLength !== undefined)
    all.push(lengthRule(minLength ?? 0, maxLength ?? Infinity))
  if (pattern !== undefined) all.push(patternRule(pattern))
  if (format !== undefined && !isNumberFormat(format)) all.push(formatRule(format))
  const [first, ...rest] = all
  if (first === undefined || rest.length === 0) return first
  return (bytes, start, end) => {
    let verdict = VALID
    for (const rule of all) verdict = bothOf(verdict, rule(bytes, start, end))
    return verdict
  }
}

function lengthRule(min: number, max: number): TextRule {
  return (bytes, start, end) => {
    const size = end - start
    // A code point takes one to four bytes: they are counted only where the size leaves the answer open.
    if (size <= max && size >= 4 * min) return VALID
    let length = 0
    for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80) length++
    return verdictOf(length >= min && length <= max)
  }
}

function patternRule(pattern: string): TextRule {
  const expression = new RegExp(pattern, 'u')
  return byteRule(bytePatternOf(expression), true, (text) => expression.test(text))
}

/**
 * Returns a rule that matches bytes where they are ASCII. A match of `pattern` is proof; where it is not `exact`, text
 * that does not match is left to `check`.
 */
function byteRule(
  pattern: BytePattern | undefined,
  exact: boolean,
  check: (text: string) => boolean,
): TextRule {
  if (pattern === undefined) return (bytes, start, end) => verdictOf(check(textAt(bytes, start, end)))
  return (bytes, start, end) => {
    const match = matchBytes(pattern, bytes, start, end)
    if (match === 1) return VALID
    return match === 0 && exact ? INVALID : verdictOf(check(textAt(bytes, start, end)))
  }
}

function textAt(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

/** The ordinary form of addresses; others are left to the format itself. */
const ORDINARY: Readonly<Record<string, RegExp>> = {
  hostname: /^[a-z0-9]{1,15}(?:-[a-z0-9]{1,15}){0,2}(?:\.[a-z0-9]{1,15}(?:-[a-z0-9]{1,15}){0,2}){0,3}$/i,
  uri: /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::[0-9]+)?(?:\/[a-z0-9._~!$&'()*+,;=:@-]*)*(?:\?[a-z0-9._~!$&'()*+,;=:@/?-]*)?(?:#[a-z0-9._~!$&'()*+,;=:@/?-]*)?$/i,
}

/** The rules of the formats used so far; there are about 25. */
const FORMAT_RULES = new Map<string, TextRule>()

function formatRule(name: string): TextRule {
  const rule = FORMAT_RULES.get(name) ?? createFormatRule(name)
  FORMAT_RULES.set(name, rule)
  return rule
}

function createFormatRule(name: string): TextRule {
  const format: unknown = fullFormats[name as keyof typeof fullFormats]
  if (format === true) return () => VALID
  if (name === 'date' || name === 'date-time' || name === 'time') return timeRule(name, checkOf(format))
  const ordinary = ORDINARY[name] ?? (format instanceof RegExp ? format : undefined)
  const pattern = ordinary === undefined ? undefined : bytePatternOf(ordinary)
  return byteRule(pattern, ordinary === format, checkOf(format))
}

function checkOf(format: unknown): (text: string) => boolean {
  if (format instanceof RegExp) return (text) => format.test(text)
  const { validate } = typeof format === 'object' ? (format as { validate: unknown }) : { validate: format }
  return (text) => (validate as (text: string) => boolean)(text)
}

/** Accepts the ordinary form `2024-02-29T12:00:00.5Z`, or its part, from bytes. */
function timeRule(name: 'date' | 'date-time' | 'time', check: (text: string) => boolean): TextRule {
  const proves = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (name === 'date') return end - start === 10 && isDateAt(bytes, start)
    if (name === 'time') return isTimeAt(bytes, start, end)
    return (
      end - start > 19 &&
      isDateAt(bytes, start) &&
      bytes[start + 10] === 0x54 &&
      isTimeAt(bytes, start + 11, end)
    )
  }
  return (bytes, start, end) =>
    proves(bytes, start, end) ? VALID : verdictOf(check(textAt(bytes, start, end)))
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - 0x30
  const ones = (bytes[at + 1] as number) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

function isDateAt(bytes: Uint8Array, at: number): boolean {
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  if (Number.isNaN(year + month + day)) return false
  return bytes[at + 4] === 0x2d && bytes[at + 7] === 0x2d && daysOf(year, month, day) !== undefined
}

/** Returns true for `hh:mm:ss`, a fraction or none, and `Z`. Leap seconds and offsets are left to the format. */
function isTimeAt(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 9 || bytes[start + 2] !== 0x3a || bytes[start + 5] !== 0x3a || bytes[end - 1] !== 0x5a)
    return false
  const isInDay =
    twoDigits(bytes, start) < 24 && twoDigits(bytes, start + 3) < 60 && twoDigits(bytes, start + 6) < 60
  if (!isInDay || end - start === 9) return isInDay
  if (bytes[start + 8] !== 0x2e || end - start === 10) return false
  for (let at = start + 9; at < end - 1; at++) {
    const byte = bytes[at] as number
    if (byte < 0x30 || byte > 0x39) return false
  }
  return true
}
