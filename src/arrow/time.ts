/** Calendar arithmetic on the proleptic Gregorian calendar, without `Date`, for the hot path. */

import type { TimeUnit } from 'apache-arrow'

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Counts the microseconds of a day. */
export const DAY_MICROS = 86_400_000_000
const DAY_MS = 86_400_000
const MS_PER_DAY = 86_400_000n

/** Counts the days from 1970-01-01 to 0000-01-01, the first date: 0000-01-01 in days since 1970-01-01. */
export const DAYS_MIN = -719_528
/** 9999-12-31 in days since 1970-01-01. */
export const DAYS_MAX = 2_932_896

/** Returns `value / by` rounded down. `by` must be positive. */
export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient
}

/** Microseconds of the units by their numbers in Arrow: second, millisecond, microsecond; the next one is the nanosecond. */
const MICROS_PER_UNIT: readonly bigint[] = [1_000_000n, 1_000n, 1n]

/** Returns a timestamp of Arrow in microseconds; nanoseconds are rounded down, also before 1970. */
export function timestampMicrosOf(value: bigint, unit: TimeUnit): bigint {
  const micros = MICROS_PER_UNIT[unit]
  return micros === undefined ? floorDivide(value, 1_000n) : value * micros
}

/** Tells whether the year has a 29 February. */
export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Returns the days since 1970-01-01, or `undefined` if the date does not exist. Years 0 to 9999. */
export function daysOf(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1) return undefined
  const leap = isLeapYear(year)
  if (day > (DAYS_IN_MONTH[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0)) return undefined
  // Counting whole years since 0000-03-01 would save the leap test; this form is as fast and simpler.
  const before = year - 1
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  return (
    365 * (year - 1970) +
    (leaps - 477) +
    (DAYS_BEFORE_MONTH[month - 1] ?? 0) +
    (leap && month > 2 ? 1 : 0) +
    day -
    1
  )
}

/** Converts days since 1970-01-01 to year, month and day. */
export function civilOf(days: number): { year: number; month: number; day: number } {
  // Counting years from March puts the leap day at the end of the year, so that one division finds the month.
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  }
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
/** Java omits seconds that are 0, and writes the region after the offset: `2026-03-01T10:15+01:00[Europe/Berlin]`. */
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:(Z|z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)(?:\[[A-Za-z][\w+:/-]{0,63}\])?)?$/

/** Parses an ISO date to days since 1970-01-01; returns `undefined` if the text is not a date. */
export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text)
  return match === null ? undefined : daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
}

/**
 * Parses an ISO 8601 date and time to days since the epoch and microseconds of the day; returns `undefined` for other
 * text. With `zoned` a zone is required (`timestamp`), without it a zone is refused (`timestamp_ntz`). Seconds may be
 * absent, a region after the offset is ignored, since the offset decides. Digits beyond microseconds are truncated. A leap second (`:60`) counts as the first second of the next minute. The instant must lie
 * within the years 0 to 9999 in UTC as well, so that its text can be parsed again.
 */
export function parseDateTime(text: string, zoned: boolean): { days: number; micros: number } | undefined {
  const match = DATE_TIME.exec(text)
  if (match === null || (match[8] !== undefined) !== zoned) return undefined
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
  const hour = Number(match[4])
  const minute = Number(match[5])
  const second = Number(match[6] ?? 0)
  if (days === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  const fraction = Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'))
  const offset = offsetSeconds(match[8])
  if (offset === undefined) return undefined
  const micros = ((hour * 60 + minute) * 60 + second - offset) * 1_000_000 + fraction
  const carry = Math.floor(micros / DAY_MICROS)
  if (days + carry < DAYS_MIN || days + carry > DAYS_MAX) return undefined
  return { days: days + carry, micros: micros - carry * DAY_MICROS }
}

/**
 * Splits the instant of a `Date` into days since the epoch and microseconds of the day; returns `undefined` for an invalid
 * one, and outside the years 0 to 9999.
 */
export function splitInstant(date: Date): { days: number; micros: number } | undefined {
  const ms = date.getTime()
  const days = Math.floor(ms / DAY_MS)
  // Comparisons with NaN are false.
  if (!(days >= DAYS_MIN && days <= DAYS_MAX)) return undefined
  // A double does not hold the microseconds of all instants.
  return { days, micros: (ms - days * DAY_MS) * 1000 }
}

function offsetSeconds(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0
  const digits = zone.slice(1).replaceAll(':', '')
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2, 4))
  const seconds = Number(digits.slice(4))
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds)
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')

/** Returns the day of an instant in milliseconds since the epoch; instants before 1970 belong to the day they lie in. */
export function daysOfMs(ms: bigint): number {
  const days = ms / MS_PER_DAY
  return Number(ms < days * MS_PER_DAY ? days - 1n : days)
}

/** Formats days since 1970-01-01 as an ISO date. */
export function formatDate(days: number): string {
  const { year, month, day } = civilOf(days)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** Formats microseconds since the epoch as an ISO date and time with six fraction digits, and a `Z` if `zoned`. */
export function formatDateTime(micros: bigint, zoned: boolean): string {
  const perDay = BigInt(DAY_MICROS)
  const days = micros >= 0n ? micros / perDay : -((-micros + perDay - 1n) / perDay)
  const rest = Number(micros - days * perDay)
  const seconds = Math.floor(rest / 1_000_000)
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return `${formatDate(Number(days))}T${time}.${pad(rest % 1_000_000, 6)}${zoned ? 'Z' : ''}`
}
