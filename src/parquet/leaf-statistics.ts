import { decimalOf, type DataType } from '../core/schema.ts'
import type { BytesColumn, Column, FixedColumn } from '../arrow/column.ts'
import { decimalText, unscaledAt } from '../arrow/decimal.ts'
import { formatDate, formatDateTime } from '../arrow/time.ts'
import { longAt } from '../arrow/values.ts'

/** Collects minimum, maximum and null count of one leaf column of a file; `min` and `max` are JSON text. */
export interface LeafStatistics {
  update(column: Column): void
  /** Adds nulls that are in no column. */
  addNulls(nulls: number): void
  readonly nulls: number
  /** Minimum as JSON text; `undefined` if there was no value or the type has no bounds. */
  min(): string | undefined
  max(): string | undefined
}

/**
 * Creates statistics for a leaf type; types without an order in the specification (boolean, binary, array, map) only
 * count nulls.
 */
export function createLeafStatistics(type: DataType, stringCodePointsMax: number): LeafStatistics {
  if (typeof type !== 'string' || type === 'boolean' || type === 'binary') return new NullCount()
  if (type === 'string') return new TextBounds(stringCodePointsMax)
  if (decimalOf(type) !== undefined) return new WordBounds(type, 4)
  return type === 'long' || type === 'timestamp' || type === 'timestamp_ntz'
    ? new WordBounds(type, 2)
    : new NumberBounds(type)
}

class NullCount implements LeafStatistics {
  nulls = 0

  update(column: Column): void {
    if (column.valid !== undefined) for (const valid of column.valid) if (valid === 0) this.nulls++
  }

  addNulls(nulls: number): void {
    this.nulls += nulls
  }

  min(): string | undefined {
    return undefined
  }

  max(): string | undefined {
    return undefined
  }
}

class NumberBounds extends NullCount {
  readonly #type: DataType
  #min = Infinity
  #max = -Infinity
  #notANumber = false

  constructor(type: DataType) {
    super()
    this.#type = type
  }

  override update(column: Column): void {
    super.update(column)
    const { values, valid, length } = column as FixedColumn
    let min = this.#min
    let max = this.#max
    for (let i = 0; i < length; i++) {
      if (valid !== undefined && valid[i] === 0) continue
      const value = values[i] as number
      if (value < min) min = value
      if (value > max) max = value
      if (value !== value) this.#notANumber = true
    }
    this.#min = min
    this.#max = max
  }

  override min(): string | undefined {
    return this.#text(this.#min, this.#max)
  }

  override max(): string | undefined {
    return this.#text(this.#max, this.#min)
  }

  /** A file with a NaN has no bounds, because engines disagree on its order. */
  #text(value: number, other: number): string | undefined {
    if (this.#notANumber || !Number.isFinite(value) || !Number.isFinite(other)) return undefined
    return this.#type === 'date' ? `"${formatDate(value)}"` : String(value)
  }
}

/** Compares longs, timestamps and decimals word by word, so that no BigInt is created per value. */
class WordBounds extends NullCount {
  readonly #type: DataType
  readonly #words: 2 | 4
  #min: FixedColumn['values'] | undefined
  #max: FixedColumn['values'] | undefined

  constructor(type: DataType, words: 2 | 4) {
    super()
    this.#type = type
    this.#words = words
  }

