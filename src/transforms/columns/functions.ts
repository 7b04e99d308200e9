import { VALUE_KINDS, type ValueVector } from './value-vector.ts'

/** Evaluates a function for all rows: `args` are as long as `into`, which has been reset. */
export type ColumnFunction = (args: readonly ValueVector[], into: ValueVector) => void

/** 0000-01-01 and 9999-12-31T23:59:59.999999Z. Times beyond are faults, which the interpreter reports. */
const MICROS_MIN = -62_167_219_200_000_000
const MICROS_MAX = 253_402_300_799_999_999
const INDEX_MAX = 2 ** 30

const isNumeric = (kind: number | undefined): boolean =>
  kind === VALUE_KINDS.number || kind === VALUE_KINDS.fraction

function epoch(microsPerUnit: number): ColumnFunction {
  return ([value], into) => {
    const { kinds, numbers } = value as ValueVector
    for (let i = 0; i < into.length; i++) {
      // The sum turns a negative zero into zero.
      const micros = Math.trunc(numbers[i] as number) * microsPerUnit + 0
      const isInstant =
        isNumeric(kinds[i]) && Number.isSafeInteger(micros) && micros >= MICROS_MIN && micros <= MICROS_MAX
      into.putNumber(i, isInstant ? VALUE_KINDS.instant : VALUE_KINDS.unknown, micros)
    }
  }
}

function epochMillisToMicro([value]: readonly ValueVector[], into: ValueVector): void {
  const { kinds, numbers } = value as ValueVector
  for (let i = 0; i < into.length; i++) {
    const micros = Math.trunc(numbers[i] as number) * 1000 + 0
    const isKnown = isNumeric(kinds[i]) && Number.isSafeInteger(micros)
    into.putNumber(i, isKnown ? VALUE_KINDS.number : VALUE_KINDS.unknown, micros)
  }
}

function indexOf(value: number): number {
  return Math.min(Math.max(Math.trunc(value), 0), INDEX_MAX)
}

/** Counts characters: bytes that continue a character do not count. */
function substr([text, start, length]: readonly ValueVector[], into: ValueVector): void {
  const from = text as ValueVector
  const { bytes } = from
  into.share(bytes)
  for (let i = 0; i < into.length; i++) {
    if (from.kinds[i] !== VALUE_KINDS.text || !isNumeric(start?.kinds[i]) || !isNumeric(length?.kinds[i])) {
      into.kinds[i] = VALUE_KINDS.unknown
      continue
    }
    const end = from.ends[i] as number
    const skipped = indexOf(start?.numbers[i] as number)
    const first = afterCharacters(bytes, from.starts[i] as number, end, skipped)
    into.kinds[i] = VALUE_KINDS.text
    into.starts[i] = first
    into.ends[i] = afterCharacters(bytes, first, end, indexOf(length?.numbers[i] as number))
  }
}

function afterCharacters(bytes: Uint8Array, at: number, end: number, count: number): number {
  for (; count > 0 && at < end; count--) {
    at++
    while (at < end && ((bytes[at] as number) & 0xc0) === 0x80) at++
  }
  return at
}

/** Joins texts; other scalars are left to the general way, which knows their text. */
function concat(args: readonly ValueVector[], into: ValueVector): void {
  for (let i = 0; i < into.length; i++) {
    let size = 0
    let isNull = false
    let isKnown = true
    for (const { kinds, starts, ends } of args) {
      if (kinds[i] === VALUE_KINDS.text) size += (ends[i] as number) - (starts[i] as number)
      else if (kinds[i] === VALUE_KINDS.null) isNull = true
      else isKnown = false
    }
    if (!isKnown) into.kinds[i] = VALUE_KINDS.unknown
    else if (!isNull) {
      let at = into.beginText(size)
      const { bytes: target } = into
      for (const { bytes, starts, ends } of args)
        for (let k = starts[i] as number; k < (ends[i] as number); k++) target[at++] = bytes[k] as number
      into.endText(i, size)
    }
  }
}

/** Gives the first argument that is not null. */
function firstValue(args: readonly ValueVector[], into: ValueVector): void {
  for (let i = 0; i < into.length; i++) {
    let found: ValueVector | undefined
    let isKnown = true
    for (const arg of args) {
      const kind = arg.kinds[i]
      if (kind === VALUE_KINDS.unknown) isKnown = false
      if (kind !== VALUE_KINDS.null) found ??= arg
    }
    if (!isKnown) into.kinds[i] = VALUE_KINDS.unknown
    else if (found !== undefined) into.copy(i, found, i)
  }
}

/** Functions over whole vectors. A row that one of them cannot decide becomes unknown. */
export const COLUMN_FUNCTIONS: ReadonlyMap<string, ColumnFunction> = new Map<string, ColumnFunction>([
  ['epoch_seconds_to_iso8601', epoch(1_000_000)],
  ['epoch_millis_to_iso8601', epoch(1000)],
  ['epoch_micros_to_iso8601', epoch(1)],
  ['epoch_millis_to_micro', epochMillisToMicro],
  ['substr', substr],
  ['concat', concat],
  ['not_null', firstValue],
  ['default', firstValue],
])

/** Functions whose results are instants. */
export const INSTANT_FUNCTIONS: ReadonlySet<string> = new Set([
  'epoch_seconds_to_iso8601',
  'epoch_millis_to_iso8601',
  'epoch_micros_to_iso8601',
])
