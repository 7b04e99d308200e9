import { type Column, type FixedColumn, isNull } from '../../arrow/column.ts'
import { hilbertIndexOf } from './hilbert.ts'
import { zOrderIndexOf } from './zorder.ts'

/** Names the curve along which rows are sorted. */
export type CurveKind = 'zorder' | 'hilbert'

/** Comparable form of a value: rounded numbers and prefixes of text keep their order. */
type Key = number | Buffer | null

/** Maximum of bits of a position on the curve, within what a double holds exactly. */
const POSITION_BITS_MAX = 50
/** Maximum of bits of one coordinate: the number of value ranges of a column is 2 to this power. */
const COORDINATE_BITS_MAX = 10
/** Limits the columns of a curve: with more, each would have almost no bits. */
export const CURVE_COLUMNS_MAX = 8
/** Bytes of text or binary that are compared. */
const PREFIX_BYTES = 64

/** Samples values of the curve columns, from which value ranges are made. */
export class CurveSample {
  readonly #curve: CurveKind
  readonly #rows: Key[][] = []

  constructor(curve: CurveKind) {
    this.#curve = curve
  }

  /** Takes every row whose number is a multiple of `every`; `first` is the number of the first row. */
  take(columns: readonly Column[], length: number, first: number, every: number): void {
    for (let row = (every - (first % every)) % every; row < length; row += every)
      this.#rows.push(columns.map((column) => copyKey(keyAt(column, row))))
  }

  /**
   * Builds the curve through the sampled values. Each column is cut into ranges with about equally many rows, whose
   * numbers are the coordinates, like Spark's range partition ids. `buckets` pieces of the curve hold about equally
   * many rows.
   */
  buildCurve(columnCount: number, buckets: number): RowCurve {
    const bits = Math.min(COORDINATE_BITS_MAX, Math.floor(POSITION_BITS_MAX / columnCount))
    const bounds = Array.from({ length: columnCount }, (_, at) =>
      quantiles(
        this.#rows.map((row) => row[at] ?? null).sort(compareKeys),
        2 ** bits,
        (a, b) => compareKeys(a, b) === 0,
      ),
    )
    const positionOf = positionFunctionOf(this.#curve, bounds, bits)
    const positions = this.#rows.map((row) => positionOf((at) => row[at] ?? null)).sort((a, b) => a - b)
    const cuts = quantiles(positions, buckets, (a, b) => a === b)
    return new RowCurve(
      positionOf,
      cuts.map(({ bound }) => bound),
    )
  }
}

type PositionFunction = (keyOf: (column: number) => Key) => number

/** A `RowCurve` is a curve through the values of some columns, cut into pieces. */
export class RowCurve {
  readonly #positionOf: PositionFunction
  readonly #bounds: readonly number[]

  constructor(positionOf: PositionFunction, bounds: readonly number[]) {
    this.#positionOf = positionOf
    this.#bounds = bounds
  }

  /** Number of pieces, at most the requested number. */
  get buckets(): number {
    return this.#bounds.length + 1
  }

  /** Returns the positions of rows on the curve. */
  positionsOf(columns: readonly Column[], length: number): Float64Array {
    const positions = new Float64Array(length)
    for (let row = 0; row < length; row++)
      positions[row] = this.#positionOf((at) => keyAt(columns[at] as Column, row))
    return positions
  }

  /** Returns the piece that contains a position. */
  bucketOf(position: number): number {
    return countNotAbove(this.#bounds, (bound) => bound - position)
  }
}

function positionFunctionOf(
  curve: CurveKind,
  bounds: readonly (readonly Cut<Key>[])[],
  bits: number,
): PositionFunction {
  const coordinates = new Int32Array(bounds.length)
  const along = curve === 'hilbert' ? hilbertIndexOf : zOrderIndexOf
  return (keyOf) => {
    bounds.forEach((ofColumn, at) => {
      const key = keyOf(at)
      const below = countNotAbove(ofColumn, ({ bound }) => compareKeys(bound, key))
      // A column with few values maps each to many ranges, so that it covers as much of the curve as other columns.
      coordinates[at] = ofColumn[below - 1]?.part ?? 0
    })
    return along(coordinates, bits)
  }
}

/** Start of a part of sorted values. */
interface Cut<T> {
  readonly bound: T
  /** Number of the part, from 1. */
  readonly part: number
}

/** Returns where sorted values are cut into `parts` parts of about equal size; equal values stay in one part. */
function quantiles<T>(sorted: readonly T[], parts: number, same: (a: T, b: T) => boolean): readonly Cut<T>[] {
  const cuts: Cut<T>[] = []
  for (let part = 1; part < parts; part++) {
    const bound = sorted[Math.floor((part * sorted.length) / parts)]
    const first = sorted[0]
    if (bound === undefined || first === undefined || same(first, bound)) continue
    const last = cuts.at(-1)
    if (last === undefined || !same(last.bound, bound)) cuts.push({ bound, part })
  }
  return cuts
}

/** Counts the ascending bounds that are not above a value. */
function countNotAbove<T>(bounds: readonly T[], compare: (bound: T) => number): number {
  let [low, high] = [0, bounds.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(bounds[middle] as T) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Compares keys; nulls come first. */
function compareKeys(a: Key, b: Key): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b)
  return Buffer.compare(a, b)
}

function keyAt(column: Column, row: number): Key {
  if (isNull(column, row)) return null
  if (column.kind === 'fixed') return numberAt(column, row)
  if (column.kind !== 'bytes') return null
  const start = column.offsets[row] as number
  const end = Math.min(column.offsets[row + 1] as number, start + PREFIX_BYTES)
  return Buffer.from(column.bytes.buffer, column.bytes.byteOffset + start, end - start)
}

/** Copies a key so that it does not keep the memory of its column. */
function copyKey(key: Key): Key {
  return key instanceof Buffer ? Buffer.from(key) : key
}

function numberAt({ values, words }: FixedColumn, row: number): number {
  // NaN sorts above all numbers.
  if (words === 1)
    return Number.isNaN(values[row])
      ? Number.MAX_VALUE
      : Math.max(-Number.MAX_VALUE, Math.min(values[row] as number, Number.MAX_VALUE))
  let value = values[row * words + words - 1] as number
  for (let word = words - 2; word >= 0; word--)
    value = value * 2 ** 32 + ((values[row * words + word] as number) >>> 0)
  return value
}
