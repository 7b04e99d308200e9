import { type DataType, decimalOf } from './schema.ts'

/** Decimal digits that hold every value of an integer type. */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ['byte', 10],
  ['short', 10],
  ['integer', 10],
  ['long', 20],
])

/** The wider types as which values of a type may be read, without decimals. Spec: "Type Widening". */
const WIDER: ReadonlyMap<string, readonly string[]> = new Map([
  ['byte', ['short', 'integer', 'long', 'double']],
  ['short', ['integer', 'long', 'double']],
  ['integer', ['long', 'double']],
  ['float', ['double']],
  ['date', ['timestamp_ntz']],
])

/** Returns whether every value of the primitive type `from` is also a value of the different type `to`. Spec: "Type Widening". */
export function isWider(from: string, to: string): boolean {
  const wanted = decimalOf(to as DataType)
  if (wanted === undefined) return WIDER.get(from)?.includes(to) === true
  const whole = wanted.precision - wanted.scale
  const own = decimalOf(from as DataType)
  if (own === undefined) return whole >= (DIGITS.get(from) ?? Infinity)
  return wanted.scale >= own.scale && whole >= own.precision - own.scale
}
