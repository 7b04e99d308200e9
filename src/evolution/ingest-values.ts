import { formatDate, formatDateTime, parseDateTime } from '../arrow/time.ts'
import { type DataType, decimalOf } from '../core/schema.ts'

/** A value of a message as a column of a primitive type takes it; what cannot be made to fit is left as it is, to be refused. */
export type Coerce = (type: DataType, value: unknown) => unknown

/** How values are read that have no one reading. */
export interface IngestValueRules {
  /** Whether text for a binary column is hexadecimal, as in JSON there; base64 otherwise. */
  readonly hexadecimal: boolean
}

const WHOLE = /^[+-]?\d{1,39}$/
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/
const HEXADECIMAL = /^(?:[0-9a-fA-F]{2})*$/
const NO_ZONE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?$/
const DAY = /^\d{4}-\d\d-\d\d$/
const DAYS_MAX = 2_932_896
const DAYS_MIN = -719_528
const MICROS_PER_DAY = 86_400_000_000n

/**
 * Values as kafka-delta-ingest puts them into the columns of a table: numbers also from their text, dates also from days and
 * timestamps also from microseconds since the epoch, timestamps without a zone in UTC. Strings take any value as JSON text,
 * which is done elsewhere, and null stays null.
 */
export function ingestValues({ hexadecimal }: IngestValueRules): Coerce {
  return (type, value) => {
    switch (type) {
      case 'byte':
      case 'short':
      case 'integer':
      case 'long':
        return typeof value === 'string' && WHOLE.test(value) ? wholeOf(value) : value
      case 'float':
      case 'double':
        return typeof value === 'string' && NUMBER.test(value) ? Number(value) : value
      case 'date':
        return dateOf(value)
      case 'timestamp':
      case 'timestamp_ntz':
        return timestampOf(value, type === 'timestamp')
      case 'binary':
        return hexadecimal && typeof value === 'string' && HEXADECIMAL.test(value)
          ? Buffer.from(value, 'hex')
          : value
      default:
        return decimalOf(type) !== undefined && typeof value === 'string' ? value.replace(/^\+/, '') : value
    }
  }
}

function wholeOf(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text.replace(/^\+/, ''))
}

function dateOf(value: unknown): unknown {
  const isDay = typeof value === 'number' && Number.isInteger(value) && value >= DAYS_MIN && value <= DAYS_MAX
  return isDay ? formatDate(value) : value
}

function timestampOf(value: unknown, zoned: boolean): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) {
    const micros = BigInt(value)
    const days = micros / MICROS_PER_DAY
    return days > DAYS_MIN && days < DAYS_MAX ? formatDateTime(micros, zoned) : value
  }
  if (typeof value !== 'string') return value
  if (DAY.test(value)) return `${value}T00:00:00${zoned ? 'Z' : ''}`
  if (NO_ZONE.test(value)) return zoned ? `${value}Z` : value
  if (zoned) return value
  // In UTC, since the column has no place for the zone.
  const parsed = parseDateTime(value, true)
  return parsed === undefined
    ? value
    : formatDateTime(BigInt(parsed.days) * MICROS_PER_DAY + BigInt(parsed.micros), false)
}
