import { RE2JS } from 're2js'
import { jsonText } from '../core/json-text.ts'
import { parseExact } from '../formats/json/exact.ts'
import type { ExpressionFunction } from '../jmespath/function-table.ts'
import { doubleOf, isNumber } from '../jmespath/numbers.ts'
import { Exact } from '../core/exact.ts'

/** Longest text that a pattern is held against, in UTF-16 units; its time grows with it. */
const MATCHED_MAX = 262_144
const PATTERN_MAX = 1_000

/** Steps of a compiled pattern; its time for each character grows with them. */
const PROGRAM_MAX = 5_000

/** Patterns are written in expressions, so that there are few. */
const patterns = new Map<string, RE2JS>()

/**
 * A compiled pattern in the syntax of RE2, which has neither look-around nor back references and takes linear time.
 * Throws what is wrong with it.
 */
export function patternOf(text: string): RE2JS {
  let pattern = patterns.get(text)
  if (pattern === undefined) {
    if (text.length > PATTERN_MAX) throw new Error(`patterns have at most ${PATTERN_MAX} characters`)
    pattern = RE2JS.compile(text)
    if (pattern.programSize() > PROGRAM_MAX) throw new Error('the pattern repeats too much')
    patterns.set(text, pattern)
  }
  return pattern
}

/** Characters, not UTF-16 units. */
function substr([text, start, length]: readonly unknown[]): string {
  const from = indexOf(start)
  const to = from + indexOf(length)
  const head = (text as string).slice(0, to)
  if (!/[\ud800-\udfff]/.test(head)) return head.slice(from)
  return Array.from((text as string).slice(0, 2 * to))
    .slice(from, to)
    .join('')
}

/** Below 0 counts as 0, and what is behind the point does not count, as in kafka-delta-ingest. */
function indexOf(value: unknown): number {
  const index = isNumber(value) ? Math.trunc(doubleOf(value)) : 0
  return Number.isNaN(index) ? 0 : Math.min(Math.max(index, 0), 2 ** 30)
}

/** The text of a scalar: numbers to the letter. */
export function scalarText(value: unknown): string {
  return value instanceof Exact ? value.text : String(value)
}

function match(name: string, text: unknown, pattern: unknown): ReturnType<RE2JS['matcher']> {
  if ((text as string).length > MATCHED_MAX)
    throw new Error(
      `${name}() takes text of at most ${MATCHED_MAX} characters, got ${(text as string).length}`,
    )
  return patternOf(pattern as string).matcher(text as string)
}

function regexExtract([text, pattern, group = 0]: readonly unknown[]): string | null {
  const matcher = match('regex_extract', text, pattern)
  return matcher.find() ? matcher.group(typeof group === 'string' ? group : Number(group)) : null
}

/** Functions over text, by their names. */
export const TEXT_FUNCTIONS: Readonly<Record<string, ExpressionFunction>> = {
  substr,
  concat: (parts) => parts.map(scalarText).join(''),
  default: ([value, otherwise]) => value ?? otherwise,
  to_json: ([value]) => jsonText(value),
  parse_json: ([text]) => parseExact(text as string),
  regex_extract: regexExtract,
  regex_matches: ([text, pattern]) => match('regex_matches', text, pattern).find(),
}
