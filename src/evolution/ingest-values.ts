import { formatDate, formatDateTime, parseDateTime } from '../arrow/time.ts'
import { type DataType, decimalOf } from '../core/schema.ts'

/** Says why a value cannot be converted to the type of its column, where the column would say something else. */
export class CoercionFault {
  /** Names the value that was expected, such as `hexadecimal text`. */
  readonly expected: string

  constructor(expected: string) {
    this.expected = expected
  }
}

/**
 * Converts a value of a message to the primitive type of its column. A value that cannot be converted is returned
 * unchanged, to be refused later, or as a `CoercionFault`.
 */
export type CoerceValue = (type: DataType, value: unknown) => unknown

/** Describes how ambiguous values are read. */
interface IngestCoercionRules {
  /** True when text for a binary column is hexadecimal, as in JSON for kafka-delta-ingest; otherwise it is base64. */
  readonly isHexadecimal: boolean
}

const WHOLE = /^[+-]?\d{1,39}$/
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/
const HEXADECIMAL = /^(?:[0-9a-fA-F]{2})*$/
const NO_ZONE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?$/
const DAY = /^\d{4}-\d\d-\d\d$/
const DAYS_MAX = 2_932_896
const DAYS_MIN = -719_528
const MICROS_PER_DAY = 86_400_000_000n

/**
 * Returns the conversion that kafka-delta-ingest applies: numbers also from text, dates also from days since the
 * epoch, timestamps also from microseconds since the epoch, timestamps without a zone as UTC. JSON text for string
 * columns is made elsewhere, and null stays null.
 */
export function createIngestCoercion({ isHexadecimal }: IngestCoercionRules): CoerceValue {
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
        return isHexadecimal ? bytesOf(value) : value
      default:
        return decimalOf(type) !== undefined && typeof value === 'string' ? value.replace(/^\+/, '') : value
    }
  }
}

/** Text that is not hexadecimal may still be valid base64, which the column would take for other bytes. */
function bytesOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return value
  if (typeof value !== 'string' || !HEXADECIMAL.test(value)) return new CoercionFault('hexadecimal text')
  return Buffer.from(value, 'hex')
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
    return days > DAYS_MIN && days <= DAYS_MAX ? formatDateTime(micros, zoned) : value
  }
  if (typeof value !== 'string') return value
  if (DAY.test(value)) return `${value}T00:00:00${zoned ? 'Z' : ''}`
  if (NO_ZONE.test(value)) return zoned ? `${value}Z` : value
  if (zoned) return value
  // Converted to UTC, since the column cannot hold the zone.
  const parsed = parseDateTime(value, true)
  return parsed === undefined
    ? value
    : formatDateTime(BigInt(parsed.days) * MICROS_PER_DAY + BigInt(parsed.micros), false)
}
