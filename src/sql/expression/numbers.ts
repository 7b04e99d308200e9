import { SqlError } from './error.ts'
import { decimalText } from '../../arrow/decimal.ts'

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  byte: [-(2n ** 7n), 2n ** 7n - 1n],
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** A whole number as a value of an integer type; throws `SqlError` when that cannot hold it. */
export function integerOf(value: bigint, type: string): number | bigint {
  const [min, max] = RANGES[type] as readonly [bigint, bigint]
  if (value < min || value > max) throw new SqlError(`${value} is beyond ${type}`)
  return type === 'long' ? value : Number(value)
}

/** A whole number held in a double as a value of an integer type of up to 32 bits; throws `SqlError` when that cannot hold it. */
export function smallOf(value: number, type: string): number {
  const [min, max] = RANGES[type] as readonly [bigint, bigint]
  if (value < Number(min) || value > Number(max)) throw new SqlError(`${value} is beyond ${type}`)
  return value
}

/** `a / b` rounded half away from zero. `b` is above zero. */
export function divideHalfUp(a: bigint, b: bigint): bigint {
  const negative = a < 0n
  const positive = negative ? -a : a
  const quotient = (2n * positive + b) / (2n * b)
  return negative ? -quotient : quotient
}

/**
 * An unscaled number of scale `from` at the scale of `decimal(precision, scale)`, rounded half up; throws `SqlError`
 * when that has too few digits.
 */
export function rescaled(unscaled: bigint, from: number, precision: number, scale: number): bigint {
  const result =
    scale >= from
      ? unscaled * 10n ** BigInt(scale - from)
      : divideHalfUp(unscaled, 10n ** BigInt(from - scale))
  const limit = 10n ** BigInt(precision)
  if (result >= limit || result <= -limit)
    throw new SqlError(`${decimalText(unscaled, from)} is beyond decimal(${precision},${scale})`)
  return result
}

/** The nearest double to a decimal. */
export function decimalToDouble(unscaled: bigint, scale: number): number {
  return Number(decimalText(unscaled, scale))
}
