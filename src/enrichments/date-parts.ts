import { DAY_MICROS, civilOf } from '../arrow/time.ts'
import { FixedBuilder } from '../arrow/fixed-builder.ts'
import { longAt } from '../arrow/values.ts'
import { isNull, type Column, type Columns, type FixedColumn } from '../arrow/column.ts'
import { parseDerivation, type DatePart } from '../../config/derive.ts'
import { PipelineError } from '../core/errors.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import type { Enrichment } from './enrichment.ts'

const SOURCES: readonly DataType[] = ['timestamp', 'timestamp_ntz', 'date']

/**
 * A column of date parts in UTC, null where the source is: `date` is a date, the others integers. The source is a
 * column, or a field of structs by its dotted path.
 * @throws KD_CONFIG_INVALID when the expression is none or `schema` has no date or timestamp column of that name.
 */
export function datePart(name: string, expression: string, schema: StructType): Enrichment {
  const parsed = parseDerivation(name, expression)
  const path = parsed?.from.split('.') ?? []
  if (parsed === undefined || indicesOf(schema, path) === undefined) {
    const expected =
      parsed === undefined
        ? 'year, month, day, hour or date of a column'
        : `a date or timestamp column named ${parsed.from}`
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `derived column ${name}: expected ${expected}, got ${JSON.stringify(expression)}`,
    )
  }
  const type = parsed.part === 'date' ? 'date' : 'integer'
  const builder = new FixedBuilder(type)
  return {
    fields: [{ name, type, nullable: true, metadata: {} }],
    columns: (rows) => {
      const source = columnAt(rows.columns, path)
      for (let row = 0; row < rows.columns.length; row++) {
        if (source === undefined || isNull(source, row)) builder.appendNull()
        else builder.appendNumber(partAt(source, row, parsed.part))
      }
      return [builder.finish()]
    },
  }
}

function indicesOf(schema: StructType, path: readonly string[]): readonly number[] | undefined {
  const indices: number[] = []
  let type: DataType = schema
  for (const name of path) {
    if (typeof type === 'string' || type.type !== 'struct') return undefined
    const index: number = type.fields.findIndex((field) => field.name === name)
    const field: StructField | undefined = type.fields[index]
    if (field === undefined) return undefined
    indices.push(index)
    type = field.type
  }
  return SOURCES.includes(type) ? indices : undefined
}

/** By name, since columns come and go while a stream runs; `undefined` where the rows have no such column now. */
function columnAt({ schema, columns }: Columns, path: readonly string[]): FixedColumn | undefined {
  const indices = indicesOf(schema, path)
  let children = columns
  let found: Column | undefined
  for (const index of indices ?? []) {
    found = children[index]
    children = found?.kind === 'struct' ? found.children : []
  }
  return found?.kind === 'fixed' ? found : undefined
}

function partAt(source: FixedColumn, row: number, part: DatePart): number {
  const days = source.words === 2 ? daysAt(source, row) : (source.values[row] as number)
  switch (part) {
    case 'date':
      return days
    case 'hour':
      return source.words === 2 ? hourAt(source, row, days) : 0
    default:
      return civilOf(days)[part]
  }
}

/** Microseconds since the epoch where a double holds them exactly, which is within some 142 years of it. */
function safeMicrosAt({ values }: FixedColumn, row: number): number | undefined {
  const high = values[row * 2 + 1] as number
  return high >= -HIGH_MAX && high < HIGH_MAX
    ? high * 4_294_967_296 + ((values[row * 2] as number) >>> 0)
    : undefined
}

const HIGH_MAX = 2 ** 20

function daysAt(source: FixedColumn, row: number): number {
  const micros = safeMicrosAt(source, row)
  if (micros !== undefined) return Math.floor(micros / DAY_MICROS)
  // BigInt division cuts towards zero; what is lost below zero is one day.
  const long = longAt(source.values, row)
  const days = Number(long / BigInt(DAY_MICROS))
  return long < 0n && BigInt(days) * BigInt(DAY_MICROS) !== long ? days - 1 : days
}

function hourAt(source: FixedColumn, row: number, days: number): number {
  const micros = safeMicrosAt(source, row)
  const ofDay =
    micros === undefined
      ? Number(longAt(source.values, row) - BigInt(days) * BigInt(DAY_MICROS))
      : micros - days * DAY_MICROS
  return Math.floor(ofDay / 3_600_000_000)
}
