import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unscaledOf } from '../../src/arrow/decimal.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import { decimalOf, type DataType, type StructType } from '../../src/core/schema.ts'
import { parseExact } from '../../src/formats/json/exact.ts'
import { roundUp } from '../../src/parquet/leaf-statistics.ts'
import { FileStatistics } from '../../src/parquet/statistics.ts'
import { arrayOf, columnsOf, structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import { askDuckdb, plain } from '../support/duckdb.ts'
import { fileOf } from '../support/values/parquet-file.ts'
import { EVERY_TYPE, randomRows } from '../support/values/values.ts'

type Rows = readonly Readonly<Record<string, unknown>>[]
interface Statistics {
  readonly numRecords: number
  readonly minValues: Record<string, unknown>
  readonly maxValues: Record<string, unknown>
  readonly nullCount: Record<string, unknown>
}

/** Returns the statistics of a file whose rows are added in these slices. */
function statisticsOf(schema: StructType, slices: readonly Rows[], indexedColumns?: number): Statistics {
  const statistics = new FileStatistics(schema, indexedColumns)
  for (const rows of slices) statistics.update(columnsOf(schema, rows).columns, rows.length)
  return parseExact(statistics.json()) as Statistics
}

/** Returns the leaves of a schema with their paths. */
function leavesOf(
  schema: StructType,
  path: readonly string[] = [],
): { path: readonly string[]; type: DataType }[] {
  return schema.fields.flatMap(({ name, type }) =>
    typeof type !== 'string' && type.type === 'struct'
      ? leavesOf(type, [...path, name])
      : [{ path: [...path, name], type }],
  )
}

function at(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], values)
}

/** Converts numbers of any form to a comparable exact value. */
function comparable(value: unknown, type: DataType): unknown {
  if (value === undefined || value === null) return undefined
  const number = value instanceof ExactNumber ? value.text : value
  const decimal = decimalOf(type)
  if (decimal !== undefined) return unscaledOf(number, decimal.precision, decimal.scale)
  return type === 'float' || type === 'double' ? Number(number) : value
}

const WITHOUT_BOUNDS = ['boolean', 'binary']

for (const slices of [1, 4]) {
  test(`Statistics of random rows in ${slices} slices equal what DuckDB computes from the file`, async (t) => {
    const rows = randomRows(400, chanceOf(t))
    const cut = Array.from({ length: slices }, (_, i) =>
      rows.slice((i * 400) / slices, ((i + 1) * 400) / slices),
    )
    const statistics = statisticsOf(EVERY_TYPE, cut)
    const file = await fileOf(EVERY_TYPE, cut)
    assert.equal(statistics.numRecords, 400)
    for (const { path, type } of leavesOf(EVERY_TYPE)) {
      const column = path.map((name) => `"${name}"`).join('.')
      const isBounded = typeof type === 'string' && !WITHOUT_BOUNDS.includes(type)
      const bounds = isBounded ? `min(${column}), max(${column})` : 'NULL, NULL'
      const [[nulls, min, max] = []] = await askDuckdb(
        file,
        `SELECT count(*) - count(${column}), ${bounds} FROM FILE`,
      )
      assert.equal(at(statistics.nullCount, path), Number(nulls), `nulls of ${column}`)
      const ours = [statistics.minValues, statistics.maxValues].map((values) =>
        comparable(at(values, path), type),
      )
      // Random texts are longer than 32 code points: their bounds have tests of their own.
      if (type === 'string') continue
      const theirs = [min, max].map((value) => comparable(plain(value ?? null), type))
      assert.deepEqual(ours, theirs, column)
    }
  })
}

test('Columns of nulls have counts and no bounds, also in structs', () => {
  const schema = structOf({
    a: 'long',
    s: structOf({ b: 'string', in: structOf({ c: 'date' }) }),
    d: 'double',
    e: 'decimal(9,2)',
  })
  const statistics = statisticsOf(schema, [[{}, { s: {} }], [{ s: { in: {} } }]])
  assert.deepEqual(statistics, {
    numRecords: 3,
    minValues: {},
    maxValues: {},
    nullCount: { a: 3, s: { b: 3, in: { c: 3 } }, d: 3, e: 3 },
  })
})

