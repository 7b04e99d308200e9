import { DAY_MICROS, civilOf, daysOf, isLeapYear } from '../../arrow/time.ts'
import {
  argument,
  asDate,
  asInt,
  asText,
  asTimestamp,
  constantText,
  counted,
  type SqlFunction,
} from './arguments.ts'
import type { Value } from '../expression/ast.ts'
import { castTerm, floorDivide } from '../expression/cast.ts'
import { splitMicros } from '../expression/cast-time.ts'
import { SqlError } from '../expression/error.ts'
import { integerOf } from '../expression/numbers.ts'
import { binary, constantTerm, strict, unary, type Term } from '../expression/term.ts'
import { timeFormatter } from './time-pattern.ts'
import { isInteger, typeText } from '../expression/types.ts'

const PER_DAY = BigInt(DAY_MICROS)

function ofDate(compute: (days: number) => number): SqlFunction {
  return (args, name) => unary('integer', asDate(argument(counted(args, name, 1), 0), name), compute)
}

function ofDay(compute: (micros: number) => number): SqlFunction {
  return (args, name) =>
    unary('integer', asTimestamp(argument(counted(args, name, 1), 0), name), (micros: bigint) =>
      compute(splitMicros(micros).ofDay),
    )
}

/** Monday is 0. 1970-01-01 was a Thursday. */
function weekdayOf(days: number): number {
  return (((days + 3) % 7) + 7) % 7
}

function dayOfYear(days: number): number {
  return days - (daysOf(civilOf(days).year, 1, 1) as number) + 1
}

/** The week by ISO 8601: that of the year which holds its Thursday. */
function weekOfYear(days: number): number {
  return Math.floor((dayOfYear(days - weekdayOf(days) + 3) - 1) / 7) + 1
}

function day(year: number, month: number, dayOfMonth: number): number {
  const result = daysOf(year, month, dayOfMonth)
  if (result === undefined) throw new SqlError(`there is no day ${year}-${month}-${dayOfMonth}`)
  return result
}

