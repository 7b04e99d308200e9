import { decimalText } from '../../arrow/decimal.ts'
import { formatDate, formatDateTime } from '../../arrow/time.ts'
import { Exact } from '../../core/exact.ts'
import type { AvroLogical } from './schema.ts'

/** What an int is in a row. */
export function intValue(logical: AvroLogical | undefined): (int: number) => unknown {
  return logical?.name === 'date' ? formatDate : (int) => int
}

/** What a long is in a row: ISO 8601 text where it is a time. */
export function longValue(logical: AvroLogical | undefined): (long: number | bigint) => unknown {
  if (logical === undefined || !isTimestamp(logical)) return (long) => long
  const zoned = isZoned(logical)
  const perUnit = microsOf(logical)
  return (long) => formatDateTime(BigInt(long) * perUnit, zoned)
}

/** What bytes are in a row: base64 where nothing else is said. */
export function bytesValue(logical: AvroLogical | undefined): (bytes: Buffer) => unknown {
  if (logical?.name === 'decimal') {
    const { scale } = logical
    return (bytes) => new Exact(decimalText(unscaledOf(bytes), scale))
  }
  if (logical?.name === 'uuid') {
    return (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
  return (bytes) => bytes.toString('base64')
}

/** Whether a logical type is an instant or a local time of a day. */
export function isTimestamp({ name }: AvroLogical): boolean {
  return name.includes('timestamp-')
}

/** Whether a timestamp is an instant, and not what a clock somewhere shows. */
export function isZoned({ name }: AvroLogical): boolean {
  return !name.startsWith('local-')
}

/** Microseconds in the unit of a timestamp. */
export function microsOf({ name }: AvroLogical): bigint {
  return name.endsWith('millis') ? 1000n : 1n
}

/** Two's complement, big end first; no bytes are zero. */
function unscaledOf(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}