  override update(column: Column): void {
    super.update(column)
    const { values, valid, length } = column as FixedColumn
    const words = this.#words
    let min = -1
    let max = -1
    for (let i = 0; i < length; i++) {
      if (valid !== undefined && valid[i] === 0) continue
      if (min < 0) min = max = i
      else if (isLess(values, i * words, values, min * words, words)) min = i
      else if (isLess(values, max * words, values, i * words, words)) max = i
    }
    if (min < 0) return
    const least = values.slice(min * words, min * words + words)
    const most = values.slice(max * words, max * words + words)
    if (this.#min === undefined || isLess(least, 0, this.#min, 0, words)) this.#min = least
    if (this.#max === undefined || isLess(this.#max, 0, most, 0, words)) this.#max = most
  }

  override min(): string | undefined {
    return this.#min && this.#text(this.#min)
  }

  override max(): string | undefined {
    return this.#max && this.#text(this.#max)
  }

  #text(words: FixedColumn['values']): string {
    const decimal = decimalOf(this.#type)
    if (decimal !== undefined) return decimalText(unscaledAt(words, 0), decimal.scale)
    const long = longAt(words, 0)
    return this.#type === 'long' ? String(long) : `"${formatDateTime(long, this.#type === 'timestamp')}"`
  }
}

/** Tells whether the signed integer at `a[i]` is less than that at `b[j]`; words are little-endian. */
function isLess(
  a: FixedColumn['values'],
  i: number,
  b: FixedColumn['values'],
  j: number,
  words: number,
): boolean {
  const highA = a[i + words - 1] as number
  const highB = b[j + words - 1] as number
  if (highA !== highB) return highA < highB
  for (let word = words - 2; word >= 0; word--) {
    const x = (a[i + word] as number) >>> 0
    const y = (b[j + word] as number) >>> 0
    if (x !== y) return x < y
  }
  return false
}

/** Compares strings by their UTF-8 bytes, which is the order of their code points. */
class TextBounds extends NullCount {
  readonly #codePointsMax: number
  #min: Uint8Array | undefined
  #max: Uint8Array | undefined

  constructor(codePointsMax: number) {
    super()
    this.#codePointsMax = codePointsMax
  }

  override update(column: Column): void {
    super.update(column)
    const { bytes, offsets, valid, length } = column as BytesColumn
    let min = -1
    let max = -1
    for (let i = 0; i < length; i++) {
      if (valid !== undefined && valid[i] === 0) continue
      if (min < 0) min = max = i
      else if (isBefore(bytes, offsets, i, min)) min = i
      else if (isBefore(bytes, offsets, max, i)) max = i
    }
    if (min < 0) return
    const least = bytes.slice(offsets[min], offsets[min + 1])
    const most = bytes.slice(offsets[max], offsets[max + 1])
    if (this.#min === undefined || Buffer.compare(least, this.#min) < 0) this.#min = least
    if (this.#max === undefined || Buffer.compare(this.#max, most) < 0) this.#max = most
  }

  override min(): string | undefined {
    if (this.#min === undefined) return undefined
    return JSON.stringify(prefixOf(this.#min, this.#codePointsMax).join(''))
  }

  override max(): string | undefined {
    if (this.#max === undefined) return undefined
    const whole = prefixOf(this.#max, this.#codePointsMax + 1)
    if (whole.length <= this.#codePointsMax) return JSON.stringify(whole.join(''))
    const rounded = roundUp(whole.slice(0, this.#codePointsMax))
    return rounded === undefined ? undefined : JSON.stringify(rounded)
  }
}

function isBefore(bytes: Uint8Array, offsets: Int32Array, i: number, j: number): boolean {
  let a = offsets[i] as number
  let b = offsets[j] as number
  const endA = offsets[i + 1] as number
  const endB = offsets[j + 1] as number
  for (; a < endA && b < endB; a++, b++) {
    if (bytes[a] !== bytes[b]) return (bytes[a] as number) < (bytes[b] as number)
  }
  return a === endA && b < endB
}

/** A byte order mark at the start of a text is kept as a character. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Returns the first code points; a code point takes at most four bytes, so a long string is not decoded completely. */
function prefixOf(text: Uint8Array, codePoints: number): string[] {
  return [...decoder.decode(text.subarray(0, codePoints * 4))].slice(0, codePoints)
}

/**
 * Returns the smallest string of at most as many code points that is greater than every string with this prefix;
 * `undefined` if there is none.
 */
export function roundUp(prefix: readonly string[]): string | undefined {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const code = (prefix[last] as string).codePointAt(0) as number
    if (code === 0x10ffff) continue
    // Surrogates are not characters.
    const next = code === 0xd7ff ? 0xe000 : code + 1
    return prefix.slice(0, last).join('') + String.fromCodePoint(next)
  }
  return undefined
}
