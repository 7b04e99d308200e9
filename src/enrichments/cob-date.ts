import { RE2JS } from 're2js'
import {
  isCobDateInPlace,
  parseCobSource,
  type CobDateConfig,
  type CobFormat,
  type CobSource,
} from '../../config/rows/cob-date.ts'
import { FixedBuilder } from '../arrow/fixed-builder.ts'
import type { Rows } from '../arrow/rows.ts'
import { formatDate, parseDate } from '../arrow/time.ts'
import { valueAt } from '../arrow/values.ts'
import { PipelineError } from '../core/errors.ts'
import { headerValuesOf, isKafkaTimestamp, keyOf } from '../core/raw.ts'
import { typeName, type DataType, type StructType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'
import { findSourceColumn } from './source-column.ts'
import { ZoneOffsets } from './time-zone.ts'

/** Longest text that is searched for a date, in characters. */
const TEXT_CHARACTERS_MAX = 1024

const DAY_S = 86_400

/** Column types that can hold the date. Numbers are read by their digits. */
const SOURCES: readonly DataType[] = ['string', 'date', 'integer', 'long']

/** Describes the rule that the date of a record violates, and the reason. */
interface RuleViolation {
  readonly rule: 'missing' | 'length' | 'pattern' | 'format' | 'clock' | 'future' | 'daysBack'
  readonly detail: string
}

/** The date of a record in days since the epoch, or the rule it violates. */
type DateOrViolation = number | RuleViolation

/**
 * Returns an enrichment that adds the close-of-business date of each row. The date comes from the value, the key or a
 * header. It must match its format exactly, must not be after the day of the record's Kafka timestamp, and must not
 * be too long before it, as configured. Rows that violate a rule are rejected with the name of the rule. When the
 * date already is the requested column, no column is added and rows are only checked. Returns `undefined` when no
 * such date is configured.
 * @throws KD_CONFIG_INVALID when `schema` has no column at that path, or one that holds no date
 */
export function cobDateColumn(config: CobDateConfig, schema: StructType): Enrichment | undefined {
  const source = config.from === undefined ? undefined : parseCobSource(config.from)
  if (source === undefined) return undefined
  const fault = cobDateFault(config, schema)
  if (fault !== undefined) throw new PipelineError('KD_CONFIG_INVALID', `cobDate.from: ${fault}`)
  const { column: name, from = '' } = config
  const textOf = textsOf(source, schema)
  const dateOf = dateReader(config)
  const limits = limitsOf(config)
  const inPlace = isCobDateInPlace(config)
  const builder = new FixedBuilder('date')
  return {
    fields: inPlace ? [] : [{ name, type: 'date', nullable: true, metadata: {} }],
    columns: (rows, reject) => {
      const text = textOf(rows)
      for (let row = 0; row < rows.columns.length; row++) {
        const found = text(row)
        const dated = found === undefined ? missingViolation(from) : dateOf(found)
        const timestampMs = rows.raw.timestampsMs[rows.records[row] as number] as number
        const broken = typeof dated === 'number' ? limits(dated, timestampMs) : dated
        if (broken !== undefined)
          reject(row, `${name} from ${from} breaks the rule ${broken.rule}: ${broken.detail}`)
        builder.appendNumber(broken === undefined ? (dated as number) : 0)
      }
      const column = builder.finish()
      return inPlace ? [] : [column]
    },
  }
}

/** Returns the reason why the source column of `schema` cannot hold the date, or `undefined` when it can. */
export function cobDateFault({ from = '' }: CobDateConfig, schema: StructType): string | undefined {
  const source = parseCobSource(from)
  if (source?.kind !== 'value') return undefined
  const column = findSourceColumn(schema, source.path)
  if (column !== undefined && SOURCES.includes(column.type)) return undefined
  const got = column === undefined ? 'but there is none' : `but it is ${typeName(column.type)}`
  return `expected a column ${source.path} of type string, date, integer or long, ${got}`
}

function missingViolation(from: string): RuleViolation {
  return { rule: 'missing', detail: `${from} is missing` }
}

/** Returns the source text of a row, or `undefined` when the row has none. */
function textsOf(source: CobSource, schema: StructType): (rows: Rows) => (row: number) => string | undefined {
  switch (source.kind) {
    case 'key':
      return ({ raw, records }) =>
        (row) =>
          textOfBytes(keyOf(raw, records[row] as number))
    case 'header':
      return ({ raw, records }) =>
        (row) => {
          const values = headerValuesOf(raw.headers?.[records[row] as number], source.name)
          // Of several headers with one name the last counts, as for Kafka consumers.
          return textOfBytes(values.at(-1) ?? undefined)
        }
    case 'value': {
      const column = findSourceColumn(schema, source.path)
      if (column === undefined) throw new Error(`Broken invariant: no column ${source.path}`)
      return (rows) => {
        const values = column.columnOf(rows)
        return (row) => {
          const value = values === undefined ? null : valueAt(values, row)
          return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
            ? String(value)
            : undefined
        }
      }
    }
  }
}

/** A UTF-16 unit takes at most three bytes, so one extra character is enough to detect that the text is too long. */
function textOfBytes(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined
    ? undefined
    : Buffer.from(bytes.subarray(0, 3 * TEXT_CHARACTERS_MAX + 3)).toString()
}

function dateReader({ pattern, format }: CobDateConfig): (text: string) => DateOrViolation {
  const compiled = pattern === undefined ? undefined : RE2JS.compile(pattern)
  const read = (text: string): DateOrViolation => {
    if (text.length > TEXT_CHARACTERS_MAX)
      return { rule: 'length', detail: `expected at most ${TEXT_CHARACTERS_MAX} characters, got more` }
    let date = text
    if (compiled !== undefined) {
      const matcher = compiled.matcher(text)
      if (!matcher.find()) return { rule: 'pattern', detail: `${shown(text)} does not match the pattern` }
      date = matcher.group(matcher.groupCount() > 0 ? 1 : 0) ?? ''
    }
    return (
      daysOfText(date, format) ?? { rule: 'format', detail: `expected a date ${format}, got ${shown(date)}` }
    )
  }
  // Consecutive records usually have the same date.
  let last: { readonly text: string; readonly dated: DateOrViolation } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, dated: read(text) }
    return last.dated
  }
}

