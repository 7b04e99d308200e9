import { ExactNumber, narrowInteger } from '../core/exact.ts'

/**
 * Describes a number of a message: a double, an integer beyond 2^53, or the text of a number that a double cannot
 * hold.
 */
export type AnyNumber = number | bigint | ExactNumber

/** Returns true when a value is a number in any of its forms. */
export function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber
}

/** Returns the nearest double. */
export function toDouble(value: AnyNumber): number {
  return value instanceof ExactNumber ? Number(value.text) : Number(value)
}

/**
 * Returns a number below, equal to or above 0. Integers are compared exactly, an `ExactNumber` by its nearest double.
 */
export function compareNumbers(a: AnyNumber, b: AnyNumber): number {
  const [left, right] = [
    a instanceof ExactNumber ? toDouble(a) : a,
    b instanceof ExactNumber ? toDouble(b) : b,
  ]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Returns the integer part of a number, or `undefined` when the number is not finite. */
export function truncateToInteger(value: AnyNumber): bigint | undefined {
  if (typeof value === 'bigint') return value
  const double = Math.trunc(toDouble(value))
  return Number.isFinite(double) ? BigInt(double) : undefined
}

const JSON_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/

/** Returns the number that a text spells, exactly for integers, or `undefined` when the text is not a number. */
export function parseNumber(text: string): AnyNumber | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 400 || !JSON_NUMBER.test(trimmed)) return undefined
  const double = Number(trimmed)
  if (/^[+-]?\d+$/.test(trimmed)) return narrowInteger(BigInt(trimmed.replace(/^\+/, '')))
  return Number.isFinite(double) ? double : undefined
}
