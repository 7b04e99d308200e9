import { Exact } from '../core/exact.ts'

/** A number as messages have it: a double, an integer beyond 2^53, or the text of what no double holds. */
export type AnyNumber = number | bigint | Exact

/** Whether a value is a number in any of its forms. */
export function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Exact
}

/** The nearest double. */
export function doubleOf(value: AnyNumber): number {
  return value instanceof Exact ? Number(value.text) : Number(value)
}

/** An integer as a double where that holds it, and as `bigint` elsewhere. */
export function integerOf(value: bigint): number | bigint {
  const double = Number(value)
  return Number.isSafeInteger(double) ? double : value
}

/** Below 0, 0 or above 0; integers are compared to the last digit, what no double holds by the nearest one. */
export function compareNumbers(a: AnyNumber, b: AnyNumber): number {
  const [left, right] = [a instanceof Exact ? doubleOf(a) : a, b instanceof Exact ? doubleOf(b) : b]
  return left < right ? -1 : left > right ? 1 : 0
}

/** An integer with what is behind its point cut off; `undefined` for what is not finite. */
export function wholePart(value: AnyNumber): bigint | undefined {
  if (typeof value === 'bigint') return value
  const double = Math.trunc(doubleOf(value))
  return Number.isFinite(double) ? BigInt(double) : undefined
}

const JSON_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/

/** The number that a text spells, exact where a double is not; `undefined` where it spells none. */
export function numberOfText(text: string): AnyNumber | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 400 || !JSON_NUMBER.test(trimmed)) return undefined
  const double = Number(trimmed)
  if (/^[+-]?\d+$/.test(trimmed)) return integerOf(BigInt(trimmed.replace(/^\+/, '')))
  return Number.isFinite(double) ? double : undefined
}
