// Compares random expressions, of kinds on which Spark and DuckDB agree, with DuckDB's results over the same
// rows.
import { DuckDBDateValue } from '@duckdb/node-api'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../src/core/schema.ts'
import type { SqlValue } from '../../src/sql/expression/ast.ts'
import { formatSqlDate } from '../../src/sql/expression/cast-time.ts'
import { structOf } from '../support/flow/batches.ts'
import { chanceOf, type Chance } from '../support/values/chance.ts'
import { askDuckdb } from '../support/duckdb.ts'
import { fileOf } from '../support/values/parquet-file.ts'
import { evaluated } from './evaluate.ts'

const EXPRESSIONS = 150
const ROWS = 40
const DEPTH_MAX = 4

const schema: StructType = structOf({
  a: 'long',
  b: 'long',
  s: 'string',
  t: 'string',
  p: 'boolean',
  d: 'date',
  ts: 'timestamp',
})

test(`${EXPRESSIONS} random conditions over ${ROWS} rows evaluate like in DuckDB`, async (t) => {
  const chance = chanceOf(t)
  const rows = Array.from({ length: ROWS }, () => rowBy(chance))
  const conditions = Array.from({ length: EXPRESSIONS }, () => conditionBy(chance, 0))
  const values = Array.from({ length: EXPRESSIONS }, () => numberBy(chance, 0))
  const file = await fileOf(schema, [rows])
  const list = [...conditions, ...values.map((value) => `CAST(${value} AS BIGINT)`)].join(', ')
  const theirs = await askDuckdb(file, `SELECT ${list} FROM FILE`)
  for (const [column, expression] of [...conditions, ...values].entries()) {
    const ours = evaluated(expression, schema, rows).map(plain)
    assert.deepEqual(
      ours,
      theirs.map((row) => plain(row[column] as SqlValue)),
      expression,
    )
  }
})

test('Functions of text and time evaluate like in DuckDB', async (t) => {
  const chance = chanceOf(t)
  const rows = Array.from({ length: ROWS }, () => rowBy(chance))
  const expressions = [
    'upper(s)',
    'lower(s)',
    'length(s)',
    'substring(s, 2, 2)',
    "replace(s, 'a', 'bb')",
    'year(ts)',
    'month(ts)',
    'day(ts)',
    'hour(ts)',
    'minute(ts)',
    'second(ts)',
    'quarter(d)',
    'dayofyear(d)',
    'weekofyear(d)',
    'last_day(d)',
    'CAST(ts AS DATE)',
    'CAST(a AS STRING)',
    'CAST(d AS STRING)',
    'abs(a)',
    'greatest(a, b)',
    'least(a, b)',
    'nullif(a, b)',
    'coalesce(a, b, 0)',
  ]
  const file = await fileOf(schema, [rows])
  const theirs = await askDuckdb(file, `SELECT ${expressions.join(', ')} FROM FILE`)
  for (const [column, expression] of expressions.entries()) {
    const days = expression.startsWith('last_day') || expression.endsWith('AS DATE)')
    assert.deepEqual(
      evaluated(expression, schema, rows).map((value) =>
        days && value !== null ? formatSqlDate(value as number) : plain(value),
      ),
      theirs.map((row) => {
        const value = row[column] ?? null
        return value instanceof DuckDBDateValue ? value.toString() : plain(value as SqlValue)
      }),
      expression,
    )
  }
})

/** DuckDB returns bigints for longs, where our values may be 32-bit integers. */
function plain(value: SqlValue): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function rowBy(chance: Chance): Record<string, unknown> {
  const maybe = <T>(value: T): T | null => (chance.once(5) ? null : value)
  const text = (): string =>
    Array.from({ length: chance.int(4) }, () => chance.pick(['a', 'b', 'C', '_', '%', 'é', '😀', ' '])).join(
      '',
    )
  const day = new Date(Date.UTC(1950 + chance.int(120), chance.int(12), 1 + chance.int(28)))
  const time = new Date(day.getTime() + chance.int(86_400) * 1000)
  return {
    a: maybe(chance.int(21) - 10),
    b: maybe(chance.int(5) - 2),
    s: maybe(text()),
    t: maybe(text()),
    p: maybe(chance.once(2)),
    d: maybe(day.toISOString().slice(0, 10)),
    ts: maybe(time.toISOString()),
  }
}

function conditionBy(chance: Chance, depth: number): string {
  const deeper = (): string => conditionBy(chance, depth + 1)
  const compare = (): string => chance.pick(['=', '<>', '<', '<=', '>', '>='])
  if (depth < DEPTH_MAX && !chance.once(3)) {
    return chance.pick([
      () => `(${deeper()} AND ${deeper()})`,
      () => `(${deeper()} OR ${deeper()})`,
      () => `NOT ${deeper()}`,
      () => `((${deeper()}) IS NULL)`,
      () => `((${deeper()}) IS NOT NULL)`,
      () => `CASE WHEN ${deeper()} THEN ${deeper()} ELSE ${deeper()} END`,
      () => `coalesce(${deeper()}, ${deeper()})`,
    ])()
  }
  const number = (): string => numberBy(chance, depth + 1)
  const text = (): string => chance.pick(['s', 't', "'a'", "''", "'é'", "'ab'"])
  return chance.pick([
    () => 'p',
    () => `(${number()} ${compare()} ${number()})`,
    () => `(${text()} ${compare()} ${text()})`,
    () => `(${number()} IN (${number()}, ${number()}, NULL))`,
    () => `(${number()} NOT IN (${number()}, ${number()}))`,
    () => `(${number()} BETWEEN ${number()} AND ${number()})`,
    () => `(${text()} IN ('a', 'b', ${text()}))`,
    () => `(s LIKE '${chance.pick(['a%', '%b', '_', '%_C', '', '%', 'a_%', '%é%', '__'])}')`,
    () => `(s NOT LIKE '${chance.pick(['a!%', '!_%', '%!!%'])}' ESCAPE '!')`,
    () => `(d ${compare()} DATE'${1950 + chance.int(120)}-06-15')`,
    () => `(d ${compare()} '${1950 + chance.int(120)}-06-15')`,
    () => `(ts ${compare()} TIMESTAMP'${1950 + chance.int(120)}-06-15 12:00:00')`,
    () => `(year(ts) ${compare()} ${1950 + chance.int(120)})`,
    () => `(a IS NULL)`,
  ])()
}

function numberBy(chance: Chance, depth: number): string {
  if (depth >= DEPTH_MAX || chance.once(2))
    return chance.pick(['a', 'b', String(chance.int(11) - 5), 'length(s)'])
  const deeper = (): string => numberBy(chance, depth + 1)
  return chance.pick([
    () => `(${deeper()} + ${deeper()})`,
    () => `(${deeper()} - ${deeper()})`,
    () => `(${deeper()} * ${deeper()})`,
    () => `(${deeper()} % 7)`,
    () => `(- ${deeper()})`,
    () => `abs(${deeper()})`,
    () => `CASE WHEN ${conditionBy(chance, DEPTH_MAX)} THEN ${deeper()} END`,
  ])()
}
