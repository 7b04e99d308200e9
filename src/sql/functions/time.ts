import { DAY_MICROS, civilOf, daysOf, floorDivide, isLeapYear } from '../../arrow/time.ts'
import {
  argumentAt,
  asDate,
  asInt,
  asText,
  asTimestamp,
  requireConstantText,
  requireArgumentCount,
  type SqlFunction,
} from './arguments.ts'
import type { SqlValue } from '../expression/ast.ts'
import { castTerm } from '../expression/cast.ts'
import { splitMicros } from '../expression/cast-time.ts'
import { SqlError } from '../expression/error.ts'
import { toSqlInteger } from '../expression/numbers.ts'
import { binaryTerm, constantTerm, strictTerm, unaryTerm, type Term } from '../expression/term.ts'
import { createTimeFormatter } from './time-pattern.ts'
import { isInteger, formatSqlType } from '../expression/types.ts'

const PER_DAY = BigInt(DAY_MICROS)

function dateFunction(compute: (days: number) => number): SqlFunction {
  return (args, name) =>
    unaryTerm('integer', asDate(argumentAt(requireArgumentCount(args, name, 1), 0), name), compute)
}

function timeOfDayFunction(compute: (micros: number) => number): SqlFunction {
  return (args, name) =>
    unaryTerm(
      'integer',
      asTimestamp(argumentAt(requireArgumentCount(args, name, 1), 0), name),
      (micros: bigint) => compute(splitMicros(micros).ofDay),
    )
}

/** Returns the weekday of a day, with Monday as 0; 1970-01-01 was a Thursday. */
function weekdayOf(days: number): number {
  return (((days + 3) % 7) + 7) % 7
}

function dayOfYear(days: number): number {
  return days - (daysOf(civilOf(days).year, 1, 1) as number) + 1
}

/** Returns the ISO 8601 week: it belongs to the year that contains its Thursday. */
function weekOfYear(days: number): number {
  return Math.floor((dayOfYear(days - weekdayOf(days) + 3) - 1) / 7) + 1
}

function requireDay(year: number, month: number, dayOfMonth: number): number {
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
  return requireDay(newYear, newMonth, Math.min(dayOfMonth, lastDay(newYear, newMonth)))
}

const DATE_UNITS: Readonly<Record<string, (days: number) => number>> = {
  WEEK: (days) => days - weekdayOf(days),
  MONTH: (days) => days - civilOf(days).day + 1,
  QUARTER: (days) => {
    const { year, month } = civilOf(days)
    return requireDay(year, month - ((month - 1) % 3), 1)
  },
  YEAR: (days) => requireDay(civilOf(days).year, 1, 1),
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
  const unit = requireConstantText(asText(term), name).toUpperCase()
  return UNIT_NAMES[unit] ?? unit
}

/** The function `date_trunc`; an unknown unit yields null, like in Spark. */
const dateTrunc: SqlFunction = (args, name) => {
  const unit = unitOf(argumentAt(requireArgumentCount(args, name, 2), 0), name)
  const time = castTerm(asTimestamp(argumentAt(args, 1), name), 'timestamp')
  const step = DAY_UNITS[unit]
  if (step !== undefined)
    return unaryTerm('timestamp', time, (micros: bigint) => floorDivide(micros, BigInt(step)) * BigInt(step))
  const round = unit === 'DAY' ? (days: number): number => days : DATE_UNITS[unit]
  if (round === undefined) return constantTerm('timestamp', null)
  return unaryTerm('timestamp', time, (micros: bigint) => BigInt(round(splitMicros(micros).days)) * PER_DAY)
}

/** The function `trunc` for dates and units of at least a week; any other unit yields null, like in Spark. */
const trunc: SqlFunction = (args, name) => {
  const date = asDate(argumentAt(requireArgumentCount(args, name, 2), 0), name)
  const round = DATE_UNITS[unitOf(argumentAt(args, 1), name)]
  return round === undefined ? constantTerm('date', null) : unaryTerm('date', date, round)
}

const dateFormat: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 2)
  const format = createTimeFormatter(requireConstantText(asText(argumentAt(args, 1)), name))
  return unaryTerm('string', castTerm(asTimestamp(argumentAt(args, 0), name), 'timestamp'), format)
}

function shiftDaysFunction(sign: 1 | -1): SqlFunction {
  return (args, name) => {
    requireArgumentCount(args, name, 2)
    const terms = [asDate(argumentAt(args, 0), name), asInt(argumentAt(args, 1), name)] as const
    return binaryTerm('date', ...terms, (days: number, count: number) => days + sign * count)
  }
}

function castFunctionTo(type: 'date' | 'timestamp' | 'timestamp_ntz'): SqlFunction {
  return (args, name) => castTerm(argumentAt(requireArgumentCount(args, name, 1), 0), type)
}

