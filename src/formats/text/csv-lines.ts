import { parse, type Options } from 'csv-parse/sync'
import type { StructType } from '../../core/schema.ts'
import type { CsvSettings } from '../settings.ts'

/** Holds the fields of a line; a null field is undefined in no line, only null. */
export type CsvFields = readonly (string | null)[]

/** Returns a function that splits a value into its lines of fields. It throws for text that is no CSV. */
export function csvLineParser(settings: CsvSettings): (bytes: Buffer) => readonly CsvFields[] {
  const parsing = parsingOf(settings)
  return (bytes) => plainLine(bytes, settings) ?? parse(bytes, parsing)
}

/**
 * Splits a single line without quotes. This is by far the most common case, and creating a parser for each value
 * costs more than everything else. Returns `undefined` for any other value.
 */
function plainLine(
  bytes: Buffer,
  { delimiter, quote, nullWords }: CsvSettings,
): readonly CsvFields[] | undefined {
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

/**
 * Returns the names and the fields of the lines of a value.
 * Throws when there are more or fewer lines, or when a header has a name twice.
 */
export function csvRowOf(
  lines: readonly CsvFields[],
  { header, columns }: CsvSettings,
  schema: StructType,
): { readonly names: readonly string[]; readonly fields: CsvFields } {
  const wanted = header ? 2 : 1
  const fields = lines[wanted - 1]
  if (fields === undefined || lines.length > wanted)
    throw new Error(`expected ${header ? 'a header and one line' : 'one line'}, got ${lines.length}`)
  if (!header) return { names: columns ?? schema.fields.map(({ name }) => name), fields }
  return { names: csvHeaderNames(lines[0] ?? []), fields }
}

/** Returns the names in a header. Throws when it has one twice. */
export function csvHeaderNames(header: CsvFields): readonly string[] {
  const names = header.map((name) => name ?? '')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new Error(`expected every name once in the header, got ${JSON.stringify(twice)} twice`)
  return names
}
