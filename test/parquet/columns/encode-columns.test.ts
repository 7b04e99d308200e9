import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { Columns } from '../../../src/arrow/column.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import { encodeSlices } from '../../../src/parquet/columns/encode-columns.ts'
import { footerOf } from '../../../src/parquet/join.ts'
import type { ParquetOptions } from '../../../src/parquet/writer.ts'
import { columnsOf, structOf } from '../../support/flow/batches.ts'
import { askDuckdb, plain } from '../../support/duckdb.ts'
import { chanceOf, type Chance } from '../../support/values/chance.ts'
import { EVERY_TYPE, randomValue } from '../../support/values/values.ts'

type Row = Record<string, unknown>

function sparseRows(count: number, share: number, chance: Chance): Row[] {
  return Array.from({ length: count }, () =>
    Object.fromEntries(
      EVERY_TYPE.fields.map(({ name, type }) => {
        return [name, chance.once(share) ? randomValue(type, chance) : null]
      }),
    ),
  )
}

async function encode(
  slices: readonly Columns[],
  options: Partial<ParquetOptions> = {},
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  const source = Readable.from(slices) as AsyncIterable<Columns>
  const all = { compression: 'zstd', rowGroupRows: 100_000, ...options } as const
  for await (const piece of encodeSlices(source, slices[0]?.schema ?? EVERY_TYPE, all)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Removes byte order marks at the start of texts, which DuckDB's client for JavaScript drops. */
function unmarked(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\uFEFF/, '')
  if (Array.isArray(value)) return value.map(unmarked)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unmarked(inner)]))
}

for (const compression of ['zstd', 'snappy', 'gzip', 'none'] as const) {
  test(`DuckDB reads columns that are mostly null as they were written with ${compression}`, async (t) => {
    const chance = chanceOf(t)
    // The first part decides which columns are written apart; in the others they may have many values.
    const parts = [
      sparseRows(900, 30, chance),
      sparseRows(80, 1, chance),
      sparseRows(700, 1_000_000, chance),
      sparseRows(1, 1, chance),
      sparseRows(1_000, 3, chance),
    ]
    const slices = parts.map((rows) => columnsOf(EVERY_TYPE, rows))
    for (const rowGroupRows of [100_000, 950, 300]) {
      const file = await encode(slices, { compression, rowGroupRows })
      const read = await askDuckdb(file, 'SELECT * FROM FILE')
      const rows = parts.flat()
      assert.equal(read.length, rows.length)
      for (const [index, values] of read.entries())
        for (const [column, { name }] of EVERY_TYPE.fields.entries())
          assert.deepEqual(
            plain(values[column] ?? null),
            unmarked(rows[index]?.[name]),
            `${name} of row ${index}`,
          )
      for (const group of footerOf(file).rowGroups) assert.ok(group.rows <= rowGroupRows)
    }
  })
}

test('Many small slices make as few pages as one large slice', async (t) => {
  const chance = chanceOf(t)
  const schema = structOf(
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, 'long'] as const)),
  )
  const rows = Array.from({ length: 20_000 }, () =>
    Object.fromEntries(
      schema.fields.map(({ name }) => [name, chance.once(20) ? chance.int(1_000_000) : null]),
    ),
  )
  const whole = await encode([columnsOf(schema, rows)])
  const slices = Array.from({ length: 100 }, (_, i) => columnsOf(schema, rows.slice(i * 200, i * 200 + 200)))
  const file = await encode(slices)
  assert.ok(file.length < 1.05 * whole.length, `${file.length} bytes, ${whole.length} from one slice`)
  const sums = schema.fields.map(({ name }) => `sum(${name}) AS ${name}`).join()
  const sumOf = (name: string): bigint => rows.reduce((sum, row) => sum + BigInt(row[name] ?? 0), 0n)
  const [read = []] = await askDuckdb(file, `SELECT ${sums} FROM FILE`)
  assert.deepEqual(
    read.map(String),
    schema.fields.map(({ name }) => String(sumOf(name))),
  )
})

test('Bounds and counts of nulls in the footer are those of the values', async (t) => {
  const chance = chanceOf(t)
  const slices = [sparseRows(2_000, 20, chance), sparseRows(500, 40, chance)].map((rows) =>
    columnsOf(EVERY_TYPE, rows),
  )
  const file = await encode(slices)
  const names = ['boolean', 'byte', 'short', 'integer', 'long', 'float', 'double', 'date', 'timestamp', 'ntz']
  for (const name of [...names, 'string']) {
    const [expected] = await askDuckdb(
      file,
      `SELECT count(*) - count("${name}"), CAST(min("${name}") AS VARCHAR), CAST(max("${name}") AS VARCHAR) FROM FILE`,
    )
    const [stated] = await askDuckdb(
      file,
      `SELECT stats_null_count, stats_min_value, stats_max_value FROM parquet_metadata(PATH) WHERE path_in_schema = '${name}'`,
    )
    assert.equal(stated?.[0], expected?.[0], name)
    // Long texts have no bounds.
    if (name === 'string' && stated?.[1] === null) continue
    // Zeros of either sign are bounded by both.
    const unsigned = (value: unknown): string => String(value).replace(/^-0\.0$/, '0.0')
    assert.equal(unsigned(stated?.[1]), unsigned(expected?.[1]), name)
    assert.equal(unsigned(stated?.[2]), unsigned(expected?.[2]), name)
  }
})

test('DuckDB finds single rows by the bounds of row groups', async (t) => {
  const schema = structOf(
    Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`c${at}`, 'long'] as const)),
  )
  const rows = Array.from({ length: 5_000 }, (_, row) => ({ [`c${row % 12}`]: row }))
  const file = await encode([columnsOf(schema, rows)], { rowGroupRows: 500 })
  assert.equal(footerOf(file).rowGroups.length, 10)
  assert.deepEqual(await askDuckdb(file, 'SELECT c4 FROM FILE WHERE c4 = 1_804'), [[1_804n]])
  t.diagnostic(`${file.length} bytes`)
})

test('A file with columns that are mostly null describes its columns as any other file does', async (t) => {
  const chance = chanceOf(t)
  const describe = (rows: Row[]): Promise<unknown> =>
    encode([columnsOf(EVERY_TYPE, rows)]).then((file) =>
      askDuckdb(file, 'SELECT * EXCLUDE (file_name) FROM parquet_schema(PATH)'),
    )
  assert.deepEqual(await describe(sparseRows(300, 100, chance)), await describe(sparseRows(3, 1, chance)))
})

test('Failures of the rows end the file', async () => {
  const columns = columnsOf(
    EVERY_TYPE,
    Array.from({ length: 100 }, () => ({})),
  )
  const source = (async function* () {
    yield await Promise.resolve(columns)
    throw new Error('no more rows')
  })()
  await assert.rejects(async () => {
    for await (const piece of encodeSlices(source, EVERY_TYPE, { compression: 'zstd', rowGroupRows: 1_000 }))
      assert.ok(piece.length > 0)
  }, /no more rows/)
})
