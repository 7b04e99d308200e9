import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toArrowSchema, toRecordBatch } from '../../src/arrow/record-batch.ts'
import { ExactNumber } from '../../src/core/exact.ts'
import { encodeParquet } from '../../src/parquet/writer.ts'
import { columnsOf, structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import { askDuckdb, plain } from '../support/duckdb.ts'
import { fileOf } from '../support/values/parquet-file.ts'
import { EVERY_TYPE, randomRows } from '../support/values/values.ts'

/**
 * Removes byte order marks at the start of texts, which DuckDB's client for JavaScript drops; another test covers them.
 */
function unmarked(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\uFEFF/, '')
  if (Array.isArray(value)) return value.map(unmarked)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unmarked(inner)]))
}

test('A byte order mark at the start of a text is in the file', async () => {
  const file = await fileOf(structOf({ s: 'string' }), [[{ s: '\uFEFFa' }]])
  assert.deepEqual(await askDuckdb(file, 'SELECT hex(s) FROM FILE'), [['EFBBBF61']])
})

for (const codec of ['zstd', 'snappy', 'gzip', 'none'] as const) {
  test(`DuckDB reads rows of every type, nulls at every level, as they were written with ${codec}`, async (t) => {
    const rows = randomRows(300, chanceOf(t))
    const file = await fileOf(EVERY_TYPE, [rows.slice(0, 100), rows.slice(100, 101), rows.slice(101)], {
      codec,
    })
    const names = EVERY_TYPE.fields.map(({ name }) => name)
    const read = await askDuckdb(file, 'SELECT * FROM FILE')
    assert.equal(read.length, rows.length)
    for (const [index, values] of read.entries())
      for (const [column, value] of values.entries())
        assert.deepEqual(
          plain(value),
          unmarked(rows[index]?.[names[column] ?? '']),
          `${names[column]} of row ${index}`,
        )
  })
}

test('Columns have the Parquet types that the Delta specification asks for', async () => {
  const file = await fileOf(EVERY_TYPE, [[{}]])
  const types = await askDuckdb(file, 'SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM FILE)')
  assert.deepEqual(Object.fromEntries(types.slice(0, 15)), {
    boolean: 'BOOLEAN',
    byte: 'TINYINT',
    short: 'SMALLINT',
    integer: 'INTEGER',
    long: 'BIGINT',
    float: 'FLOAT',
    double: 'DOUBLE',
    small: 'DECIMAL(5,2)',
    middle: 'DECIMAL(18,6)',
    large: 'DECIMAL(38,10)',
    string: 'VARCHAR',
    binary: 'BLOB',
    date: 'DATE',
    timestamp: 'TIMESTAMP WITH TIME ZONE',
    ntz: 'TIMESTAMP',
  })
})

test('No row group has more rows than it may, however record batches are cut', async () => {
  const schema = structOf({ n: 'long' })
  const batches = [70, 1, 130, 49].map((count, batch) =>
    Array.from({ length: count }, (_, n) => ({ n: batch * 1000 + n })),
  )
  const file = await fileOf(schema, batches, { rowGroupRows: 60 })
  const groups = await askDuckdb(file, groupsQuery)
  const counts = groups.map(([, rows]) => Number(rows))
  assert.ok(
    counts.every((count) => count <= 60),
    counts.join(),
  )
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    250,
  )
  assert.deepEqual(
    (await askDuckdb(file, 'SELECT n FROM FILE')).map(([n]) => Number(n)),
    batches.flat().map(({ n }) => n),
  )
})

const groupsQuery =
  'SELECT row_group_id, max(row_group_num_rows) FROM parquet_metadata(PATH) GROUP BY 1 ORDER BY 1'

test('A file without rows is valid', async () => {
  const file = await fileOf(structOf({ n: 'long', s: 'string' }), [[]])
  assert.deepEqual(await askDuckdb(file, 'SELECT count(*) FROM FILE'), [[0n]])
})

test('A reader that stops early stops the production of batches', async () => {
  let made = 0
  const schema = structOf({ n: 'long' })
  const many = (function* () {
    for (; made < 10_000; made++)
      yield toRecordBatch(toArrowSchema(schema), columnsOf(schema, [{ n: made }]).columns, 1)
  })()
  for await (const piece of encodeParquet(many, { compression: 'none', rowGroupRows: 2 })) {
    assert.ok(piece.length > 0)
    break
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  const soonAfter = made
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(made < 10_000, 'not all were made')
  assert.equal(made, soonAfter)
})

test('An error while batches are made is thrown as a PipelineError', async () => {
  const failing = (function* () {
    const schema = structOf({ n: 'long' })
    yield toRecordBatch(toArrowSchema(schema), columnsOf(schema, [{ n: 1 }]).columns, 1)
    throw new Error('no more')
  })()
  await assert.rejects(
    async () => {
      for await (const piece of encodeParquet(failing, { compression: 'zstd', rowGroupRows: 10 }))
        assert.ok(piece.length > 0)
    },
    { code: 'KD_PARQUET_FAILED', message: /no more/ },
  )
})
