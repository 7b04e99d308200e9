import type { Column, FixedColumn } from '../../arrow/column.ts'
import { decimalOf, type DataType } from '../../core/schema.ts'
import type { ColumnStep } from './column-verdicts.ts'
import type { PlainRules } from '../rules/rules.ts'
import { isNumberFormat, textRuleOf, type TextRule } from '../rules/text-rules.ts'
import { bothOf, INVALID, UNKNOWN, VALID, verdictOf, type Verdict } from '../rules/verdict.ts'

const TWO_32 = 4_294_967_296
/** 0000-01-01 and the end of 9999-12-31 in microseconds since the epoch, in units of 2^32: the high words of instants. */
const INSTANT_HIGH_MIN = Math.ceil((-719_528 * 86_400e6) / TWO_32)
const INSTANT_HIGH_MAX = Math.floor((2_932_896 * 86_400e6) / TWO_32) - 1

/** Judges a number, which is NaN when its value is not certain. */
export type NumberRule = (value: number) => Verdict

/**
 * Returns the rule for numbers that `rules` contains, with the arithmetic of the contract's own check; `undefined` when
 * every number of the column obeys it.
 */
export function numberRuleOf(rules: PlainRules, type: DataType | undefined): NumberRule | undefined {
  const {
    minimum = -Infinity,
    maximum = Infinity,
    exclusiveMinimum = -Infinity,
    exclusiveMaximum = Infinity,
    multipleOf,
    values,
    types,
    format,
  } = rules
  const wantsInteger = types !== undefined && !types.includes('number')
  const isWhole = type === 'long' || type === 'integer' || type === 'short' || type === 'byte'
  const numeric = format !== undefined && isNumberFormat(format) ? format : undefined
  const isFree =
    minimum === -Infinity &&
    maximum === Infinity &&
    exclusiveMinimum === -Infinity &&
    exclusiveMaximum === Infinity &&
    multipleOf === undefined &&
    values === undefined &&
    numeric === undefined
  if (isFree && (isWhole || types === undefined)) return undefined
  return (value) => {
    if (!Number.isFinite(value)) return UNKNOWN
    if (wantsInteger && !Number.isInteger(value)) return INVALID
    if (value < minimum || value > maximum || value <= exclusiveMinimum || value >= exclusiveMaximum)
      return INVALID
    if (multipleOf !== undefined && !isMultiple(value / multipleOf)) return INVALID
    if (values !== undefined && !values.includes(value)) return INVALID
    if (numeric === 'int32')
      return verdictOf(Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31)
    return numeric === 'int64' ? verdictOf(Number.isInteger(value)) : VALID
  }
}

/** Beyond 1e21 a number is written with an exponent, and the contract's check sees only the digits before it. */
function isMultiple(quotient: number): boolean {
  return Number.isInteger(quotient) && Math.abs(quotient) < 1e21
}

/** Returns the numbers of a column as doubles; NaN for those that a double does not hold exactly. */
export function numbersOf(column: Column): Float64Array {
  const { values, words, length, type } = column as FixedColumn
  const numbers = new Float64Array(length)
  if (words === 1) {
    for (let i = 0; i < length; i++) numbers[i] = values[i] as number
    return numbers
  }
  const scale = decimalOf(type)?.scale ?? 0
  const power = 10 ** scale
  for (let i = 0; i < length; i++) {
    const at = i * words
    const high = values[at + 1] as number
    const number = high * TWO_32 + ((values[at] as number) >>> 0)
    const sign = high < 0 ? -1 : 0
    const isShort = words === 2 || (values[at + 2] === sign && values[at + 3] === sign && scale <= 22)
    // The quotient of two exact numbers is rounded as the text of the number is.
    numbers[i] = isShort && Number.isSafeInteger(number) ? (scale === 0 ? number : number / power) : NaN
  }
  return numbers
}

/** Returns the test of texts that `rules` contains, `values` included; `undefined` when every text obeys it. */
export function bytesTestOf(rules: PlainRules): TextRule | undefined {
  const test = textRuleOf(rules)
  const { values } = rules
  if (values === undefined) return test
  const texts = values.filter((value) => typeof value === 'string').map((text) => Buffer.from(text))
  const isListed: TextRule = (bytes, start, end) => {
    for (const text of texts) if (isEqual(bytes, start, end, text)) return VALID
    return INVALID
  }
  if (test === undefined) return isListed
  return (bytes, start, end) => bothOf(isListed(bytes, start, end), test(bytes, start, end))
}

function isEqual(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const { length } = text
  if (end - start !== length) return false
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text[i]) return false
  return true
}

/** Returns the steps for texts in columns of another type: their spelling is known only where a format is asked. */
export function timesRuleOf(rules: PlainRules, type: DataType): ColumnStep[] {
  const { values, format, minLength, maxLength, pattern } = rules
  const isTimestamp = type === 'timestamp' && format === 'date-time'
  const isDate = type === 'date' && format === 'date'
  const isOpen =
    values !== undefined ||
    minLength !== undefined ||
    maxLength !== undefined ||
    pattern !== undefined ||
    (format !== undefined && !isTimestamp && !isDate)
  if (isOpen)
    return [
      (_, verdicts) => {
        for (let i = 0; i < verdicts.length; i++) verdicts[i] = bothOf(verdicts[i] as Verdict, UNKNOWN)
      },
    ]
  if (!isTimestamp && !isDate) return []
  return [
    (column, verdicts) => {
      const { values: words, length } = column as FixedColumn
      for (let i = 0; i < length; i++) {
        const value = words[isTimestamp ? 2 * i + 1 : i] as number
        const isCertain = isTimestamp
          ? value >= INSTANT_HIGH_MIN && value <= INSTANT_HIGH_MAX
          : value >= -719_528 && value <= 2_932_896
        if (!isCertain) verdicts[i] = bothOf(verdicts[i] as Verdict, UNKNOWN)
      }
    },
  ]
}
