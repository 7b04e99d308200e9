import { decimalOf, type DataType } from '../core/schema.ts'
import { ExactNumber, narrowInteger } from '../core/exact.ts'
import type { ColumnBuilder } from './column-builder.ts'
import { describeValue } from './column-builder.ts'
import { fixedLayoutOf, type Column, type FixedArray, type FixedColumn } from './column.ts'
import { unscaledOf } from './decimal.ts'
import { DAY_MICROS, parseDate, parseDateTime, splitInstant } from './time.ts'
import { NullRuns } from './sparse/null-runs.ts'
import { columnOfPacked } from './sparse/sparse-column.ts'

const TWO_32 = 4_294_967_296
const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)
const INTEGER_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  byte: [-128, 127],
  short: [-32_768, 32_767],
  integer: [-2_147_483_648, 2_147_483_647],
}

/**
 * Builds columns of numbers, booleans, dates, timestamps and decimals. Dates and timestamps are ISO 8601 text or a `Date`, of
 * which a date has the day in UTC, and a timestamp without zone the date and time in UTC.
 */
export class FixedBuilder implements ColumnBuilder {
  readonly kind = 'fixed'
  readonly type: DataType
  readonly words: 1 | 2 | 4
  readonly #nulls = new NullRuns()
  readonly #make: (length: number) => FixedArray
  readonly #put: (value: unknown) => string | undefined
  #values: FixedArray
  /** Number of values, nulls not included: these are not stored. */
  #count = 0

  constructor(type: DataType) {
    const layout = fixedLayoutOf(type)
    if (layout === undefined) throw new Error(`Broken invariant: ${JSON.stringify(type)} has no fixed width`)
    this.type = type
    this.words = layout.words
    this.#make = layout.make
    this.#values = layout.make(1024 * layout.words)
    this.#put = this.#putOf(type)
  }

