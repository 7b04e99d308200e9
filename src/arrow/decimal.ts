const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
/** Larger exponents cannot fit 38 digits; the limit keeps hostile text such as `1e999999999` cheap. */
const EXPONENT_MAX = 400

/**
 * Returns the unscaled integer of a number (number, bigint or decimal text) in `decimal(precision, scale)`; `undefined`
 * if it is not a number or does not fit exactly: values are never rounded.
 */
export function unscaledOf(value: unknown, precision: number, scale: number): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const match = DECIMAL.exec(String(value))
  if (match === null) return undefined
  const fraction = match[3] ?? ''
  const exponent = Number(match[4] ?? 0)
  if (Math.abs(exponent) > EXPONENT_MAX || (match[2] ?? '').length + fraction.length > EXPONENT_MAX)
    return undefined
  let digits = BigInt(`${match[2] ?? ''}${fraction}`)
  const shift = scale + exponent - fraction.length
  if (shift >= 0) digits *= 10n ** BigInt(shift)
  else {
    const divisor = 10n ** BigInt(-shift)
    if (digits % divisor !== 0n) return undefined
    digits /= divisor
  }
  if (digits >= 10n ** BigInt(precision)) return undefined
  return match[1] === '-' ? -digits : digits
}

/** Returns the decimal text of an unscaled integer, always with `scale` fraction digits. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale))
  const negative = unscaled < 0n
  const digits = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Reads the unscaled integer in four little-endian words. */
export function unscaledAt(words: ArrayLike<number>, at: number): bigint {
  let value = BigInt(words[at + 3] ?? 0)
  for (let word = 2; word >= 0; word--) value = (value << 32n) | BigInt((words[at + word] ?? 0) >>> 0)
  return value
}
