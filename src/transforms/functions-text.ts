import { RE2JS } from 're2js'
import { toJsonText } from '../core/json-text.ts'
import { parseExact } from '../formats/json/exact.ts'
import type { ExpressionFunction } from '../jmespath/function-table.ts'
import { toDouble, isNumber } from '../jmespath/numbers.ts'
import { ExactNumber } from '../core/exact.ts'

/** Longest text that a pattern is matched against, in UTF-16 code units. The time grows with the length. */
const MATCHED_MAX = 262_144
const PATTERN_MAX = 1_000

/** Largest program of a compiled pattern. The time per character grows with its size. */
const PROGRAM_MAX = 5_000

/** Patterns are literals of expressions, so their number is small. */
const patterns = new Map<string, RE2JS>()

/**
 * Returns a compiled pattern in RE2 syntax, which has neither look-around nor back references and matches in linear
 * time. Throws when the pattern is invalid.
 */
export function compilePattern(text: string): RE2JS {
  let pattern = patterns.get(text)
  if (pattern === undefined) {
    if (text.length > PATTERN_MAX) throw new Error(`patterns have at most ${PATTERN_MAX} characters`)
    pattern = RE2JS.compile(text)
    if (pattern.programSize() > PROGRAM_MAX) throw new Error('the pattern is too complex')
    patterns.set(text, pattern)
  }
  return pattern
}

/** Counts characters, not UTF-16 code units. */
function substr([text, start, length]: readonly unknown[]): string {
  const from = indexOf(start)
  const to = from + indexOf(length)
  const head = (text as string).slice(0, to)
  if (!/[\ud800-\udfff]/.test(head)) return head.slice(from)
  return Array.from((text as string).slice(0, 2 * to))
    .slice(from, to)
    .join('')
}

/** Negative numbers count as 0 and fractions are cut off, as in kafka-delta-ingest. */
function indexOf(value: unknown): number {
  const index = isNumber(value) ? Math.trunc(toDouble(value)) : 0
  return Number.isNaN(index) ? 0 : Math.min(Math.max(index, 0), 2 ** 30)
}

/** Returns the text of a scalar. Exact numbers keep all their digits. */
export function scalarToText(value: unknown): string {
  return value instanceof ExactNumber ? value.text : String(value)
}

function match(name: string, text: unknown, pattern: unknown): ReturnType<RE2JS['matcher']> {
  if ((text as string).length > MATCHED_MAX)
    throw new Error(
      `${name}() takes text of at most ${MATCHED_MAX} characters, got ${(text as string).length}`,
    )
  return compilePattern(pattern as string).matcher(text as string)
}

function regexExtract([text, pattern, group = 0]: readonly unknown[]): string | null {
  const matcher = match('regex_extract', text, pattern)
  return matcher.find() ? matcher.group(typeof group === 'string' ? group : Number(group)) : null
}

/** Maps the names of text functions to their implementations. */
export const JMESPATH_TEXT_FUNCTIONS: Readonly<Record<string, ExpressionFunction>> = {
  substr,
  concat: (parts) => parts.map(scalarToText).join(''),
  default: ([value, otherwise]) => value ?? otherwise,
  to_json: ([value]) => toJsonText(value),
  parse_json: ([text]) => parseExact(text as string),
  regex_extract: regexExtract,
  regex_matches: ([text, pattern]) => match('regex_matches', text, pattern).find(),
}