/** Returns the function that converts a number since the epoch to a timestamp; `factor` is its unit in microseconds. */
function fromEpochFunction(factor: bigint): SqlFunction {
  return (args, name) => {
    const arg = argumentAt(requireArgumentCount(args, name, 1), 0)
    if (!isInteger(arg.type)) throw new SqlError(`${name} of a ${formatSqlType(arg.type)} is not supported`)
    return unaryTerm('timestamp', castTerm(arg, 'long'), (value: bigint) =>
      toSqlInteger(value * factor, 'long'),
    )
  }
}

function toEpochFunction(divisor: bigint): SqlFunction {
  return (args, name) => {
    const arg = argumentAt(requireArgumentCount(args, name, 1), 0)
    if (arg.type !== 'timestamp')
      throw new SqlError(`${name} of a ${formatSqlType(arg.type)} is not supported`)
    return unaryTerm('long', arg, (micros: bigint) => floorDivide(micros, divisor))
  }
}

const currentDate: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 0)
  return clockTerm('date', (ms) => Math.floor(ms / 86_400_000))
}

const currentTimestamp: SqlFunction = (args, name) => {
  requireArgumentCount(args, name, 0)
  return clockTerm('timestamp', (ms) => BigInt(ms) * 1000n)
}

/** Returns a term for the current time at evaluation; it is not a constant. */
function clockTerm(type: 'date' | 'timestamp', compute: (ms: number) => SqlValue): Term {
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

/** Maps the date and timestamp functions by their names in capitals; all work in UTC. */
export const SQL_TIME_FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  YEAR: dateFunction((days) => civilOf(days).year),
  QUARTER: dateFunction((days) => Math.floor((civilOf(days).month - 1) / 3) + 1),
  MONTH: dateFunction((days) => civilOf(days).month),
  DAY: dateFunction((days) => civilOf(days).day),
  DAYOFMONTH: dateFunction((days) => civilOf(days).day),
  DAYOFYEAR: dateFunction(dayOfYear),
  DAYOFWEEK: dateFunction((days) => ((weekdayOf(days) + 1) % 7) + 1),
  WEEKDAY: dateFunction(weekdayOf),
  WEEKOFYEAR: dateFunction(weekOfYear),
  HOUR: timeOfDayFunction((micros) => Math.floor(micros / 3_600_000_000)),
  MINUTE: timeOfDayFunction((micros) => Math.floor(micros / 60_000_000) % 60),
  SECOND: timeOfDayFunction((micros) => Math.floor(micros / 1_000_000) % 60),
  DATE: castFunctionTo('date'),
  TO_DATE: castFunctionTo('date'),
  TIMESTAMP: castFunctionTo('timestamp'),
  TO_TIMESTAMP: castFunctionTo('timestamp'),
  DATE_FORMAT: dateFormat,
  DATE_TRUNC: dateTrunc,
  TRUNC: trunc,
  DATE_ADD: shiftDaysFunction(1),
  DATE_SUB: shiftDaysFunction(-1),
  DATEDIFF: (args, name) => {
    requireArgumentCount(args, name, 2)
    const terms = [asDate(argumentAt(args, 0), name), asDate(argumentAt(args, 1), name)] as const
    return binaryTerm('integer', ...terms, (end: number, start: number) => end - start)
  },
  ADD_MONTHS: (args, name) => {
    requireArgumentCount(args, name, 2)
    return binaryTerm('date', asDate(argumentAt(args, 0), name), asInt(argumentAt(args, 1), name), addMonths)
  },
  LAST_DAY: (args, name) =>
    unaryTerm('date', asDate(argumentAt(requireArgumentCount(args, name, 1), 0), name), (days: number) => {
      const { year, month } = civilOf(days)
      return requireDay(year, month, lastDay(year, month))
    }),
  MAKE_DATE: (args, name) =>
    strictTerm(
      'date',
      requireArgumentCount(args, name, 3).map((arg) => asInt(arg, name)),
      requireDay,
    ),
  TIMESTAMP_SECONDS: fromEpochFunction(1_000_000n),
  TIMESTAMP_MILLIS: fromEpochFunction(1000n),
  TIMESTAMP_MICROS: fromEpochFunction(1n),
  UNIX_SECONDS: toEpochFunction(1_000_000n),
  UNIX_MILLIS: toEpochFunction(1000n),
  UNIX_MICROS: toEpochFunction(1n),
  UNIX_DATE: dateFunction((days) => days),
  CURRENT_DATE: currentDate,
  CURDATE: currentDate,
  CURRENT_TIMESTAMP: currentTimestamp,
  NOW: currentTimestamp,
}
