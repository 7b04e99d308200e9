import { isUtf8 } from 'node:buffer'
import { currentOf, type Changing } from '../../core/changing.ts'
import { ExactNumber } from '../../core/exact.ts'
import { decimalOf, type DataType } from '../../core/schema.ts'
import type { Format, FormatOptions } from '../format.ts'
import { decodeRecords } from '../record-columns.ts'
import { parseExact } from '../json/exact.ts'
import type { CsvSettings } from '../settings.ts'
import type { ValueReader } from '../values.ts'
import { CsvColumnReader } from './csv-columns.ts'
import { csvLineParser, csvRowOf } from './csv-lines.ts'
import { DECIMAL } from './digits.ts'

/**
 * Returns the CSV format with one row per value, preceded by a header line if configured. Empty unquoted fields and
 * the null words are null. Text is converted to the type of its column, from JSON for nested types. Text that is not
 * of that type stays text, which the contract or the column refuses. Lines become columns directly where bytes alone prove
 * their values.
 */
export function csvFormat(changing: FormatOptions | Changing<FormatOptions>, settings: CsvSettings): Format {
  let idle: CsvReaders | undefined
  const readersOf = (options: FormatOptions): CsvReaders =>
    idle?.of === options
      ? idle
      : {
          of: options,
          columns: options.plain === undefined ? undefined : new CsvColumnReader(options, settings),
          objects: options.onlyColumns === true ? undefined : csvObjectReader(options, settings),
        }
  return {
    name: 'csv',
    decode(raw) {
      const readers = readersOf(currentOf(changing))
      // Kept only when the batch succeeds: after an error, such as that of a default value, it holds its rows.
      idle = undefined
      const decoded = decodeRecords(raw, readers.columns, readers.objects)
      idle = readers
      return decoded
    },
    objectReasons() {
      idle = readersOf(currentOf(changing))
      return idle.columns?.reasons() ?? [NO_COLUMNS]
    },
  }
}

/** Holds the readers for one value of the options. */
interface CsvReaders {
  readonly of: FormatOptions
  readonly columns: CsvColumnReader | undefined
  /** Absent when records that do not become columns are left out. */
  readonly objects: ValueReader | undefined
}

const NO_COLUMNS = {
  subject: 'contract',
  reason: 'lines are decoded as objects, because the rules for the columns are not plain data',
}

/** Returns a reader that makes an object of each value. */
export function csvObjectReader(options: FormatOptions, settings: CsvSettings): ValueReader {
  return { read: lineReader(options, settings) }
}

function lineReader(options: FormatOptions, settings: CsvSettings): (line: Uint8Array) => object {
  const parse = csvLineParser(settings)
  const columns = columnsOf(options)
  return (value) => {
    if (value.length === 0) throw new Error('expected a line of CSV, got an empty value')
    if (!isUtf8(value)) throw new Error('expected UTF-8, got invalid bytes')
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const { names, fields } = csvRowOf(parse(bytes), settings, options.schema)
    if (fields.length !== names.length)
      throw new Error(`expected ${names.length} fields, got ${fields.length}`)
    const row: [string, unknown][] = []
    for (const [i, name] of names.entries()) {
      const field = fields[i] ?? null
      const column = columns.get(name)
      if (field !== null) row.push([name, column?.read(field) ?? field])
      else if (column?.nullable === true) row.push([name, null])
    }
    return Object.fromEntries(row)
  }
}

type Reader = (text: string) => unknown

/** Describes how the fields of one name are read. */
interface Column {
  readonly read: Reader
  /** True when the contract accepts null; otherwise a null field counts as missing. */
  readonly nullable: boolean
}

function columnsOf({ schema, plain }: FormatOptions): ReadonlyMap<string, Column> {
  const nullable = new Set(plain?.fields.filter((field) => field.nullable).map(({ name }) => name))
  return new Map(
    schema.fields.map(({ name, type }) => [
      name,
      { read: csvFieldReader(type), nullable: nullable.has(name) },
    ]),
  )
}

const INTEGER = /^[+-]?\d{1,40}$/

/**
 * Returns a function that converts unquoted text for a column of this type. Text that is not of that type stays text.
 */
export function csvFieldReader(type: DataType): (text: string) => unknown {
  if (typeof type !== 'string') return json
  if (decimalOf(type) !== undefined) return decimal
  return READERS[type] ?? ((text) => text)
}

const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])

const READERS: Readonly<Record<string, Reader>> = {
  byte: integer,
  short: integer,
  integer,
  long: integer,
  float: (text) => (DECIMAL.test(text) ? Number(text) : text),
  double: (text) => (DECIMAL.test(text) ? Number(text) : text),
  boolean: (text) => BOOLEANS.get(text.toLowerCase()) ?? text,
  binary: (text) => Buffer.from(text).toString('base64'),
}

function integer(text: string): unknown {
  if (!INTEGER.test(text)) return text
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text.replace(/^\+/, ''))
}

function decimal(text: string): unknown {
  if (!DECIMAL.test(text)) return text
  const plain = text
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?=[eE]|$)/, '')
  return new ExactNumber(plain)
}

function json(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    // The column reports what it expected.
    return text
  }
}