test('A slice of nulls or without rows changes no bound', () => {
  const schema = structOf({ n: 'long', s: 'string', f: 'float' })
  const statistics = statisticsOf(schema, [
    [{}],
    [],
    [{ n: -1, s: 'b', f: -1.5 }, {}],
    [{}],
    [{ n: 1, s: 'a', f: 0 }],
  ])
  assert.deepEqual(statistics.minValues, { n: -1, s: 'a', f: -1.5 })
  assert.deepEqual(statistics.maxValues, { n: 1, s: 'b', f: 0 })
  assert.deepEqual(statistics.nullCount, { n: 3, s: 3, f: 3 })
})

test('A file without rows has no bounds', () => {
  assert.deepEqual(statisticsOf(structOf({ n: 'long' }), []), {
    numRecords: 0,
    minValues: {},
    maxValues: {},
    nullCount: { n: 0 },
  })
})

test('Longs beyond 2^53, negative decimals and days before 1970 keep every digit', () => {
  const schema = structOf({
    n: 'long',
    d: 'decimal(38,2)',
    on: 'date',
    at: 'timestamp',
    ntz: 'timestamp_ntz',
  })
  const statistics = new FileStatistics(schema)
  const rows = [
    {
      n: 2n ** 63n - 1n,
      d: new ExactNumber('-0.01'),
      on: '1969-12-31',
      at: '1969-12-31T23:59:59.999999Z',
      ntz: '1900-01-01T00:00:00.000001',
    },
    {
      n: -(2n ** 63n),
      d: new ExactNumber(`-${'9'.repeat(36)}.99`),
      on: '0001-01-01',
      at: '9999-12-31T23:59:59.999999Z',
      ntz: '1899-12-31T23:59:59',
    },
    {
      n: 2n ** 53n + 1n,
      d: new ExactNumber('-5'),
      on: '1969-01-01',
      at: '1970-01-01T00:00:00Z',
      ntz: '1899-12-31T23:59:58.5',
    },
  ]
  statistics.update(columnsOf(schema, rows).columns, 3)
  assert.equal(
    statistics.json(),
    `{"numRecords":3,"minValues":{"n":-9223372036854775808,"d":-${'9'.repeat(36)}.99,"on":"0001-01-01",` +
      '"at":"1969-12-31T23:59:59.999999Z","ntz":"1899-12-31T23:59:58.500000"},' +
      '"maxValues":{"n":9223372036854775807,"d":-0.01,"on":"1969-12-31","at":"9999-12-31T23:59:59.999999Z",' +
      '"ntz":"1900-01-01T00:00:00.000001"},"nullCount":{"n":0,"d":0,"on":0,"at":0,"ntz":0}}',
  )
})