function daysOfText(text: string, format: CobFormat): number | undefined {
  if (format === 'YYYY-MM-DD') return parseDate(text)
  return /^\d{8}$/.test(text)
    ? parseDate(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`)
    : undefined
}

/** Returns a check of the distance between a date and the day of its record. */
function limitsOf(config: CobDateConfig): (days: number, timestampMs: number) => RuleViolation | undefined {
  const { timeZone, allowFuture, daysBackMax = Infinity } = config
  if (allowFuture && daysBackMax === Infinity) return () => undefined
  const zone = new ZoneOffsets(timeZone)
  return (days, timestampMs) => {
    if (!isKafkaTimestamp(timestampMs)) {
      const lacks = timestampMs > 0 ? 'has a Kafka timestamp beyond the year 9999' : 'has no Kafka timestamp'
      return { rule: 'clock', detail: `the record ${lacks}` }
    }
    const seconds = Math.floor(timestampMs / 1000)
    const today = Math.floor((seconds + zone.at(seconds)) / DAY_S)
    const day = (): string => `${dayText(today)}, the record's day in ${timeZone}`
    if (days > today && !allowFuture)
      return { rule: 'future', detail: `${formatDate(days)} is after ${day()}` }
    if (today - days <= daysBackMax) return undefined
    const detail = `${formatDate(days)} is ${today - days} days before ${day()}; at most ${daysBackMax} are allowed`
    return { rule: 'daysBack', detail }
  }
}

const YEAR_9999_END = 2_932_896

/** Kafka accepts any number as a timestamp. */
function dayText(days: number): string {
  return days > YEAR_9999_END ? `a day beyond the year 9999` : formatDate(days)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}
