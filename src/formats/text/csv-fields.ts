import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { DAY_MICROS, DAYS_MAX, DAYS_MIN, daysOf } from '../../arrow/time.ts'

const ZERO = 0x30

/** Appends `true`, `false`, `1` or `0`, in any case. Returns false for other text. */
export function appendBoolean(builder: FixedBuilder, bytes: Uint8Array, at: number, end: number): boolean {
  const size = end - at
  const isTrue = size === 4 ? isWord(bytes, at, TRUE) : size === 1 && bytes[at] === ZERO + 1
  const isFalse = size === 5 ? isWord(bytes, at, FALSE) : size === 1 && bytes[at] === ZERO
  if (!isTrue && !isFalse) return false
  builder.appendNumber(isTrue ? 1 : 0)
  return true
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

function isWord(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (((bytes[at + i] as number) | 0x20) !== word[i]) return false
  return true
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - ZERO
  const ones = (bytes[at + 1] as number) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Returns the days since the epoch of the date `YYYY-MM-DD` at `at`, or NaN. */
function daysAt(bytes: Uint8Array, at: number): number {
  if (bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return NaN
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2)
  const month = twoDigits(bytes, at + 5)
  const day = twoDigits(bytes, at + 8)
  if (Number.isNaN(year + month + day)) return NaN
  return daysOf(year, month, day) ?? NaN
}

/** Appends a date, `YYYY-MM-DD`. Returns false for other text. */
export function appendDate(builder: FixedBuilder, bytes: Uint8Array, at: number, end: number): boolean {
  const days = end - at === 10 ? daysAt(bytes, at) : NaN
  if (Number.isNaN(days)) return false
  builder.appendNumber(days)
  return true
}

/**
 * Appends a date with time, `YYYY-MM-DDThh:mm:ss.ffffff`; the fraction is optional, and a space may stand for the `T`. With
 * `isZoned`, `Z` or an offset `+hh:mm` follows, otherwise nothing. Returns false for other text, also where it is a time that
 * is written in a rarer way.
 */
export function appendTimestamp(
  builder: FixedBuilder,
  isZoned: boolean,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  if (end - at < 19 || bytes[at + 13] !== 0x3a || bytes[at + 16] !== 0x3a) return false
  if (bytes[at + 10] !== 0x54 && bytes[at + 10] !== 0x20) return false
  const days = daysAt(bytes, at)
  const hour = twoDigits(bytes, at + 11)
  const minute = twoDigits(bytes, at + 14)
  const second = twoDigits(bytes, at + 17)
  // Leap seconds and the like are left to the slow way. The comparison is false for NaN as well.
  if (Number.isNaN(days) || !(hour < 24 && minute < 60 && second < 60)) return false
  at += 19
  let micros = 0
  if (at < end && bytes[at] === 0x2e) {
    let scale = 100_000
    const start = ++at
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit > 9) break
      micros += digit * scale
      scale = Math.floor(scale / 10)
    }
    if (at === start) return false
  }
  const offset = isZoned ? offsetMinutesAt(bytes, at, end) : at === end ? 0 : NaN
  if (Number.isNaN(offset)) return false
  micros += ((hour * 60 + minute - offset) * 60 + second) * 1_000_000
  const carry = Math.floor(micros / DAY_MICROS)
  if (days + carry < DAYS_MIN || days + carry > DAYS_MAX) return false
  builder.appendMicros(days + carry, micros - carry * DAY_MICROS)
  return true
}

/** Returns the minutes of `Z` or an offset that ends at `end`, or NaN. */
function offsetMinutesAt(bytes: Uint8Array, at: number, end: number): number {
  if (end - at === 1) return bytes[at] === 0x5a ? 0 : NaN
  const sign = bytes[at]
  if (end - at !== 6 || bytes[at + 3] !== 0x3a || (sign !== 0x2b && sign !== 0x2d)) return NaN
  const hours = twoDigits(bytes, at + 1)
  const minutes = twoDigits(bytes, at + 4)
  if (!(hours < 24 && minutes < 60)) return NaN
  return (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes)
}