function lastDay(year: number, month: number): number {
  return month === 2 ? (isLeapYear(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
}

function addMonths(days: number, months: number): number {
  const { year, month, day: dayOfMonth } = civilOf(days)
  const total = year * 12 + month - 1 + months
  const [newYear, newMonth] = [Math.floor(total / 12), (((total % 12) + 12) % 12) + 1]
  return day(newYear, newMonth, Math.min(dayOfMonth, lastDay(newYear, newMonth)))
}

const DATE_UNITS: Readonly<Record<string, (days: number) => number>> = {
  WEEK: (days) => days - weekdayOf(days),
  MONTH: (days) => days - civilOf(days).day + 1,
  QUARTER: (days) => {
    const { year, month } = civilOf(days)
    return day(year, month - ((month - 1) % 3), 1)
  },
  YEAR: (days) => day(civilOf(days).year, 1, 1),
}
const DAY_UNITS: Readonly<Record<string, number>> = {
  MICROSECOND: 1,
  MILLISECOND: 1000,
  SECOND: 1_000_000,
  MINUTE: 60_000_000,
  HOUR: 3_600_000_000,
}
const UNIT_NAMES: Readonly<Record<string, string>> = {
  MON: 'MONTH',
  MM: 'MONTH',
  YYYY: 'YEAR',
  YY: 'YEAR',
  DD: 'DAY',
}

function unitOf(term: Term, name: string): string {
  const unit = constantText(asText(term), name).toUpperCase()
  return UNIT_NAMES[unit] ?? unit
}

/** `date_trunc`: a unit that it does not know makes null, as in Spark. */
const dateTrunc: SqlFunction = (args, name) => {
  const unit = unitOf(argument(counted(args, name, 2), 0), name)
  const time = castTerm(asTimestamp(argument(args, 1), name), 'timestamp')
  const step = DAY_UNITS[unit]
  if (step !== undefined)
    return unary('timestamp', time, (micros: bigint) => floorDivide(micros, BigInt(step)) * BigInt(step))
  const round = unit === 'DAY' ? (days: number): number => days : DATE_UNITS[unit]
  if (round === undefined) return constantTerm('timestamp', null)
  return unary('timestamp', time, (micros: bigint) => BigInt(round(splitMicros(micros).days)) * PER_DAY)
}

/** `trunc`: of a date, by units from the week on; any other makes null, as in Spark. */
const trunc: SqlFunction = (args, name) => {
  const date = asDate(argument(counted(args, name, 2), 0), name)
  const round = DATE_UNITS[unitOf(argument(args, 1), name)]
  return round === undefined ? constantTerm('date', null) : unary('date', date, round)
}

const dateFormat: SqlFunction = (args, name) => {
  counted(args, name, 2)
  const format = timeFormatter(constantText(asText(argument(args, 1)), name))
  return unary('string', castTerm(asTimestamp(argument(args, 0), name), 'timestamp'), format)
}

function shift(sign: 1 | -1): SqlFunction {
  return (args, name) => {
    counted(args, name, 2)
    const terms = [asDate(argument(args, 0), name), asInt(argument(args, 1), name)] as const
    return binary('date', ...terms, (days: number, count: number) => days + sign * count)
  }
}

function converting(type: 'date' | 'timestamp' | 'timestamp_ntz'): SqlFunction {
  return (args, name) => castTerm(argument(counted(args, name, 1), 0), type)
}

/** Seconds, milliseconds or microseconds since the epoch as a timestamp. */
function fromEpoch(factor: bigint): SqlFunction {
  return (args, name) => {
    const arg = argument(counted(args, name, 1), 0)
    if (!isInteger(arg.type)) throw new SqlError(`${name} of a ${typeText(arg.type)} is not supported`)
    return unary('timestamp', castTerm(arg, 'long'), (value: bigint) => integerOf(value * factor, 'long'))
  }
}

function toEpoch(divisor: bigint): SqlFunction {
  return (args, name) => {
    const arg = argument(counted(args, name, 1), 0)
    if (arg.type !== 'timestamp') throw new SqlError(`${name} of a ${typeText(arg.type)} is not supported`)
    return unary('long', arg, (micros: bigint) => floorDivide(micros, divisor))
  }
}

const currentDate: SqlFunction = (args, name) => {
  counted(args, name, 0)
  return now('date', (ms) => Math.floor(ms / 86_400_000))
}

const currentTimestamp: SqlFunction = (args, name) => {
  counted(args, name, 0)
  return now('timestamp', (ms) => BigInt(ms) * 1000n)
}

/** What the clock says when the rows are evaluated; no constant. */
function now(type: 'date' | 'timestamp', compute: (ms: number) => Value): Term {
  return {
    type,
    constant: undefined,
    literal: false,
    bind: ({ nowMs }) => {
      const value = compute(nowMs)
      return () => value
    },
  }
}

/** Functions of dates and timestamps, by their names in capitals; all in UTC. */
export const TIME_FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  YEAR: ofDate((days) => civilOf(days).year),
  QUARTER: ofDate((days) => Math.floor((civilOf(days).month - 1) / 3) + 1),
  MONTH: ofDate((days) => civilOf(days).month),
  DAY: ofDate((days) => civilOf(days).day),
  DAYOFMONTH: ofDate((days) => civilOf(days).day),
  DAYOFYEAR: ofDate(dayOfYear),
  DAYOFWEEK: ofDate((days) => ((weekdayOf(days) + 1) % 7) + 1),
  WEEKDAY: ofDate(weekdayOf),
  WEEKOFYEAR: ofDate(weekOfYear),
  HOUR: ofDay((micros) => Math.floor(micros / 3_600_000_000)),
  MINUTE: ofDay((micros) => Math.floor(micros / 60_000_000) % 60),
  SECOND: ofDay((micros) => Math.floor(micros / 1_000_000) % 60),
  DATE: converting('date'),
  TO_DATE: converting('date'),
  TIMESTAMP: converting('timestamp'),
  TO_TIMESTAMP: converting('timestamp'),
  DATE_FORMAT: dateFormat,
  DATE_TRUNC: dateTrunc,
  TRUNC: trunc,
  DATE_ADD: shift(1),
  DATE_SUB: shift(-1),
  DATEDIFF: (args, name) => {
    counted(args, name, 2)
    const terms = [asDate(argument(args, 0), name), asDate(argument(args, 1), name)] as const
    return binary('integer', ...terms, (end: number, start: number) => end - start)
  },
  ADD_MONTHS: (args, name) => {
    counted(args, name, 2)
    return binary('date', asDate(argument(args, 0), name), asInt(argument(args, 1), name), addMonths)
  },
  LAST_DAY: (args, name) =>
    unary('date', asDate(argument(counted(args, name, 1), 0), name), (days: number) => {
      const { year, month } = civilOf(days)
      return day(year, month, lastDay(year, month))
    }),
  MAKE_DATE: (args, name) =>
    strict(
      'date',
      counted(args, name, 3).map((arg) => asInt(arg, name)),
      day,
    ),
  TIMESTAMP_SECONDS: fromEpoch(1_000_000n),
  TIMESTAMP_MILLIS: fromEpoch(1000n),
  TIMESTAMP_MICROS: fromEpoch(1n),
  UNIX_SECONDS: toEpoch(1_000_000n),
  UNIX_MILLIS: toEpoch(1000n),
  UNIX_MICROS: toEpoch(1n),
  UNIX_DATE: ofDate((days) => days),
  CURRENT_DATE: currentDate,
  CURDATE: currentDate,
  CURRENT_TIMESTAMP: currentTimestamp,
  NOW: currentTimestamp,
}
