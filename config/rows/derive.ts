import { timeZoneFault } from './time-zone.ts'

/** Parts that can be derived from a point in time. */
export const DATE_PARTS = ['year', 'month', 'day', 'hour', 'date'] as const

/** A part of a point in time. */
export type DatePart = (typeof DATE_PARTS)[number]

/** What a number counts since the epoch. */
export const EPOCH_UNITS = ['seconds', 'millis', 'micros'] as const

/** Units since the epoch. */
export type EpochUnit = (typeof EPOCH_UNITS)[number]

/** Buckets that rows may be dealt to at most. */
export const BUCKETS_MAX = 1_000_000

/** Characters, or the distance of numbers, that values may be cut to at most. */
export const WIDTH_MAX = 1_000_000_000

/** A column of which every value follows from that of the column `from`, a dotted path. */
export type Derivation =
  | {
      readonly kind: 'part'
      readonly column: string
      readonly part: DatePart
      readonly from: string
      /** What the numbers of `from` count; absent where `from` holds dates, timestamps or their text. */
      readonly unit?: EpochUnit
      /** IANA name of the zone whose calendar and clock count; UTC where absent. */
      readonly timeZone?: string
    }
  | { readonly kind: 'bucket'; readonly column: string; readonly from: string; readonly buckets: number }
  | { readonly kind: 'truncate'; readonly column: string; readonly from: string; readonly width: number }

/** How every derivation is written, for messages. */
export const DERIVATION_FORMS =
  "year(c), month(c), day(c), hour(c) or date(c), each also with a time zone: date(c, 'Europe/Berlin'), and with millis(c), seconds(c) or micros(c) for c where it counts since the epoch; bucket(c, 16); truncate(c, 4)"

/** Reads an expression such as `date(timestamp, 'Europe/Berlin')`; `undefined` when it is none. The time zone is not looked up. */
export function parseDerivation(column: string, expression: string): Derivation | undefined {
  const [, name = '', argument = ''] = /^\s*([a-z]+)\s*\(\s*(\S[^]*?)\s*\)\s*$/.exec(expression) ?? []
  if (name === 'bucket' || name === 'truncate') {
    const [, from, digits] = /^([^()]*?)\s*,\s*(\d{1,10})$/.exec(argument) ?? []
    const number = Number(digits)
    const max = name === 'bucket' ? BUCKETS_MAX : WIDTH_MAX
    if (from === undefined || from === '' || !(number >= 1 && number <= max)) return undefined
    return name === 'bucket'
      ? { kind: name, column, from, buckets: number }
      : { kind: name, column, from, width: number }
  }
  const part = DATE_PARTS.find((known) => known === name)
  if (part === undefined) return undefined
  const [, zoned, timeZone] = /^([^]*?)\s*,\s*'([^']*)'$/.exec(argument) ?? []
  const source = zoned ?? argument
  const [, unitName, counted] = /^([a-z]+)\s*\(\s*([^()]*?)\s*\)$/.exec(source) ?? []
  const unit = EPOCH_UNITS.find((known) => known === unitName)
  const from = unit === undefined ? source : (counted ?? '')
  if (from === '' || /[()]/.test(from)) return undefined
  return {
    kind: 'part',
    column,
    part,
    from,
    ...(unit === undefined ? {} : { unit }),
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}

/** What is wrong with an expression, as the end of a sentence that begins with the option; `undefined` when nothing is. */
export function derivationFault(column: string, expression: string): string | undefined {
  const parsed = parseDerivation(column, expression)
  if (parsed === undefined)
    return `must be one of ${DERIVATION_FORMS}: value was ${JSON.stringify(expression)}`
  return parsed.kind === 'part' && parsed.timeZone !== undefined ? timeZoneFault(parsed.timeZone) : undefined
}