describe('The bounds of texts', () => {
  const bounds = (texts: readonly string[]): [unknown, unknown] => {
    const { minValues, maxValues } = statisticsOf(structOf({ s: 'string' }), [texts.map((s) => ({ s }))])
    return [minValues['s'], maxValues['s']]
  }

  test('A text of 32 code points is its own bound, in any plane', () => {
    for (const text of ['', 'x'.repeat(32), '😀'.repeat(32), '\u{10ffff}'.repeat(32), 'ß'.repeat(32)])
      assert.deepEqual(bounds([text]), [text, text])
  })

  test('A longer minimum is truncated, a longer maximum is truncated and rounded up', () => {
    assert.deepEqual(bounds(['x'.repeat(33)]), ['x'.repeat(32), `${'x'.repeat(31)}y`])
    assert.deepEqual(bounds(['😀'.repeat(40)]), ['😀'.repeat(32), `${'😀'.repeat(31)}😁`])
  })

  test('Rounding up skips the surrogates and carries over the last code point', () => {
    assert.equal(bounds([`${'a'.repeat(31)}\ud7ffzz`])[1], `${'a'.repeat(31)}\ue000`)
    assert.equal(bounds([`${'a'.repeat(31)}\uffffzz`])[1], `${'a'.repeat(31)}\u{10000}`)
    assert.equal(bounds([`${'a'.repeat(30)}\u{10ffff}\u{10ffff}z`])[1], `${'a'.repeat(29)}b`)
    assert.equal(bounds([`a${'\u{10ffff}'.repeat(40)}`])[1], 'b')
  })

  test('A maximum that cannot be rounded up within 32 code points is left out', () => {
    assert.deepEqual(bounds([`${'\u{10ffff}'.repeat(32)}z`]), ['\u{10ffff}'.repeat(32), undefined])
    assert.equal(roundUp(['\u{10ffff}']), undefined)
    assert.equal(roundUp([]), undefined)
  })

  test('Texts are ordered by code points, not by the units of UTF-16', () => {
    assert.deepEqual(bounds(['\u{10000}', '\uffff', '\ue000']), ['\ue000', '\u{10000}'])
  })

  test('A byte order mark counts as a character', () => {
    assert.deepEqual(bounds(['\uFEFFz']), ['\uFEFFz', '\uFEFFz'])
    assert.equal(bounds([`\uFEFF${'z'.repeat(40)}`])[1], `\uFEFF${'z'.repeat(30)}{`)
  })

  test('Random texts lie within their bounds, and the bounds are no longer than 32 code points', (t) => {
    const chance = chanceOf(t)
    const alphabet = ['a', 'z', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', '\uFEFF', '\0']
    for (let round = 0; round < 300; round++) {
      const texts = Array.from({ length: 1 + chance.int(4) }, () => {
        const few = Array.from({ length: 1 + chance.int(2) }, () => chance.pick(alphabet))
        return Array.from({ length: 28 + chance.int(8) }, () => chance.pick(few)).join('')
      })
      const [min, max] = bounds(texts) as [string, string | undefined]
      for (const text of texts) {
        assert.ok(Buffer.compare(Buffer.from(min), Buffer.from(text)) <= 0, JSON.stringify([min, text]))
        if (max !== undefined)
          assert.ok(Buffer.compare(Buffer.from(text), Buffer.from(max)) <= 0, JSON.stringify([text, max]))
      }
      for (const bound of [min, max ?? '']) assert.ok([...bound].length <= 32)
    }
  })
})

test('Only the first leaf columns have statistics, counted through structs', () => {
  const schema = structOf({
    a: 'long',
    s: structOf({ b: 'long', c: 'long' }),
    d: 'long',
    e: structOf({ f: 'long' }),
  })
  const row = { a: 1, s: { b: 2, c: 3 }, d: 4, e: { f: 5 } }
  assert.deepEqual(statisticsOf(schema, [[row]], 2), {
    numRecords: 1,
    minValues: { a: 1, s: { b: 2 } },
    maxValues: { a: 1, s: { b: 2 } },
    nullCount: { a: 0, s: { b: 0 } },
  })
  assert.deepEqual(statisticsOf(schema, [[row]], 0), {
    numRecords: 1,
    minValues: {},
    maxValues: {},
    nullCount: {},
  })
  const many = structOf(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${i}`, 'long'])))
  assert.equal(Object.keys(statisticsOf(many, [[{}]]).nullCount).length, 32)
})

test('Booleans, binary, arrays and maps only have counts of nulls', () => {
  const schema = structOf({ b: 'boolean', x: 'binary', l: arrayOf('long') })
  assert.deepEqual(statisticsOf(schema, [[{ b: true, x: 'AA==', l: [1] }, {}]]), {
    numRecords: 2,
    minValues: {},
    maxValues: {},
    nullCount: { b: 1, x: 1, l: 1 },
  })
})

test('A column with a NaN has no bounds, since engines disagree on where it sorts', () => {
  const schema = structOf({ d: 'double' })
  const statistics = new FileStatistics(schema)
  const values = Float64Array.of(1, NaN, 2)
  statistics.update([{ kind: 'fixed', type: 'double', words: 1, length: 3, values, valid: undefined }], 3)
  assert.equal(statistics.json(), '{"numRecords":3,"minValues":{},"maxValues":{},"nullCount":{"d":0}}')
})

test('Names with special characters are written as JSON', () => {
  const { nullCount } = statisticsOf(structOf({ 'a"b\\': 'long', 'zeilen\n': 'long' }), [[{}]])
  assert.deepEqual(nullCount, { 'a"b\\': 1, 'zeilen\n': 1 })
})
