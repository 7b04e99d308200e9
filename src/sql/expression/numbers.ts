import { SqlError } from './error.ts'
import { decimalText } from '../../arrow/decimal.ts'

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  byte: [-(2n ** 7n), 2n ** 7n - 1n],
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
}

/**
 * Returns a whole number as a value of an integer type.
 *
 * @throws SqlError if it is out of range
 */
export function toSqlInteger(value: bigint, type: string): number | bigint {
  const [min, max] = RANGES[type] as readonly [bigint, bigint]
  if (value < min || value > max) throw new SqlError(`${value} is out of range for ${type}`)
  return type === 'long' ? value : Number(value)
}

/**
 * Returns a whole number in a double as a value of an integer type of up to 32 bits.
 *
 * @throws SqlError if it is out of range
 */
export function toSmallInteger(value: number, type: string): number {
  const [min, max] = RANGES[type] as readonly [bigint, bigint]
  if (value < Number(min) || value > Number(max)) throw new SqlError(`${value} is out of range for ${type}`)
  return value
}

/** Returns `a / b` rounded half away from zero. `b` must be positive. */
export function divideHalfUp(a: bigint, b: bigint): bigint {
  const negative = a < 0n
  const positive = negative ? -a : a
  const quotient = (2n * positive + b) / (2n * b)
  return negative ? -quotient : quotient
}

/**
 * Converts an unscaled number from scale `from` to the scale of `decimal(precision, scale)`, rounded half up.
 *
 * @throws SqlError if the precision has too few digits
 */
export function rescaleDecimal(unscaled: bigint, from: number, precision: number, scale: number): bigint {
  const result =
    scale >= from
      ? unscaled * 10n ** BigInt(scale - from)
      : divideHalfUp(unscaled, 10n ** BigInt(from - scale))
  const limit = 10n ** BigInt(precision)
  if (result >= limit || result <= -limit)
    throw new SqlError(`${decimalText(unscaled, from)} is out of range for decimal(${precision},${scale})`)
  return result
}

/** Returns the double nearest to a decimal. */
export function decimalToDouble(unscaled: bigint, scale: number): number {
  return Number(decimalText(unscaled, scale))
}
