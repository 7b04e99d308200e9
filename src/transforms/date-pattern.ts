import { findTimeZoneFault } from '../../config/rows/time-zone.ts'
import { daysOf, formatDate } from '../arrow/time.ts'
import { ZoneOffsets } from '../enrichments/time-zone.ts'
import { toIsoText } from './iso.ts'

/** Parses dates and times in one pattern. */
interface DateParser {
  /** True when the pattern has no time of day, so that the result is a date. */
  readonly isDate: boolean
  /** Returns ISO 8601 text of a date, or of an instant in UTC. Throws when the text does not match the pattern. */
  parse(text: string): string
}

interface ParsedFields {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  micros: number
  afternoon: boolean | undefined
  /** Seconds east of UTC, when the text has an offset. */
  offset: number | undefined
}

/**
 * Parses its element at a position of the text and returns the position after it, or -1 when the element is not
 * there.
 */
type Step = (text: string, at: number, found: ParsedFields) => number

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
)
const WEEKDAYS = 'monday tuesday wednesday thursday friday saturday sunday'.split(' ')

function digits(least: number, most: number, put: (found: ParsedFields, value: number) => void): Step {
  return (text, at, found) => {
    let end = at
    while (end < at + most && isDigit(text.charCodeAt(end))) end++
    if (end - at < least) return -1
    put(found, Number(text.slice(at, end)))
    return end
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function word(words: readonly string[], put: (found: ParsedFields, index: number) => void): Step {
  return (text, at, found) => {
    const index = words.findIndex((one) => text.slice(at, at + one.length).toLowerCase() === one)
    if (index < 0) return -1
    put(found, index)
    return at + (words[index] as string).length
  }
}

const short = (words: readonly string[]): string[] => words.map((one) => one.slice(0, 3))
const setMonth = (found: ParsedFields, index: number): void => void (found.month = index + 1)

const STEPS: Readonly<Record<string, Step>> = {
  yyyy: digits(4, 4, (found, value) => (found.year = value)),
  yy: digits(2, 2, (found, value) => (found.year = 2000 + value)),
  MMMM: word(MONTHS, setMonth),
  MMM: word(short(MONTHS), setMonth),
  MM: digits(2, 2, (found, value) => (found.month = value)),
  M: digits(1, 2, (found, value) => (found.month = value)),
  dd: digits(2, 2, (found, value) => (found.day = value)),
  d: digits(1, 2, (found, value) => (found.day = value)),
  EEEE: word(WEEKDAYS, () => undefined),
  EEE: word(short(WEEKDAYS), () => undefined),
  HH: digits(2, 2, (found, value) => (found.hour = value)),
  H: digits(1, 2, (found, value) => (found.hour = value)),
  hh: digits(2, 2, (found, value) => (found.hour = value)),
  h: digits(1, 2, (found, value) => (found.hour = value)),
  mm: digits(2, 2, (found, value) => (found.minute = value)),
  m: digits(1, 2, (found, value) => (found.minute = value)),
  ss: digits(2, 2, (found, value) => (found.second = value)),
  s: digits(1, 2, (found, value) => (found.second = value)),
  a: word(['am', 'pm'], (found, index) => (found.afternoon = index === 1)),
  X: offset,
  XX: offset,
  XXX: offset,
  Z: offset,
}

/** Parses `Z`, `+01`, `+0100` or `+01:00`. */
function offset(text: string, at: number, found: ParsedFields): number {
  const [all, sign, hours, minutes] = /^(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)/.exec(text.slice(at, at + 6)) ?? []
  if (all === undefined || Number(hours ?? 0) > 18 || Number(minutes ?? 0) > 59) return -1
  const seconds = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60
  found.offset = sign === '-' ? -seconds : seconds
  return at + all.length
}

/** Parses one to nine fraction digits; the first six are kept. */
function fraction(count: number): Step {
  return (text, at, found) => {
    const part = text.slice(at, at + count)
    if (part.length < count || !/^\d+$/.test(part)) return -1
    found.micros = Number(part.slice(0, 6).padEnd(6, '0'))
    return at + count
  }
}

function constant(part: string): Step {
  return (text, at) => (text.startsWith(part, at) ? at + part.length : -1)
}

/** Patterns are literals of expressions, so their number is small. */
const parsers = new Map<string, DateParser>()

/**
 * Returns a parser for a pattern with the letters `yyyy yy MMMM MMM MM M dd d EEEE EEE HH H hh h mm m ss s S… a X Z`
 * and quoted text in `'`. `zone` applies to texts without an offset. Throws when the pattern or the zone is invalid.
 */
export function dateParserFor(pattern: string, zone: string): DateParser {
  const name = `${zone}\n${pattern}`
  let parser = parsers.get(name)
  if (parser === undefined) parsers.set(name, (parser = makeParser(pattern, zone)))
  return parser
}

function makeParser(pattern: string, zone: string): DateParser {
  const fault = zone === 'UTC' ? undefined : findTimeZoneFault(zone)
  if (fault !== undefined) throw new Error(`the zone ${fault}`)
  const parts = [...pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)]
  const letters = parts.filter(([all]) => /^[A-Za-z]/.test(all)).map(([all]) => all)
  const steps = parts.map(([all, quoted]) => stepOf(all, quoted, pattern))
  for (const needed of ['y', 'M', 'd'])
    if (!letters.some((all) => all.startsWith(needed)))
      throw new Error(`the pattern '${pattern}' names no ${{ y: 'year', M: 'month', d: 'day' }[needed]}`)
  if (letters.some((all) => all.startsWith('h')) && !letters.includes('a'))
    throw new Error(`the pattern '${pattern}' has h without a: H counts from 0 to 23`)
  const isDate = !letters.some((all) => /^[Hhmsa]/.test(all))
  const offsets = zone === 'UTC' ? undefined : new ZoneOffsets(zone)
  return {
    isDate,
    parse(text) {
      const iso = run(steps, text, isDate, offsets)
      if (iso === undefined) throw new Error(`parse_date() expected ${pattern}, got ${shown(text)}`)
      return iso
    },
  }
}

function stepOf(all: string, quoted: string | undefined, pattern: string): Step {
  if (quoted !== undefined) return constant(quoted === '' ? "'" : quoted.replaceAll("''", "'"))
  if (/^S{1,9}$/.test(all)) return fraction(all.length)
  if (!/^[A-Za-z']/.test(all)) return constant(all)
  const step = STEPS[all]
  if (step === undefined) throw new Error(`${all} of the pattern '${pattern}' is not supported`)
  return step
}

function run(
  steps: readonly Step[],
  text: string,
  isDate: boolean,
  zone: ZoneOffsets | undefined,
): string | undefined {
  const found: ParsedFields = {
    year: 1970,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    micros: 0,
    afternoon: undefined,
    offset: undefined,
  }
  let at = 0
  for (const step of steps) {
    at = step(text, at, found)
    if (at < 0) return undefined
  }
  const days = daysOf(found.year, found.month, found.day)
  const hour = hourOf(found)
  if (at !== text.length || days === undefined || hour === undefined) return undefined
  if (found.minute > 59 || found.second > 59) return undefined
  if (isDate) return formatDate(days)
  const local = days * 86_400 + hour * 3600 + found.minute * 60 + found.second
  const instant = found.offset === undefined ? inZone(local, zone) : local - found.offset
  if (instant < -62_167_219_200 || instant > 253_402_300_799) return undefined
  return toIsoText(BigInt(instant) * 1_000_000n + BigInt(found.micros))
}

function hourOf({ hour, afternoon }: ParsedFields): number | undefined {
  if (afternoon === undefined) return hour > 23 ? undefined : hour
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (afternoon ? 12 : 0)
}

/**
 * A local time that occurs twice is the first of the two. A local time that is skipped is shifted by the length of
 * the gap.
 */
function inZone(local: number, zone: ZoneOffsets | undefined): number {
  if (zone === undefined) return local
  const before = zone.at(local - 86_400)
  const after = zone.at(local + 86_400)
  const first = local - before
  const second = local - after
  return zone.at(first) === before || zone.at(second) !== after ? first : second
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
