import { DAY_MICROS, civilOf, parseDate, parseDateTime } from '../arrow/time.ts'
import { FixedBuilder } from '../arrow/fixed-builder.ts'
import { longAt, textAt } from '../arrow/values.ts'
import { isNull, type Column, type FixedColumn } from '../arrow/column.ts'
import type { DatePart, Derivation, EpochUnit } from '../../config/rows/derive.ts'
import type { DataType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'
import type { SourceColumn } from './source-column.ts'
import { ZoneOffsets } from './time-zone.ts'

const DAY_S = 86_400

/**
 * 0000-01-01 and 10000-01-01 in seconds since the epoch. Partition values beyond have no text that all readers
 * accept.
 */
const SECONDS_MIN = -719_528 * DAY_S
const SECONDS_END = 2_932_897 * DAY_S

const TIMES: readonly DataType[] = ['timestamp', 'timestamp_ntz', 'date', 'string']
const ZONED: readonly DataType[] = ['timestamp', 'string']
const NUMBERS: readonly DataType[] = ['integer', 'long', 'double']

/** Number of units in one second. */
const PER_SECOND: Readonly<Record<EpochUnit, number>> = { seconds: 1, millis: 1000, micros: 1_000_000 }

type PartDerivation = Extract<Derivation, { kind: 'part' }>

/**
 * Returns the accepted source types as the end of "expected …" when a column of this type cannot be the source of a
 * date part, otherwise `undefined`.
 */
export function datePartSourceFault({ unit, timeZone }: PartDerivation, type: DataType): string | undefined {
  if (unit !== undefined) return NUMBERS.includes(type) ? undefined : 'an integer, long or double column'
  if (timeZone === undefined) return TIMES.includes(type) ? undefined : 'a date, timestamp or string column'
  return ZONED.includes(type)
    ? undefined
    : 'a timestamp or string column, because other types have no time zone'
}

/**
 * Returns an enrichment that adds a date part, or null when the source is null: `date` is a date, all others are
 * integers. Text is ISO 8601. Text without a time zone is taken as UTC, and a date alone is the same date in every
 * zone. Rows whose text is not a time, or whose time is outside the years 0 to 9999, are rejected.
 */
export function datePartColumn(name: string, derivation: PartDerivation, source: SourceColumn): Enrichment {
  const { part, from, unit, timeZone } = derivation
  const zone = timeZone === undefined ? undefined : new ZoneOffsets(timeZone)
  const type = part === 'date' ? 'date' : 'integer'
  const builder = new FixedBuilder(type)
  return {
    fields: [{ name, type, nullable: true, metadata: {} }],
    columns: (rows, reject) => {
      const column = source.columnOf(rows)
      const clock = column === undefined ? undefined : localSecondsOf(column, unit, zone)
      for (let row = 0; row < rows.columns.length; row++) {
        if (column === undefined || clock === undefined || isNull(column, row)) {
          builder.appendNull()
          continue
        }
        const seconds = clock(row)
        if (seconds >= SECONDS_MIN && seconds < SECONDS_END) builder.appendNumber(partOf(seconds, part))
        else {
          reject(
            row,
            `${name}: expected ${expectedIn(column, seconds)} in ${from}, got ${shown(column, row)}`,
          )
          builder.appendNull()
        }
      }
      return [builder.finish()]
    },
  }
}

/**
 * Returns the local time of a row as if it were UTC, in seconds since the epoch, or `NaN` when the value is not a
 * time.
 */
type LocalSeconds = (row: number) => number

function localSecondsOf(
  column: Column,
  unit: EpochUnit | undefined,
  zone: ZoneOffsets | undefined,
): LocalSeconds | undefined {
  const local = zone === undefined ? (utc: number) => utc : (utc: number) => utc + zone.at(utc)
  if (column.kind === 'bytes' && column.type === 'string')
    return (row) => textSeconds(textAt(column, row), local)
  if (column.kind !== 'fixed') return undefined
  const { type, values } = column
  if (unit !== undefined && NUMBERS.includes(type)) {
    const per = PER_SECOND[unit]
    return (row) => {
      const value = column.words === 2 ? Number(longAt(values, row)) : (values[row] as number)
      const seconds = Math.floor(value / per)
      return seconds >= SECONDS_MIN && seconds < SECONDS_END ? local(seconds) : NaN
    }
  }
  if (type === 'date') return (row) => (values[row] as number) * DAY_S
  if (type === 'timestamp_ntz') return (row) => secondsAt(column, row)
  return type === 'timestamp' ? (row) => local(secondsAt(column, row)) : undefined
}

function textSeconds(text: string, local: (utc: number) => number): number {
  const days = parseDate(text)
  if (days !== undefined) return days * DAY_S
  const time = parseDateTime(text, true) ?? parseDateTime(text, false)
  return time === undefined ? NaN : local(time.days * DAY_S + Math.floor(time.micros / 1_000_000))
}

function partOf(seconds: number, part: DatePart): number {
  const days = Math.floor(seconds / DAY_S)
  switch (part) {
    case 'date':
      return days
    case 'hour':
      return Math.floor((seconds - days * DAY_S) / 3600)
    default:
      return civilOf(days)[part]
  }
}

/** Text that is not a time has no seconds; any other value is a time that is out of range. */
function expectedIn({ kind }: Column, seconds: number): string {
  if (kind === 'bytes' && Number.isNaN(seconds))
    return 'an ISO 8601 date, or date and time, of the years 0 to 9999'
  return 'a time within the years 0 to 9999'
}

const SHOWN_MAX = 64

/** Formats a value for a message. */
function shown(column: Column, row: number): string {
  if (column.kind === 'bytes') return JSON.stringify(textAt(column, row).slice(0, SHOWN_MAX))
  if (column.kind !== 'fixed') return `a ${column.kind}`
  return String(column.words === 2 ? longAt(column.values, row) : column.values[row])
}

/** Returns the seconds since the epoch of a column in microseconds, rounded down. */
function secondsAt({ values }: FixedColumn, row: number): number {
  const high = values[row * 2 + 1] as number
  // Within about 142 years of the epoch a double holds the microseconds exactly.
  if (high >= -HIGH_MAX && high < HIGH_MAX)
    return Math.floor((high * 4_294_967_296 + ((values[row * 2] as number) >>> 0)) / 1_000_000)
  const micros = longAt(values, row)
  const days = Number(micros / BigInt(DAY_MICROS))
  return days * DAY_S + Math.floor(Number(micros - BigInt(days) * BigInt(DAY_MICROS)) / 1_000_000)
}

const HIGH_MAX = 2 ** 20
