// Compares expressions over rows of every primitive type with the results of Spark 4.2, with its defaults
// (ANSI mode) in UTC.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { StructBuilder } from '../../src/arrow/builder.ts'
import type { Columns } from '../../src/arrow/column.ts'
import { decimalText } from '../../src/arrow/decimal.ts'
import { decimalOf, type StructType } from '../../src/core/schema.ts'
import type { SqlType, SqlValue } from '../../src/sql/expression/ast.ts'
import { formatSqlDate, formatSqlTimestamp } from '../../src/sql/expression/cast-time.ts'
import { compileExpression } from '../../src/sql/compile.ts'
import { SqlError } from '../../src/sql/expression/error.ts'

type Row = Readonly<Record<string, unknown>>

interface Case {
  readonly expression: string
  /** True if Spark rejects the expression. */
  readonly refused?: boolean
  readonly type: string
  readonly values: readonly unknown[]
}

const { schema, rows, cases } = JSON.parse(
  readFileSync(new URL('../fixtures/sql/spark.json', import.meta.url), 'utf8'),
) as { schema: StructType; rows: readonly Row[]; cases: readonly Case[] }

/** Expressions that Spark evaluates and that we reject. */
const REFUSED: ReadonlySet<string> = new Set([
  // The pattern is invalid: Spark fails each row instead.
  "st.B.c LIKE 'a\\\\b'",
  'reverse(s)',
  'initcap(s)',
  'sign(i)',
  'extract(second FROM ts)',
  'date_format(ts, NULL)',
  'CAST(l AS FLOAT)',
  "tags[0] = 'a'",
  "array_contains(tags, 'a')",
])
/** Spark reads bytes that are not UTF-8 as invalid text; here they fail the row. */
const INVALID_TEXT = 'CAST(bin AS STRING)'

const columns = columnsOf()

test('the fixture covers each kind of expression', () => {
  assert.ok(cases.length > 600)
  assert.equal(cases.filter(({ refused }) => refused !== true).length > 500, true)
})

for (const { expression, refused, type, values } of cases) {
  if (refused === true) {
    test(`${expression} is rejected, like in Spark`, () => {
      assert.throws(() => compileExpression(expression, schema), SqlError)
    })
  } else if (REFUSED.has(expression)) {
    test(`${expression} is rejected as unsupported`, () => {
      assert.throws(() => compileExpression(expression, schema), SqlError)
    })
  } else {
    test(`${expression} evaluates like in Spark`, () => {
      const { term } = compileExpression(expression, schema)
      assert.equal(term.type, TYPES[type] ?? type)
      const get = term.bind({ columns, nowMs: Date.UTC(2026, 10, 22) })
      const got = rows.map((_, row) => outcome(() => shown(get(row), term.type)))
      const wanted = expression === INVALID_TEXT ? values.map((value) => faultIfInvalid(value)) : values
      assert.deepEqual(
        got,
        wanted.map((value) => normal(value, type)),
      )
    })
  }
}

const TYPES: Readonly<Record<string, string>> = {
  tinyint: 'byte',
  smallint: 'short',
  int: 'integer',
  bigint: 'long',
}

function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    if (error instanceof SqlError) return 'fault'
    throw error
  }
}

function faultIfInvalid(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\ufffd') ? { fault: true } : value
}

/**
 * Converts a value to the form of the fixture: times and decimals as text, binary as base64, longs beyond
 * 2^53 as text.
 */
function shown(value: SqlValue, type: SqlType): unknown {
  if (value === null) return null
  if (type === 'date') return formatSqlDate(value as number)
  if (type === 'timestamp' || type === 'timestamp_ntz') return formatSqlTimestamp(value as bigint)
  const decimal = type === 'void' ? undefined : decimalOf(type)
  if (decimal !== undefined) return decimalText(value as bigint, decimal.scale)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  // Adding 0 removes the sign of a negative zero.
  return typeof value === 'number' ? value + 0 : value
}

const FLOATS: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN }

function normal(value: unknown, type: string): unknown {
  if (typeof value === 'object' && value !== null) return 'fault'
  if (typeof value === 'string' && (type === 'double' || type === 'float')) return FLOATS[value] ?? value
  if (typeof value !== 'number') return value
  return type === 'float' ? Math.fround(value) + 0 : value + 0
}

function columnsOf(): Columns {
  const builder = new StructBuilder(schema)
  for (const row of rows) {
    const iso = (name: string, zone: string): unknown =>
      typeof row[name] === 'string' ? `${row[name].replace(' ', 'T')}${zone}` : null
    const long = row['l']
    const fault = builder.append({
      ...row,
      ts: iso('ts', 'Z'),
      ntz: iso('ntz', ''),
      l: typeof long === 'string' ? BigInt(long) : long,
    })
    assert.equal(fault, undefined)
  }
  return builder.finishColumns()
}
