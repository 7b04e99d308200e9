import { decimalText } from '../../arrow/decimal.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { decimalOf, type DataType } from '../../core/schema.ts'

/**
 * A `PartitionValue` is a parsed value of a partition column: long and timestamps (microseconds since the epoch) as
 * bigint, decimals as the bigint of their unscaled digits, dates as days since the epoch, smaller numbers as number,
 * binary as bytes.
 */
export type PartitionValue = string | number | bigint | boolean | Uint8Array | null

const MICROS_PER_SECOND = 1_000_000n
const DAY_MS = 86_400_000

/**
 * Serialises a JSON-like value (dates and timestamps as ISO 8601 text, decimals as text, long as number or bigint,
 * binary as base64) for `add.partitionValues`. An empty string becomes null, because the format cannot distinguish
 * them. Timestamps are ISO 8601 in UTC, as the specification recommends. Spec: "Partition Value Serialization".
 * @throws KD_RECORD_NOT_FITTING if the value does not match the type
 */
export function serialisePartitionValue(value: unknown, type: DataType): string | null {
  if (value === null || value === undefined || value === '') return null
  const text = textOf(value, type)
  if (text !== undefined) return text
  throw new PipelineError(
    'KD_RECORD_NOT_FITTING',
    `a partition value of JavaScript type ${typeof value} does not fit ${JSON.stringify(type)}`,
  )
}

/**
 * Parses a value of `add.partitionValues`; an empty string is null. Timestamps without a zone are read as UTC, because
 * the log does not record the zone of their writer. Spec: "Partition Value Serialization".
 * @throws KD_TABLE_CORRUPT if the text does not match the type
 */
export function parsePartitionValue(text: string | null, type: DataType): PartitionValue {
  if (text === null || text === '') return null
  let value: PartitionValue | undefined
  try {
    value = parse(text, type)
  } catch (cause) {
    throw notParsed(text, type, messageOf(cause))
  }
  if (value === undefined) throw notParsed(text, type, 'wrong format')
  return value
}

function textOf(value: unknown, type: DataType): string | undefined {
  const text = typeof value === 'string' ? value : undefined
  const decimal = decimalOf(type)
  if (decimal !== undefined) {
    const unscaled = parseDecimal(text ?? (typeof value === 'number' ? String(value) : ''), decimal.scale)
    return unscaled === undefined ? undefined : decimalText(unscaled, decimal.scale)
  }
  switch (type) {
    case 'string':
      return text?.isWellFormed() === true ? text : undefined
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : undefined
    case 'float':
    case 'double':
      if (text !== undefined) return FLOAT_WORDS.has(text) ? text : undefined
      return typeof value === 'number' ? floatText(value) : undefined
    case 'date': {
      const days = parseDate(text ?? '')
      return days === undefined ? undefined : isoDateOf(days)
    }
    case 'timestamp':
    case 'timestamp_ntz': {
      const micros = parseTimestamp(text ?? '')
      if (micros === undefined) return undefined
      return type === 'timestamp' ? `${isoTimestampOf(micros, 'T')}Z` : isoTimestampOf(micros, ' ')
    }
    case 'binary':
      return text === undefined ? undefined : utf8(Buffer.from(text, 'base64'))
    default:
      return undefined
  }
}

/** Texts of doubles that JSON has no number for. */
const FLOAT_WORDS: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity'])

/** Readers disagree about bytes that are not valid UTF-8, so such bytes are refused. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parse(text: string, type: DataType): PartitionValue | undefined {
  const decimal = decimalOf(type)
  if (decimal !== undefined) return parseDecimal(text, decimal.scale)
  switch (type) {
    case 'string':
      return text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'long':
      return integer(text, 64)
    case 'integer':
    case 'short':
    case 'byte': {
      const value = integer(text, type === 'integer' ? 32 : type === 'short' ? 16 : 8)
      return value === undefined ? undefined : Number(value)
    }
    case 'float':
    case 'double':
      return text === 'NaN' || !Number.isNaN(Number(text)) ? Number(text) : undefined
    case 'date':
      return parseDate(text)
    case 'timestamp':
      return parseTimestamp(text)
    case 'timestamp_ntz': {
      // A column that was widened from date keeps date values in the log. Spec: "Type Widening".
      const days = parseDate(text)
      return days === undefined ? parseTimestamp(text) : BigInt(days) * 86_400n * MICROS_PER_SECOND
    }
    case 'binary':
      return new TextEncoder().encode(text)
    default:
      return undefined
  }
}

/** Parses a whole number that fits into `bits` bits. */
function integer(text: string, bits: number): bigint | undefined {
  if (!/^[+-]?\d{1,20}$/.test(text)) return undefined
  const value = BigInt(text.replace('+', ''))
  return BigInt.asIntN(bits, value) === value ? value : undefined
}

/** Formats a double as Java does: a whole number keeps its `.0`, so that all writers use the same text for a value. */
function floatText(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

/**
 * Formats days since the epoch as an ISO date such as `2026-01-31`; years beyond four digits use as many digits as
 * needed.
 */
export function isoDateOf(days: number): string {
  const iso = new Date(days * DAY_MS).toISOString()
  return iso.slice(0, iso.indexOf('T')).replace(/^\+0*/, '')
}

/**
 * Formats microseconds since the epoch as `2026-01-31T12:00:00`. With `needed`, six fraction digits are added only if
 * there is a fraction.
 */
export function isoTimestampOf(
  micros: bigint,
  separator: ' ' | 'T',
  fraction: 'always' | 'needed' = 'needed',
): string {
  let [seconds, rest] = [micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND]
  if (rest < 0n) [seconds, rest] = [seconds - 1n, rest + MICROS_PER_SECOND]
  const days = Math.floor(Number(seconds) / 86_400)
  const time = new Date((Number(seconds) - days * 86_400) * 1000).toISOString().slice(11, 19)
  const digits = fraction === 'always' || rest !== 0n ? `.${rest.toString().padStart(6, '0')}` : ''
  return `${isoDateOf(days)}${separator}${time}${digits}`
}

function parseDecimal(text: string, scale: number): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const shift = scale - fraction.length + Number(exponent)
  const digits = BigInt(whole + fraction)
  const unscaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
  if (shift < 0 && unscaled * 10n ** BigInt(-shift) !== digits) return undefined
  return sign === '-' ? -unscaled : unscaled
}

function parseDate(text: string): number | undefined {
  const match = /^(-?\d{4,6})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  const days = date.getTime() / DAY_MS
  return Number.isInteger(days) ? days : undefined
}

function parseTimestamp(text: string): bigint | undefined {
  const match = /^(\S+?)[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  const [, date = '', hours, minutes, seconds = '0', fraction = '', zone = 'Z'] = match ?? []
  const days = parseDate(date)
  if (days === undefined) return undefined
  const ofDay = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) - zoneSeconds(zone)
  return (
    (BigInt(days) * 86_400n + BigInt(ofDay)) * MICROS_PER_SECOND + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
  )
}

function zoneSeconds(zone: string): number {
  if (zone === 'Z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  return sign * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60)
}

function notParsed(text: string, type: DataType, detail: string): PipelineError {
  const message = `the partition value ${JSON.stringify(text)} is not a valid ${JSON.stringify(type)}: ${detail}`
  return new PipelineError('KD_TABLE_CORRUPT', message)
}
