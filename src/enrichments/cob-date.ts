import { RE2JS } from 're2js'
import {
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
import { keyOf } from '../core/raw.ts'
import { typeName, type DataType, type StructType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'
import { sourceColumn } from './source-column.ts'
import { ZoneOffsets } from './time-zone.ts'

/** Characters of a text in which a date is looked for. */
const TEXT_CHARACTERS_MAX = 1024

const DAY_S = 86_400

/** Types of columns that can hold the date. Numbers are read by their digits. */
const SOURCES: readonly DataType[] = ['string', 'date', 'integer', 'long']

/** A rule of the date that a record breaks: its name and what was found. */
interface Broken {
  readonly rule: 'missing' | 'length' | 'pattern' | 'format' | 'clock' | 'future' | 'daysBack'
  readonly detail: string
}

/** The day that a record stands for by its own text, in days since the epoch. */
type Dated = number | Broken

/**
 * The close-of-business date of each row: taken from the value, the key or a header, strictly of its format, not after the
 * day of the record's Kafka timestamp and not too long before it, as configured. Rows that break a rule are rejected by
 * its name. Where the date stands in the very column that is asked for, nothing is added and rows are only checked.
 * `undefined` where no such date is configured.
 * @throws KD_CONFIG_INVALID where `schema` has no column of that path, or one that holds no date
 */
export function cobDate(config: CobDateConfig, schema: StructType): Enrichment | undefined {
  const source = config.from === undefined ? undefined : parseCobSource(config.from)
  if (source === undefined) return undefined
  const fault = cobDateFault(config, schema)
  if (fault !== undefined) throw new PipelineError('KD_CONFIG_INVALID', `cobDate.from: ${fault}`)
  const { column: name, from = '' } = config
  const textOf = textsOf(source, schema)
  const dateOf = dateReader(config)
  const limits = limitsOf(config)
  const inPlace = source.kind === 'value' && source.path === name
  const builder = new FixedBuilder('date')
  return {
    fields: inPlace ? [] : [{ name, type: 'date', nullable: true, metadata: {} }],
    columns: (rows, reject) => {
      const text = textOf(rows)
      for (let row = 0; row < rows.columns.length; row++) {
        const found = text(row)
        const dated = found === undefined ? absent(from) : dateOf(found)
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

/** What is wrong with the column of `schema` from which the date is taken; `undefined` when nothing is. */
export function cobDateFault({ from = '' }: CobDateConfig, schema: StructType): string | undefined {
  const source = parseCobSource(from)
  if (source?.kind !== 'value') return undefined
  const column = sourceColumn(schema, source.path)
  if (column !== undefined && SOURCES.includes(column.type)) return undefined
  const got = column === undefined ? 'and there is none' : `while it is ${typeName(column.type)}`
  return `expected a column ${source.path} of type string, date, integer or long, ${got}`
}

function absent(from: string): Broken {
  return { rule: 'missing', detail: `there is no ${from}` }
}

/** What stands at the source of a row, or `undefined` where nothing does. */
function textsOf(source: CobSource, schema: StructType): (rows: Rows) => (row: number) => string | undefined {
  switch (source.kind) {
    case 'key':
      return ({ raw, records }) =>
        (row) =>
          textOfBytes(keyOf(raw, records[row] as number))
    case 'header':
      return ({ raw, records }) =>
        (row) => {
          const headers = raw.headers?.[records[row] as number]
          const value =
            headers !== undefined && Object.hasOwn(headers, source.name) ? headers[source.name] : undefined
          // Of several values of one name the last counts, as for consumers of Kafka.
          return textOfBytes(value instanceof Uint8Array ? value : value?.at(-1))
        }
    case 'value': {
      const column = sourceColumn(schema, source.path)
      if (column === undefined) throw new Error(`Broken invariant: no column ${source.path}`)
      return (rows) => {
        const values = column.of(rows)
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

/** No character takes more than three bytes; one more than a text may have is enough to see that it is too long. */
function textOfBytes(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined
    ? undefined
    : Buffer.from(bytes.subarray(0, 3 * TEXT_CHARACTERS_MAX + 3)).toString()
}

function dateReader({ pattern, format }: CobDateConfig): (text: string) => Dated {
  const compiled = pattern === undefined ? undefined : RE2JS.compile(pattern)
  const read = (text: string): Dated => {
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
  // Records of one day come together.
  let last: { readonly text: string; readonly dated: Dated } | undefined
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

/** The rule on its distance to the record's day that a date breaks, if any. */
function limitsOf(config: CobDateConfig): (days: number, timestampMs: number) => Broken | undefined {
  const { timeZone, allowFuture, daysBackMax = Infinity } = config
  if (allowFuture && daysBackMax === Infinity) return () => undefined
  const zone = new ZoneOffsets(timeZone)
  return (days, timestampMs) => {
    if (!(timestampMs >= 0)) return { rule: 'clock', detail: 'the record has no Kafka timestamp' }
    const seconds = Math.floor(timestampMs / 1000)
    const today = Math.floor((seconds + zone.at(seconds)) / DAY_S)
    const day = (): string => `${dayText(today)}, the record's day in ${timeZone}`
    if (days > today && !allowFuture)
      return { rule: 'future', detail: `${formatDate(days)} is after ${day()}` }
    if (today - days <= daysBackMax) return undefined
    const detail = `${formatDate(days)} is ${today - days} days before ${day()}, of at most ${daysBackMax}`
    return { rule: 'daysBack', detail }
  }
}

const YEAR_9999_END = 2_932_896

/** Kafka takes any number for a timestamp. */
function dayText(days: number): string {
  return days > YEAR_9999_END ? `a day beyond the year 9999` : formatDate(days)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}
