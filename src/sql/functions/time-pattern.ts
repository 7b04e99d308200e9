import { civilOf } from '../../arrow/time.ts'
import { splitMicros, formatSqlYear } from '../expression/cast-time.ts'
import { SqlError } from '../expression/error.ts'

interface TimeFields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly days: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const WEEKDAYS = ['Thursday', 'Friday', 'Saturday', 'Sunday', 'Monday', 'Tuesday', 'Wednesday']

/** Returns the name of a day's weekday; 1970-01-01 was a Thursday. */
function weekday(days: number): string {
  return WEEKDAYS[((days % 7) + 7) % 7] as string
}

const PATTERN_LETTERS: Readonly<Record<string, (moment: TimeFields) => string>> = {
  yyyy: ({ year }) => formatSqlYear(year),
  yyy: ({ year }) => pad(year, 3),
  yy: ({ year }) => pad(year % 100, 2),
  y: ({ year }) => String(year),
  MMMM: ({ month }) => MONTHS[month - 1] as string,
  MMM: ({ month }) => (MONTHS[month - 1] as string).slice(0, 3),
  MM: ({ month }) => pad(month, 2),
  M: ({ month }) => String(month),
  dd: ({ day }) => pad(day, 2),
  d: ({ day }) => String(day),
  EEEE: ({ days }) => weekday(days),
  EEE: ({ days }) => weekday(days).slice(0, 3),
  EE: ({ days }) => weekday(days).slice(0, 3),
  E: ({ days }) => weekday(days).slice(0, 3),
  HH: ({ hour }) => pad(hour, 2),
  H: ({ hour }) => String(hour),
  hh: ({ hour }) => pad(hour % 12 === 0 ? 12 : hour % 12, 2),
  h: ({ hour }) => String(hour % 12 === 0 ? 12 : hour % 12),
  a: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  mm: ({ minute }) => pad(minute, 2),
  m: ({ minute }) => String(minute),
  ss: ({ second }) => pad(second, 2),
  s: ({ second }) => String(second),
}

/**
 * Creates a formatter of microseconds since the epoch, in UTC, for a Spark pattern such as `yyyy-MM-dd-HH`,
 * with literal text in single quotes.
 *
 * @throws SqlError naming pattern letters that are not supported
 */
export function createTimeFormatter(pattern: string): (micros: bigint) => string {
  const parts = [...pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)].map((match) =>
    partOf(match[0], match[1], pattern),
  )
  return (micros) => {
    const { days, ofDay } = splitMicros(micros)
    const seconds = Math.floor(ofDay / 1_000_000)
    const moment: TimeFields = {
      ...civilOf(days),
      days,
      hour: Math.floor(seconds / 3600),
      minute: Math.floor(seconds / 60) % 60,
      second: seconds % 60,
      micros: ofDay % 1_000_000,
    }
    return parts.map((part) => (typeof part === 'string' ? part : part(moment))).join('')
  }
}

function partOf(
  all: string,
  quoted: string | undefined,
  pattern: string,
): string | ((moment: TimeFields) => string) {
  if (quoted !== undefined) return quoted === '' ? "'" : quoted.replaceAll("''", "'")
  if (/^S{1,9}$/.test(all)) return ({ micros }) => `${pad(micros, 6)}000`.slice(0, all.length)
  if (!/^[A-Za-z']/.test(all) && !/[[\]{}#]/.test(all)) return all
  const letter = PATTERN_LETTERS[all]
  if (letter === undefined) throw new SqlError(`${all} of the pattern '${pattern}' is not supported`)
  return (moment) => letter(moment)
}
