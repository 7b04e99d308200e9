// Goal: what a table asks of its rows holds for rows that the service appends: constraints, generated and default columns.
// Method: as in columns.test.ts; records that break a rule must become dead letters, and Spark must agree on the rest.
import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { featureTests } from './support/feature.ts'

featureTests({
  name: 'checkConstraints',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, kind STRING, price DECIMAL(10,2), at TIMESTAMP, st STRUCT<x: INT>) USING delta`,
    `INSERT INTO ${table} VALUES (-1, 'a', 1.50, TIMESTAMP'2026-01-01 00:00:00', struct(1)), (-2, NULL, 0, TIMESTAMP'2026-01-01 00:00:00', struct(0))`,
    `ALTER TABLE ${table} ADD CONSTRAINT low CHECK (id > -10 AND id * 2 + 1 < 10000)`,
    `ALTER TABLE ${table} ADD CONSTRAINT kinds CHECK (kind IN ('a', 'b', 'c') OR kind LIKE 'x%' OR kind IS NULL)`,
    `ALTER TABLE ${table} ADD CONSTRAINT priced CHECK (NOT (price < 0) AND price <> 13.00)`,
    `ALTER TABLE ${table} ADD CONSTRAINT recent CHECK (at >= '2020-01-01' AND st.x BETWEEN 0 AND 5000)`,
  ],
  record: (id) => ({
    id,
    kind: ['a', 'b', 'xyz', null][id % 4],
    price: id / 4 === 13 ? 14 : id / 4,
    at: `2026-01-01T00:00:0${id % 10}.000000Z`,
    st: { x: id },
  }),
  refused: [
    { id: -11, price: 1, kind: 'a', at: '2026-01-01T00:00:00Z', st: { x: 1 } },
    { id: 1, price: 1, kind: 'd', at: '2026-01-01T00:00:00Z', st: { x: 1 } },
    // What is neither true nor false is not true.
    { id: 1, price: null, kind: 'a', at: '2026-01-01T00:00:00Z', st: { x: 1 } },
    { id: 1, price: -1, kind: 'a', at: '2026-01-01T00:00:00Z', st: { x: 1 } },
    { id: 1, price: 13, kind: 'a', at: '2026-01-01T00:00:00Z', st: { x: 1 } },
    { id: 1, price: 1, kind: 'a', at: '2019-01-01T00:00:00Z', st: { x: 1 } },
    { id: 1, price: 1, kind: 'a', at: '2026-01-01T00:00:00Z', st: { x: -1 } },
  ],
})

featureTests({
  name: 'invariants',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.minWriterVersion' = '2')`,
  ],
  // SQL has no words for them; Spark obeys those that older versions left in a schema.
  prepare: async ({ path, table, spark }) => {
    const log = join(path, '_delta_log/00000000000000000000.json')
    const invariant = JSON.stringify({ expression: { expression: 'id > -5' } })
    const lines = (await readFile(log, 'utf8')).split('\n').map((line) => {
      if (!line.startsWith('{"metaData"')) return line
      const action = JSON.parse(line) as { metaData: { schemaString: string } }
      const schema = JSON.parse(action.metaData.schemaString) as { fields: { metadata: object }[] }
      const [first] = schema.fields
      assert.ok(first)
      first.metadata = { 'delta.invariants': invariant }
      action.metaData.schemaString = JSON.stringify(schema)
      return JSON.stringify(action)
    })
    await writeFile(log, lines.join('\n'))
    for (const name of ['00000000000000000000.crc', '.00000000000000000000.json.crc'])
      await rm(join(path, '_delta_log', name), { force: true })
    await spark.fresh(`INSERT INTO ${table} VALUES (-1, 'a')`)
    await assert.rejects(spark.sql(`INSERT INTO ${table} VALUES (-6, 'a')`), /id > -5/)
  },
  record: (id) => ({ id, v: `v${id}` }),
  refused: [{ id: -6, v: 'below' }],
})

featureTests({
  name: 'generatedColumns',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, at TIMESTAMP, d DATE GENERATED ALWAYS AS (CAST(at AS DATE)),
      y INT GENERATED ALWAYS AS (YEAR(at)), m INT GENERATED ALWAYS AS (MONTH(at)), dom INT GENERATED ALWAYS AS (DAY(at)),
      h INT GENERATED ALWAYS AS (HOUR(at)), f STRING GENERATED ALWAYS AS (DATE_FORMAT(at, 'yyyy-MM')),
      day DATE GENERATED ALWAYS AS (DATE(at))) USING delta PARTITIONED BY (d)`,
    `INSERT INTO ${table} (id, at) VALUES (-1, TIMESTAMP'2025-12-31 23:59:59.999999'), (-2, NULL)`,
  ],
  record: (id) => ({ id, at: `2026-0${(id % 3) + 1}-02T0${id % 10}:30:00.000000Z` }),
  row: (id) => {
    const [date, month] = [`2026-0${(id % 3) + 1}-02`, (id % 3) + 1]
    return {
      id,
      at: `${date}T0${id % 10}:30:00.000000Z`,
      d: date,
      y: 2026,
      m: month,
      dom: 2,
      h: id % 10,
      f: date.slice(0, 7),
      day: date,
    }
  },
  // A value of its own must be the one that would be generated.
  refused: [{ id: 1, at: '2026-01-02T00:30:00Z', y: 2025 }],
  check: async ({ spark, table }) => {
    const wrong = `d <> CAST(at AS DATE) OR y <> YEAR(at) OR m <> MONTH(at) OR dom <> DAY(at) OR h <> HOUR(at)
      OR f <> DATE_FORMAT(at, 'yyyy-MM') OR day <> DATE(at)`
    const [row] = await spark.rows(`SELECT count(*) AS n FROM ${table} WHERE ${wrong}`)
    assert.equal(row?.['n'], 0)
  },
})

featureTests({
  name: 'allowColumnDefaults',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, kind STRING DEFAULT 'none', n INT DEFAULT 42, day DATE DEFAULT DATE'2026-01-01', v STRING)
      USING delta TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')`,
    `INSERT INTO ${table} (id) VALUES (-1)`,
    `INSERT INTO ${table} VALUES (-2, DEFAULT, NULL, DATE'2020-01-01', 'v')`,
  ],
  record: (id) => (id % 2 === 0 ? { id } : { id, kind: 'own', n: null, day: '2020-02-02', v: 'v' }),
  row: (id) =>
    id % 2 === 0
      ? { id, kind: 'none', n: 42, day: '2026-01-01', v: null }
      : { id, kind: 'own', n: null, day: '2020-02-02', v: 'v' },
})