  get length(): number {
    return this.#count + this.#nulls.count
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
      return undefined
    }
    return this.#put(value)
  }

  /** Appends a value to a column of one word. */
  appendNumber(value: number): void {
    const at = this.#count
    if (at === this.#values.length) this.#grow()
    this.#values[at] = value
    this.#count++
  }

  /** Appends an integer that a double holds exactly to a column of two words (long, timestamps). */
  appendSafe(value: number): void {
    const high = Math.floor(value / TWO_32)
    this.appendPair(value - high * TWO_32, high)
  }

  /** Appends the two halves of a long. */
  appendPair(low: number, high: number): void {
    const at = this.#count * 2
    if (at === this.#values.length) this.#grow()
    this.#values[at] = low | 0
    this.#values[at + 1] = high | 0
    this.#count++
  }

  /** Appends the four words of a decimal, the lowest first, each of 32 bits. */
  appendWords(first: number, second: number, third: number, fourth: number): void {
    const at = this.#count * 4
    if (at === this.#values.length) this.#grow()
    this.#values[at] = first | 0
    this.#values[at + 1] = second | 0
    this.#values[at + 2] = third | 0
    this.#values[at + 3] = fourth | 0
    this.#count++
  }

  /** Appends microseconds since the epoch, given as days and microseconds of the day. */
  appendMicros(days: number, micros: number): void {
    // Beyond about 285 years from the epoch the sum exceeds the safe integers, and only BigInt is exact.
    if (days > -100_000 && days < 100_000) this.appendSafe(days * DAY_MICROS + micros)
    else this.#appendBigInt(BigInt(days) * BigInt(DAY_MICROS) + BigInt(micros))
  }

  appendNull(): void {
    this.#nulls.add(this.#count, 1)
  }

  /** Appends nulls up to index `length`. */
  padTo(length: number): void {
    const missing = length - this.#count - this.#nulls.count
    if (missing > 0) this.#nulls.add(this.#count, missing)
  }

  truncate(length: number): void {
    if (length < this.length) this.#count = this.#nulls.truncate(length, this.#count)
  }

  finish(): Column {
    const { type, words, length } = this
    const count = this.#count
    const values = this.#values.slice(0, count * words)
    this.#count = 0
    const packed: FixedColumn = { kind: 'fixed', type, words, length: count, values, valid: undefined }
    return count === length ? packed : columnOfPacked(packed, this.#nulls.finish(count), length)
  }

  #appendBigInt(value: bigint): void {
    this.appendPair(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
  }

  #grow(): void {
    const larger = this.#make(this.#values.length * 2)
    larger.set(this.#values)
    this.#values = larger
  }

  #putOf(type: DataType): (value: unknown) => string | undefined {
    const decimal = decimalOf(type)
    if (decimal !== undefined) return (value) => this.#putDecimal(value, decimal.precision, decimal.scale)
    switch (type) {
      case 'boolean':
        return (value) =>
          typeof value === 'boolean'
            ? this.#done(value ? 1 : 0)
            : `expected true or false, got ${describeValue(value)}`
      case 'float':
      case 'double':
        return (value) => this.#putDouble(value)
      case 'long':
        return (value) => this.#putLong(value)
      case 'date':
        return (value) => this.#putDate(value)
      case 'timestamp':
      case 'timestamp_ntz':
        return (value) => this.#putTimestamp(value, type === 'timestamp')
      default:
        return (value) => this.#putInteger(value, type as string)
    }
  }

  #done(value: number): string | undefined {
    this.appendNumber(value)
    return undefined
  }

  #putDouble(value: unknown): string | undefined {
    const number =
      value instanceof ExactNumber ? Number(value.text) : typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number') return `expected a number, got ${describeValue(value)}`
    if (!Number.isFinite(number))
      return `expected a number within the range of a double, got ${value instanceof ExactNumber ? value.text : String(value)}`
    if (this.type === 'float' && !Number.isFinite(Math.fround(number)))
      return `expected a number within the range of a float, got ${number}`
    return this.#done(number)
  }

  #putInteger(value: unknown, type: string): string | undefined {
    const [min, max] = INTEGER_RANGES[type] ?? [0, 0]
    const whole =
      value instanceof ExactNumber
        ? wholeNumberOf(value)
        : typeof value === 'bigint'
          ? narrowInteger(value)
          : value
    if (typeof whole !== 'number' || !Number.isInteger(whole) || whole < min || whole > max) {
      return `expected an integer from ${min} to ${max} (${type}), got ${describeValue(value)}`
    }
    return this.#done(whole)
  }

  #putLong(value: unknown): string | undefined {
    if (typeof value === 'number' && Number.isSafeInteger(value)) {
      this.appendSafe(value)
      return undefined
    }
    const big =
      typeof value === 'bigint'
        ? value
        : typeof value === 'number' && Number.isInteger(value)
          ? BigInt(value)
          : value instanceof ExactNumber
            ? unscaledOf(value.text, 38, 0)
            : undefined
    if (big === undefined)
      return `expected an integer, got ${value instanceof ExactNumber ? value.text : describeValue(value)}`
    if (big > LONG_MAX || big < LONG_MIN)
      return `expected an integer of 64 bits (long), got ${describeValue(big)}`
    this.#appendBigInt(big)
    return undefined
  }

  #putDate(value: unknown): string | undefined {
    const days =
      typeof value === 'string'
        ? parseDate(value)
        : value instanceof Date
          ? splitInstant(value)?.days
          : undefined
    return days === undefined ? `expected an ISO 8601 date, got ${describeValue(value)}` : this.#done(days)
  }

  #putTimestamp(value: unknown, zoned: boolean): string | undefined {
    const parsed =
      typeof value === 'string'
        ? parseDateTime(value, zoned)
        : value instanceof Date
          ? splitInstant(value)
          : undefined
    if (parsed === undefined)
      return `expected an ISO 8601 date and time ${zoned ? 'with' : 'without'} zone, got ${describeValue(value)}`
    this.appendMicros(parsed.days, parsed.micros)
    return undefined
  }

  #putDecimal(value: unknown, precision: number, scale: number): string | undefined {
    const unscaled = unscaledOf(value instanceof ExactNumber ? value.text : value, precision, scale)
    if (unscaled === undefined)
      return `expected a number that decimal(${precision},${scale}) holds exactly, got ${value instanceof ExactNumber ? value.text : describeValue(value)}`
    const at = this.#count * 4
    if (at === this.#values.length) this.#grow()
    for (let word = 0; word < 4; word++)
      this.#values[at + word] = Number(BigInt.asIntN(32, unscaled >> BigInt(32 * word)))
    this.#count++
    return undefined
  }
}

/** Returns a number written with a fraction or an exponent as an integer if it is one, such as `1.0` or `1e3`. */
function wholeNumberOf({ text }: ExactNumber): number | bigint | undefined {
  const whole = unscaledOf(text, 38, 0)
  return whole === undefined ? undefined : narrowInteger(whole)
}
