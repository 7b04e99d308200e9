import { findSourcePathFault } from '../transforms/path.ts'
import { findTimeZoneFault } from './time-zone.ts'

/** Lists the parts that can be derived from a date or timestamp. */
export const DATE_PARTS = ['year', 'month', 'day', 'hour', 'date'] as const

/** Names a part of a date or timestamp. */
export type DatePart = (typeof DATE_PARTS)[number]

/** Lists the units in which a number may count the time since the epoch. */
const EPOCH_UNITS = ['seconds', 'millis', 'micros'] as const

/** Names a unit of time since the epoch. */
export type EpochUnit = (typeof EPOCH_UNITS)[number]

/** Maximum number of buckets. */
export const BUCKETS_MAX = 1_000_000

/** Maximum width of `truncate`: characters of text, or the step of numbers. */
export const WIDTH_MAX = 1_000_000_000

/** Describes a derived column, computed from the column at the path `from`, which `parsePath` parses. */
export type Derivation =
  | {
      readonly kind: 'part'
      readonly column: string
      readonly part: DatePart
      readonly from: string
      /** Unit of the numbers in `from`; absent if `from` holds dates, timestamps or their text. */
      readonly unit?: EpochUnit
      /** IANA name of the time zone that the part is taken in; UTC if absent. */
      readonly timeZone?: string
    }
  | { readonly kind: 'bucket'; readonly column: string; readonly from: string; readonly buckets: number }
  | { readonly kind: 'truncate'; readonly column: string; readonly from: string; readonly width: number }

/** Describes the syntax of all derivations, for messages. */
export const DERIVATION_FORMS =
  "year(c), month(c), day(c), hour(c) or date(c), optionally with a time zone: date(c, 'Europe/Berlin'), and with millis(c), seconds(c) or micros(c) instead of c for numbers since the epoch; bucket(c, 16); truncate(c, 4)"

/**
 * Parses an expression such as `date(timestamp, 'Europe/Berlin')`. Returns `undefined` if it is not a
 * derivation. Does not check whether the time zone exists.
 */
export function parseDerivation(column: string, expression: string): Derivation | undefined {
  const [, name = '', argument = ''] = /^\s*([a-z]+)\s*\(\s*(\S[^]*?)\s*\)\s*$/.exec(expression) ?? []
  if (name === 'bucket' || name === 'truncate') {
    const [, from, digits] = /^([^]*?)\s*,\s*(\d{1,10})$/.exec(argument) ?? []
    const number = Number(digits)
    const max = name === 'bucket' ? BUCKETS_MAX : WIDTH_MAX
    if (from === undefined || !isSource(from) || !(number >= 1 && number <= max)) return undefined
    return name === 'bucket'
      ? { kind: name, column, from, buckets: number }
      : { kind: name, column, from, width: number }
  }
  const part = DATE_PARTS.find((known) => known === name)
  if (part === undefined) return undefined
  const [, zoned, timeZone] = /^([^]*?)\s*,\s*'([^']*)'$/.exec(argument) ?? []
  const source = zoned ?? argument
  const [, unitName, counted] = /^([a-z]+)\s*\(\s*([^]*?)\s*\)$/.exec(source) ?? []
  const unit = EPOCH_UNITS.find((known) => known === unitName)
  const from = unit === undefined ? source : (counted ?? '')
  if (!isSource(from)) return undefined
  return {
    kind: 'part',
    column,
    part,
    from,
    ...(unit === undefined ? {} : { unit }),
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}

/** Returns true for text that can name a column: parentheses are part of a name only in quotes. */
function isSource(text: string): boolean {
  return text !== '' && !/[()]/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, ''))
}

/**
 * Returns why an expression is invalid, as the end of a sentence that begins with the option, or `undefined`
 * when it is valid.
 */
export function findDerivationFault(column: string, expression: string): string | undefined {
  const parsed = parseDerivation(column, expression)
  if (parsed === undefined)
    return `must be one of ${DERIVATION_FORMS}: value was ${JSON.stringify(expression)}`
  const zone = parsed.kind === 'part' ? parsed.timeZone : undefined
  return findSourcePathFault(parsed.from) ?? (zone === undefined ? undefined : findTimeZoneFault(zone))
}
