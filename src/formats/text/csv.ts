import { isUtf8 } from 'node:buffer'
import { parse, type Options } from 'csv-parse/sync'
import { currentOf, type Changing } from '../../core/changing.ts'
import { ExactNumber } from '../../core/exact.ts'
import { decimalOf, type DataType, type StructType } from '../../core/schema.ts'
import type { Format, FormatOptions } from '../format.ts'
import { parseExact } from '../json/exact.ts'
import type { CsvSettings } from '../settings.ts'
import { decodeValues } from '../values.ts'

/**
 * Returns the CSV format with one row per value, preceded by a header line if configured. Empty unquoted fields and
 * the null words are null. Text is converted to the type of its column, from JSON for nested types. Text that is not
 * of that type stays text, which the contract or the column refuses.
 */
export function csvFormat(changing: FormatOptions | Changing<FormatOptions>, settings: CsvSettings): Format {
  let reader: { readonly of: FormatOptions; readonly read: (line: Uint8Array) => object } | undefined
  return {
    name: 'csv',
    decode(raw) {
      const options = currentOf(changing)
      if (reader?.of !== options) reader = { of: options, read: lineReader(options, settings) }
      return decodeValues(raw, reader)
    },
  }
}

function lineReader(options: FormatOptions, settings: CsvSettings): (line: Uint8Array) => object {
  const parsing = parsingOf(settings)
  const columns = columnsOf(options)
  return (value) => {
    if (value.length === 0) throw new Error('expected a line of CSV, got an empty value')
    if (!isUtf8(value)) throw new Error('expected UTF-8, got invalid bytes')
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const lines = plainLine(bytes, settings) ?? parse(bytes, parsing)
    const { names, fields } = rowOf(lines, settings, options.schema)
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

type Fields = readonly (string | null)[]

/**
 * Splits a single line without quotes. This is by far the most common case, and creating a parser for each value
 * costs more than everything else. Returns `undefined` for any other value.
 */
function plainLine(
  bytes: Buffer,
  { delimiter, quote, nullWords }: CsvSettings,
): readonly Fields[] | undefined {
  const text = bytes.toString('utf8').replace(/\r?\n$/, '')
  if (text === '' || /["\r\n\uFEFF]/.test(text) || text.includes(quote)) return undefined
  const fields = text.split(delimiter === 'tab' ? '\t' : delimiter)
  return [fields.map((field) => (field === '' || nullWords.includes(field) ? null : field))]
}

function parsingOf({ delimiter, quote, nullWords }: CsvSettings): Options {
  const nulls = new Set(['', ...nullWords])
  return {
    bom: true,
    delimiter: delimiter === 'tab' ? '\t' : delimiter,
    quote: quote === 'none' ? false : quote,
    skip_empty_lines: true,
    // The number of fields is checked against the names.
    relax_column_count: true,
    cast: (text, { quoting }) => (!quoting && nulls.has(text) ? null : text),
  }
}

function rowOf(
  lines: readonly Fields[],
  { header, columns }: CsvSettings,
  schema: StructType,
): { names: readonly string[]; fields: Fields } {
  const wanted = header ? 2 : 1
  const fields = lines[wanted - 1]
  if (fields === undefined || lines.length > wanted)
    throw new Error(`expected ${header ? 'a header and one line' : 'one line'}, got ${lines.length}`)
  if (!header) return { names: columns ?? schema.fields.map(({ name }) => name), fields }
  const names = (lines[0] ?? []).map((name) => name ?? '')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new Error(`expected every name once in the header, got ${JSON.stringify(twice)} twice`)
  return { names, fields }
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
const DECIMAL = /^[+-]?(?:\d{1,200}\.?\d{0,200}|\.\d{1,200})(?:[eE][+-]?\d{1,3})?$/

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
