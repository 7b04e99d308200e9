import { type Column, type FixedColumn, isNull } from '../../arrow/column.ts'
import { hilbert } from './hilbert.ts'
import { zOrder } from './zorder.ts'

/** Which curve rows are laid along. */
export type Curve = 'zorder' | 'hilbert'

/** A value of a column as something that can be compared: rounded numbers and the beginnings of texts keep their order. */
type Key = number | Buffer | null

/** Bits of the places on the curve, within what a double holds exactly. */
const PLACE_BITS_MAX = 50
/** Bits of one coordinate: ranges of a column's values that are told apart. */
const COORDINATE_BITS_MAX = 10
/** Columns of a curve: with more, each would have next to no bits. */
export const CURVE_COLUMNS_MAX = 8
/** Bytes of a text or of binary that are compared. */
const PREFIX_BYTES = 64

/** Gathers a sample of the values of the columns of a curve, from which their ranges are made. */
export class CurveSample {
  readonly #curve: Curve
  readonly #rows: Key[][] = []

  constructor(curve: Curve) {
    this.#curve = curve
  }

  /** Takes every row whose number is a multiple of `every`; `first` is the number of the first row. */
  take(columns: readonly Column[], length: number, first: number, every: number): void {
    for (let row = (every - (first % every)) % every; row < length; row += every)
      this.#rows.push(columns.map((column) => keptKey(keyAt(column, row))))
  }

  /**
   * The curve through the sampled values: every column is cut into ranges of about equally many rows, whose numbers are
   * the coordinates, as Spark's range partition ids are. `buckets` pieces of the curve hold about equally many rows.
   */
  layOut(columnCount: number, buckets: number): RowCurve {
    const bits = Math.min(COORDINATE_BITS_MAX, Math.floor(PLACE_BITS_MAX / columnCount))
    const bounds = Array.from({ length: columnCount }, (_, at) =>
      quantiles(
        this.#rows.map((row) => row[at] ?? null).sort(compareKeys),
        2 ** bits,
        (a, b) => compareKeys(a, b) === 0,
      ),
    )
    const place = placer(this.#curve, bounds, bits)
    const places = this.#rows.map((row) => place((at) => row[at] ?? null)).sort((a, b) => a - b)
    const cuts = quantiles(places, buckets, (a, b) => a === b)
    return new RowCurve(
      place,
      cuts.map(({ bound }) => bound),
    )
  }
}

type Place = (keyOf: (column: number) => Key) => number

/** A curve through the values of some columns, in pieces. */
export class RowCurve {
  readonly #place: Place
  readonly #bounds: readonly number[]

  constructor(place: Place, bounds: readonly number[]) {
    this.#place = place
    this.#bounds = bounds
  }

  /** How many pieces there are: no more than were asked for. */
  get buckets(): number {
    return this.#bounds.length + 1
  }

  /** The places of rows on the curve. */
  placesOf(columns: readonly Column[], length: number): Float64Array {
    const places = new Float64Array(length)
    for (let row = 0; row < length; row++)
      places[row] = this.#place((at) => keyAt(columns[at] as Column, row))
    return places
  }

  /** The piece that a place lies in. */
  bucketOf(place: number): number {
    return countNotAbove(this.#bounds, (bound) => bound - place)
  }
}

function placer(curve: Curve, bounds: readonly (readonly Cut<Key>[])[], bits: number): Place {
  const coordinates = new Int32Array(bounds.length)
  const along = curve === 'hilbert' ? hilbert : zOrder
  return (keyOf) => {
    bounds.forEach((ofColumn, at) => {
      const key = keyOf(at)
      const below = countNotAbove(ofColumn, ({ bound }) => compareKeys(bound, key))
      // Of few values each stands for many ranges, so that a column of few values has as much of the curve as others.
      coordinates[at] = ofColumn[below - 1]?.part ?? 0
    })
    return along(coordinates, bits)
  }
}

/** Where a part of sorted values begins. */
interface Cut<T> {
  readonly bound: T
  /** The part's number, from 1. */
  readonly part: number
}

/** Where sorted values are cut into `parts` parts of about equal size; equal values are never cut apart. */
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

/** How many of the ascending bounds are not above a value. */
function countNotAbove<T>(bounds: readonly T[], compare: (bound: T) => number): number {
  let [low, high] = [0, bounds.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(bounds[middle] as T) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Nulls come first. */
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

/** A copy that does not hold on to the column's memory. */
function keptKey(key: Key): Key {
  return key instanceof Buffer ? Buffer.from(key) : key
}

function numberAt({ values, words }: FixedColumn, row: number): number {
  // NaN is above all numbers.
  if (words === 1)
    return Number.isNaN(values[row])
      ? Number.MAX_VALUE
      : Math.max(-Number.MAX_VALUE, Math.min(values[row] as number, Number.MAX_VALUE))
  let value = values[row * words + words - 1] as number
  for (let word = words - 2; word >= 0; word--)
    value = value * 2 ** 32 + ((values[row * words + word] as number) >>> 0)
  return value
}
