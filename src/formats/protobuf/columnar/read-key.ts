import type { BytesBuilder } from '../../../arrow/bytes-builder.ts'
import { readBytes } from './read-scalar.ts'
import type { MapFieldPlan, WireKeyKind } from './value-plan.ts'
import { readVarint, type WireInput } from './wire-input.ts'

/** Room for the digits of an integer and for the words that a copy may read beyond them. */
const SCRATCH_BYTES = 32
const TWO_32 = 4_294_967_296
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const scratch = new Uint8Array(SCRATCH_BYTES)
const scratchView = new DataView(scratch.buffer)

/**
 * Reads the key of a map entry and appends its text. Returns the position after it, or -1 when it is invalid, beyond the
 * integers that a double holds, or merged or moved by an object.
 */
export function appendKey(
  input: WireInput,
  { key, keys, builder }: MapFieldPlan,
  at: number,
  end: number,
): number {
  const column = builder.keys
  if (column.kind !== 'bytes') return -1
  if (key === 'string') {
    at = readBytes(input, true, column, at, end)
    return at >= 0 && keys.add(input.bytes, input.partStart, at) ? at : -1
  }
  if (key === 'bool') {
    at = readVarint(input, at)
    if (at < 0) return -1
    return appendScratch(column, keys, copyText((input.low | input.high) === 0 ? FALSE : TRUE)) ? at : -1
  }
  at = readInteger(input, key, at, end)
  if (at < 0) return -1
  const start = writeInteger(isUnsigned(key) ? input.high >>> 0 : input.high, input.low >>> 0)
  return start >= 0 && appendScratch(column, keys, start) ? at : -1
}

/** End of the text in `scratch`. */
const TEXT_END = SCRATCH_BYTES - 4

function appendScratch(column: BytesBuilder, keys: MapFieldPlan['keys'], start: number): boolean {
  column.appendRange(scratchView, start, TEXT_END)
  return keys.add(scratch, start, TEXT_END)
}

function copyText(text: Uint8Array): number {
  scratch.set(text, TEXT_END - text.length)
  return TEXT_END - text.length
}

/** Writes an integer, whose high half has the sign, as decimal digits; returns their start, or -1 if a double is not exact. */
function writeInteger(high: number, low: number): number {
  const value = high * TWO_32 + low
  if (!Number.isSafeInteger(value)) return -1
  let at = TEXT_END
  let rest = Math.abs(value)
  do {
    const next = Math.floor(rest / 10)
    scratch[--at] = 0x30 + (rest - next * 10)
    rest = next
  } while (rest > 0)
  if (value < 0) scratch[--at] = 0x2d
  return at
}

function isUnsigned(key: WireKeyKind): boolean {
  return key === 'uint64' || key === 'ufixed64' || key === 'uint32' || key === 'fixed32'
}

/** Reads an integer into `low` and `high`, with its sign in `high`. */
function readInteger(input: WireInput, key: WireKeyKind, at: number, end: number): number {
  if (key === 'fixed32' || key === 'sfixed32') {
    if (end - at < 4) return -1
    input.low = input.view.getInt32(at, true)
    input.high = key === 'fixed32' ? 0 : input.low >> 31
    return at + 4
  }
  if (key === 'fixed64' || key === 'ufixed64') {
    if (end - at < 8) return -1
    input.low = input.view.getInt32(at, true)
    input.high = input.view.getInt32(at + 4, true)
    return at + 8
  }
  at = readVarint(input, at)
  if (at < 0) return -1
  const { low, high } = input
  if (key === 'int32') input.high = low >> 31
  else if (key === 'uint32') input.high = 0
  else if (key === 'sint32') {
    input.low = (low >>> 1) ^ -(low & 1)
    input.high = input.low >> 31
  } else if (key === 'sint64') {
    const sign = -(low & 1)
    input.low = ((low >>> 1) | (high << 31)) ^ sign
    input.high = (high >>> 1) ^ sign
  }
  return at
}
