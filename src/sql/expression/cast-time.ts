import { DAY_MICROS, civilOf, daysOf } from '../../arrow/time.ts'

const PER_DAY = BigInt(DAY_MICROS)
const DATE = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T][\s\S]*)?)?)?$/
const DATE_TIME =
  /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?)?([^\d.:].*)?)?)?)?$/s
/** Characters that Spark strips from both ends before it parses a number or a time: blanks and control characters. */
const BLANKS = /^[\0-\x20\x7f]+|[\0-\x20\x7f]+$/g
const ZONE = /^(?:UTC|GMT|UT)?(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$/

/** Returns text without blanks and control characters at both ends. */
export function trimBlanks(text: string): string {
  return text.replace(BLANKS, '')
}

/**
 * Parses a date like Spark: `2024`, `2024-5`, `2024-05-06`; text after a `T` or a blank is ignored. Only
 * years of four digits are supported. Returns days since 1970-01-01, or `undefined` if the text is not a
 * date.
 */
export function parseSqlDate(text: string): number | undefined {
  const match = DATE.exec(trimBlanks(text))
  return match === null ? undefined : daysOf(Number(match[1]), Number(match[2] ?? 1), Number(match[3] ?? 1))
}

/**
 * Parses a timestamp like Spark, in UTC unless the text has a zone. Returns microseconds since the epoch;
 * `local` ignores the zone and is the text's own clock and calendar. Digits beyond microseconds are cut.
 * Zones are offsets (`Z`, `+02:00`, `UTC+1`), not region names; years have four digits. Returns `undefined`
 * if the text is not a timestamp, and for a time without a date, which Spark reads as a time of the current
 * day.
 */
export function parseSqlTimestamp(
  text: string,
): { micros: bigint; local: bigint; zoned: boolean } | undefined {
  const match = DATE_TIME.exec(trimBlanks(text))
  if (match === null) return undefined
  const days = daysOf(Number(match[1]), Number(match[2] ?? 1), Number(match[3] ?? 1))
  const hour = Number(match[4] ?? 0)
  const minute = Number(match[5] ?? 0)
  const second = Number(match[6] ?? 0)
  const offset = match[8] === undefined ? 0 : offsetSeconds(match[8].trim())
  if (days === undefined || hour > 23 || minute > 59 || second > 59 || offset === undefined) return undefined
  const fraction = Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'))
  const ofDay = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
  const local = BigInt(days) * PER_DAY + BigInt(ofDay)
  return { micros: local - BigInt(offset * 1_000_000), local, zoned: match[8] !== undefined }
}

function offsetSeconds(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const match = ZONE.exec(zone)
  if (match === null) return undefined
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)
  if (minutes > 18 * 60 || Number(match[3] ?? 0) > 59) return undefined
  return (match[1] === '-' ? -60 : 60) * minutes
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')

/** Splits microseconds since the epoch into days since 1970-01-01 and microseconds of the day. */
export function splitMicros(micros: bigint): { days: number; ofDay: number } {
  const safe = Number(micros)
  if (Number.isSafeInteger(safe)) {
    const days = Math.floor(safe / DAY_MICROS)
    return { days, ofDay: safe - days * DAY_MICROS }
  }
  const rest = ((micros % PER_DAY) + PER_DAY) % PER_DAY
  return { days: Number((micros - rest) / PER_DAY), ofDay: Number(rest) }
}

/** Formats a date like Spark; years have at least four digits. */
export function formatSqlDate(days: number): string {
  const { year, month, day } = civilOf(days)
  return `${formatSqlYear(year)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** Formats a year with at least four digits, and a `+` before more than four, like Java. */
export function formatSqlYear(year: number): string {
  if (year > 9999) return `+${year}`
  return year < 0 ? `-${pad(-year, 4)}` : pad(year, 4)
}

/** Formats a timestamp in UTC like Spark: `2024-05-06 07:08:09.5`, without trailing zeros of the fraction. */
export function formatSqlTimestamp(micros: bigint): string {
  const { days, ofDay } = splitMicros(micros)
  const seconds = Math.floor(ofDay / 1_000_000)
  const fraction = pad(ofDay % 1_000_000, 6).replace(/0+$/, '')
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return `${formatSqlDate(days)} ${time}${fraction === '' ? '' : `.${fraction}`}`
}
