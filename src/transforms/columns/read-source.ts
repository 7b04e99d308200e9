import { SOURCE_KINDS } from '../../formats/sources.ts'
import type { ColumnInput } from './input.ts'
import { VALUE_KINDS, type ValueVector } from './value-vector.ts'

/** Number of digits that a double always holds exactly. */
const DIGITS_MAX = 15
const POWERS_OF_TEN = Array.from({ length: DIGITS_MAX + 1 }, (_, exponent) => Number(`1e${exponent}`))
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30

/** Reads the values of source `index` into `into`. Text stays in the bytes of the messages. */
export function readSource({ sources, rows, length }: ColumnInput, index: number, into: ValueVector): void {
  into.reset(length)
  const source = sources.columns[index]
  if (source === undefined) throw new Error('Broken invariant: a source that was not asked for')
  const { bytes, keepFractions } = sources
  into.share(bytes)
  const { kinds, starts, ends } = into
  for (let i = 0; i < length; i++) {
    const row = rows[i] as number
    const start = source.starts[row] as number
    const end = source.ends[row] as number
    switch (source.kinds[row]) {
      case SOURCE_KINDS.absent:
      case SOURCE_KINDS.null:
        kinds[i] = VALUE_KINDS.null
        break
      case SOURCE_KINDS.text:
        kinds[i] = VALUE_KINDS.text
        starts[i] = start + 1
        ends[i] = end - 1
        break
      case SOURCE_KINDS.true:
        kinds[i] = VALUE_KINDS.true
        break
      case SOURCE_KINDS.false:
        kinds[i] = VALUE_KINDS.false
        break
      case SOURCE_KINDS.number:
        readNumber(bytes, start, end, keepFractions, into, i)
        break
      default:
        kinds[i] = VALUE_KINDS.unknown
    }
  }
}

/**
 * Reads the JSON number in `[start, end)` of at most 15 digits and without exponent. It is divided by a power of ten: both
 * operands are exact, so the result is correctly rounded.
 */
function readNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  keepFractions: boolean,
  into: ValueVector,
  i: number,
): void {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let number = 0
  let dot = -1
  for (let at = first; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === DOT && dot < 0) dot = at
    else if (byte >= ZERO && byte <= ZERO + 9) number = number * 10 + (byte - ZERO)
    else {
      into.kinds[i] = VALUE_KINDS.unknown
      return
    }
  }
  const fraction = dot < 0 ? 0 : end - dot - 1
  const digits = end - first - (dot < 0 ? 0 : 1)
  // A negative zero has a sign that not every column keeps.
  if (digits > DIGITS_MAX || (isNegative && number === 0)) {
    into.kinds[i] = VALUE_KINDS.unknown
    return
  }
  if (fraction > 0) number /= POWERS_OF_TEN[fraction] as number
  const isWhole = keepFractions && dot >= 0 && Number.isInteger(number)
  into.putNumber(i, isWhole ? VALUE_KINDS.fraction : VALUE_KINDS.number, isNegative ? -number : number)
}
