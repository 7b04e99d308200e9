import type { FixedBuilder } from '../../../arrow/fixed-builder.ts'
import { DAY_MICROS, DAYS_MAX, DAYS_MIN, daysOf } from '../../../arrow/time.ts'
import type { JsonInput } from './json-bytes.ts'
import type { TimeRules } from './plan.ts'

/*
 * Functions that read one date or time at `at` and append it to its column. Each returns the position after the value, or
 * -1 and appends nothing when bytes alone cannot prove that the value is valid.
 */

const QUOTE = 0x22
const COLON = 0x3a
const ZERO = 0x30

/** Returns the number of the two digits at `at`, or one beyond every limit when there are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - ZERO
  const ones = (bytes[at + 1] as number) - ZERO
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? NO_DIGITS : tens * 10 + ones
}

const NO_DIGITS = 1e6

/** Holds the date that was read last, as its bytes in three words, and its days since the epoch. */
const last = { year: 0, month: 0, day: 0, days: NaN }

/** Returns the days since the epoch of the date `YYYY-MM-DD` at `at`, or NaN. Most dates are the one before. */
function daysAt({ view, bytes }: JsonInput, at: number): number {
  // A quote and a newline follow at least.
  if (at + 11 > view.byteLength) return NaN
  const year = view.getInt32(at, true)
  const month = view.getInt32(at + 4, true)
  const day = view.getInt16(at + 8, true)
  if (year === last.year && month === last.month && day === last.day) return last.days
  const days = daysIn(bytes, at)
  last.year = year
  last.month = month
  last.day = day
  last.days = days
  return days
}

function daysIn(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return NaN
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  return year > 9_999 || month > 12 ? NaN : (daysOf(year, month, day) ?? NaN)
}

/** Reads a date, `YYYY-MM-DD`. */
export function readDate(input: JsonInput, builder: FixedBuilder, at: number): number {
  const { bytes } = input
  if (bytes[at] !== QUOTE || bytes[at + 11] !== QUOTE) return -1
  const days = daysAt(input, at + 1)
  if (Number.isNaN(days)) return -1
  builder.appendNumber(days)
  return at + 12
}

/** Holds the microseconds of the day that `scanTime` read last. */
let micros = 0

/** Reads the time `hh:mm:ss.ffffff` at `at`. Returns its end, or -1. Digits beyond microseconds are left out. */
function scanTime(bytes: Uint8Array, at: number, needsSeconds: boolean): number {
  const hour = twoDigits(bytes, at)
  const minute = twoDigits(bytes, at + 3)
  if (bytes[at + 2] !== COLON || hour > 23 || minute > 59) return -1
  micros = (hour * 60 + minute) * 60_000_000
  if (bytes[at + 5] !== COLON) return needsSeconds ? -1 : at + 5
  const second = twoDigits(bytes, at + 6)
  // Leap seconds and the like are left to be parsed.
  if (second > 59) return -1
  micros += second * 1_000_000
  let end = at + 8
  if (bytes[end] !== 0x2e) return end
  let scale = 100_000
  const first = ++end
  let digit = (bytes[end] as number) - ZERO
  while (digit >= 0 && digit <= 9) {
    micros += digit * scale
    scale = Math.floor(scale / 10)
    digit = (bytes[++end] as number) - ZERO
  }
  return end === first ? -1 : end
}

/** Holds the seconds that the offset scanned last is ahead of UTC. */
let offset = 0

/** Reads the zone at `at`: `Z`, `+hh`, `+hhmm` or `+hh:mm`. Returns its end, or -1. */
function scanZone(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number
  offset = 0
  if (byte === 0x5a || byte === 0x7a) return at + 1
  if (byte !== 0x2b && byte !== 0x2d) return -1
  const hours = twoDigits(bytes, at + 1)
  let end = at + 3
  let minutes = 0
  if (bytes[end] !== QUOTE) {
    if (bytes[end] === COLON) end++
    minutes = twoDigits(bytes, end)
    end += 2
  }
  if (hours > 23 || minutes > 59) return -1
  offset = (byte === 0x2d ? -60 : 60) * (hours * 60 + minutes)
  return end
}

/**
 * Reads a date with time, `YYYY-MM-DDThh:mm:ss.ffffff`, with or without a zone as the rules say. The instant must lie
 * within the years 0 to 9999 in UTC.
 */
export function readDateTime(
  input: JsonInput,
  builder: FixedBuilder,
  { zoned, needsSeconds }: TimeRules,
  at: number,
): number {
  const { bytes } = input
  const separator = bytes[at + 11]
  if (bytes[at] !== QUOTE || (separator !== 0x54 && separator !== 0x20 && separator !== 0x74)) return -1
  const days = daysAt(input, at + 1)
  if (Number.isNaN(days)) return -1
  let end = scanTime(bytes, at + 12, needsSeconds)
  if (end >= 0 && zoned) end = scanZone(bytes, end)
  if (end < 0 || bytes[end] !== QUOTE) return -1
  if (!zoned || offset === 0) builder.appendMicros(days, micros)
  else {
    const utc = micros - offset * 1_000_000
    const carry = Math.floor(utc / DAY_MICROS)
    if (days + carry < DAYS_MIN || days + carry > DAYS_MAX) return -1
    builder.appendMicros(days + carry, utc - carry * DAY_MICROS)
  }
  return end + 1
}
