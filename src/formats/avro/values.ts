import { decimalText } from '../../arrow/decimal.ts'
import { formatDate, formatDateTime } from '../../arrow/time.ts'
import { ExactNumber } from '../../core/exact.ts'
import type { AvroLogical } from './schema.ts'

/** Returns a function that converts an int to its value in a row. */
export function intConverter(logical: AvroLogical | undefined): (int: number) => unknown {
  return logical?.name === 'date' ? formatDate : (int) => int
}

/**
 * Returns a function that converts a long to its value in a row: ISO 8601 text for a timestamp, otherwise the number.
 */
export function longConverter(logical: AvroLogical | undefined): (long: number | bigint) => unknown {
  if (logical === undefined || !isTimestamp(logical)) return (long) => long
  const zoned = isZoned(logical)
  const perUnit = microsPerUnitOf(logical)
  return (long) => formatDateTime(BigInt(long) * perUnit, zoned)
}

/** Returns a function that converts bytes to their value in a row: base64 without a logical type. */
export function bytesConverter(logical: AvroLogical | undefined): (bytes: Buffer) => unknown {
  if (logical?.name === 'decimal') {
    const { scale } = logical
    return (bytes) => new ExactNumber(decimalText(unscaledOf(bytes), scale))
  }
  if (logical?.name === 'uuid') {
    return (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
  return (bytes) => bytes.toString('base64')
}

/** Returns true when a logical type is a timestamp, with or without a time zone. */
export function isTimestamp({ name }: AvroLogical): boolean {
  return name.includes('timestamp-')
}

/** Returns true when a timestamp is an instant and not a local time. */
export function isZoned({ name }: AvroLogical): boolean {
  return !name.startsWith('local-')
}

/** Returns the microseconds in one unit of a timestamp. */
function microsPerUnitOf({ name }: AvroLogical): bigint {
  return name.endsWith('millis') ? 1000n : 1n
}

/** Decodes a big-endian two's complement number; no bytes are zero. */
function unscaledOf(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}
