import { civilOf, daysOf, DAY_MICROS } from '../../arrow/time.ts'
import { VALUE_KINDS, type ValueVector } from './value-vector.ts'

const ZERO = 0x30
const DASH = 0x2d
const COLON = 0x3a
const DOT = 0x2e
const UPPER_T = 0x54
const UPPER_Z = 0x5a
/** Days from the epoch within which a sum of microseconds is a safe integer. */
const DAYS_MAX = 100_000
/** Longest text: `2026-03-01T00:00:00.123456Z`. */
const INSTANT_BYTES_MAX = 27

/** Returns the number that `count` digits at `at` spell, or NaN. */
function digitsAt(bytes: Uint8Array, at: number, count: number): number {
  let number = 0
  for (let i = at; i < at + count; i++) {
    const digit = (bytes[i] as number) - ZERO
    if (!(digit >= 0 && digit <= 9)) return NaN
    number = number * 10 + digit
  }
  return number
}

/** Returns the days since the epoch of the date `YYYY-MM-DD` in `[start, end)`, or NaN for any other text. */
export function daysInText(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 10 || bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return NaN
  const year = digitsAt(bytes, start, 4)
  const month = digitsAt(bytes, start + 5, 2)
  const day = digitsAt(bytes, start + 8, 2)
  if (Number.isNaN(year + month + day)) return NaN
  return daysOf(year, month, day) ?? NaN
}

/**
 * Returns the microseconds since the epoch of a time in UTC, `YYYY-MM-DDThh:mm:ss.ffffffZ` with an optional fraction, in
 * `[start, end)`; NaN for any other text and for times that a double does not hold exactly.
 */
export function microsInText(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 20 || bytes[start + 10] !== UPPER_T || bytes[end - 1] !== UPPER_Z) return NaN
  if (bytes[start + 13] !== COLON || bytes[start + 16] !== COLON) return NaN
  const days = daysInText(bytes, start, start + 10)
  const hour = digitsAt(bytes, start + 11, 2)
  const minute = digitsAt(bytes, start + 14, 2)
  const second = digitsAt(bytes, start + 17, 2)
  // The comparisons are false for NaN as well.
  if (!(days > -DAYS_MAX && days < DAYS_MAX && hour < 24 && minute < 60 && second < 60)) return NaN
  let micros = 0
  if (end - start > 20) {
    if (bytes[start + 19] !== DOT || end - start === 21) return NaN
    let scale = 100_000
    for (let at = start + 20; at < end - 1; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (!(digit >= 0 && digit <= 9)) return NaN
      micros += digit * scale
      scale = Math.floor(scale / 10)
    }
  }
  return days * DAY_MICROS + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros
}

/** Sets value `i` to the ISO 8601 text in UTC of an instant, with 0, 3 or 6 fraction digits, as few as needed. */
export function putInstantText(into: ValueVector, i: number, micros: number): void {
  const days = Math.floor(micros / DAY_MICROS)
  const rest = micros - days * DAY_MICROS
  const seconds = Math.floor(rest / 1_000_000)
  const fraction = rest - seconds * 1_000_000
  const { year, month, day } = civilOf(days)
  const at = into.beginText(INSTANT_BYTES_MAX)
  const { bytes } = into
  putDigits(bytes, at, year, 4)
  bytes[at + 4] = DASH
  putDigits(bytes, at + 5, month, 2)
  bytes[at + 7] = DASH
  putDigits(bytes, at + 8, day, 2)
  bytes[at + 10] = UPPER_T
  putDigits(bytes, at + 11, Math.floor(seconds / 3600), 2)
  bytes[at + 13] = COLON
  putDigits(bytes, at + 14, Math.floor(seconds / 60) % 60, 2)
  bytes[at + 16] = COLON
  putDigits(bytes, at + 17, seconds % 60, 2)
  let end = at + 19
  if (fraction > 0) {
    const millis = fraction % 1000 === 0
    bytes[end++] = DOT
    putDigits(bytes, end, millis ? fraction / 1000 : fraction, millis ? 3 : 6)
    end += millis ? 3 : 6
  }
  bytes[end++] = UPPER_Z
  into.endText(i, end - at)
}

function putDigits(bytes: Uint8Array, at: number, value: number, count: number): void {
  for (let i = at + count - 1; i >= at; i--) {
    bytes[i] = ZERO + (value % 10)
    value = Math.floor(value / 10)
  }
}

/** Copies values, with instants as text. */
export function withInstantTexts(from: ValueVector, into: ValueVector): ValueVector {
  into.reset(from.length)
  for (let i = 0; i < from.length; i++) {
    if (from.kinds[i] === VALUE_KINDS.instant) putInstantText(into, i, from.numbers[i] as number)
    else into.copy(i, from, i)
  }
  return into
}
