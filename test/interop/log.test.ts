// Goal: what a table asks of its log holds for versions that the service writes, and Spark goes on from them.
// Method: as in columns.test.ts; then Spark, with nothing remembered, checks the feature itself and changes the table once more.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { APPENDED, featureTests, ourRows, type TableFacts } from './support/feature.ts'
import { assertSameRows } from './support/same-rows.ts'

const record = (id: number): { id: number; v: string } => ({ id, v: `v${id}` })

/** A number that a query gives. */
async function numberOf({ spark }: TableFacts, query: string): Promise<number> {
  const [row] = await spark.rows(`SELECT (${query}) AS n`)
  return Number(row?.['n'])
}

/** Names in the log's folder. */
async function logOf({ path }: TableFacts): Promise<string[]> {
  return (await readdir(join(path, '_delta_log'))).sort()
}

/** The actions of one kind in all commits that are there, in order. */
async function actionsOf<T>(facts: TableFacts, kind: string): Promise<T[]> {
  const names = (await logOf(facts)).filter((name) => /^\d{20}\.json$/.test(name))
  const actions: T[] = []
  for (const name of names) {
    const text = await readFile(join(facts.path, '_delta_log', name), 'utf8')
    for (const line of text.split('\n').filter((part) => part !== '')) {
      const action = JSON.parse(line) as Record<string, T>
      if (action[kind] !== undefined) actions.push(action[kind])
    }
  }
  return actions
}

/** Spark deletes and adds rows once more, and both still agree. */
async function goOn(facts: TableFacts): Promise<void> {
  await facts.spark.sql(`DELETE FROM ${facts.table} WHERE id % 100 = 1`)
  await facts.spark.sql(`UPDATE ${facts.table} SET v = 'changed' WHERE id = 2`)
  assertSameRows(
    await ourRows(facts.path),
    await facts.spark.sql(`SELECT * FROM ${facts.table}`),
    'after Spark',
  )
}

featureTests({
  name: 'deletionVectors',
  commandLine: true,
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`,
    `INSERT INTO ${table} SELECT -id, concat('s', id) FROM range(1, 3000)`,
    `DELETE FROM ${table} WHERE id % 7 = 0`,
    `UPDATE ${table} SET v = 'changed' WHERE id = -1`,
  ],
  record,
  check: async (facts) => {
    await goOn(facts)
    const adds = await actionsOf<{ deletionVector?: object }>(facts, 'add')
    assert.ok(adds.some((add) => add.deletionVector !== undefined))
  },
})

featureTests({
  name: 'inCommitTimestamp',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta`,
    `INSERT INTO ${table} VALUES (-1, 'a')`,
    `ALTER TABLE ${table} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')`,
    `INSERT INTO ${table} VALUES (-2, 'b')`,
  ],
  record,
  check: async (facts) => {
    const infos = await actionsOf<{ inCommitTimestamp?: number }>(facts, 'commitInfo')
    const times = infos.slice(2).map((info) => info.inCommitTimestamp ?? NaN)
    assert.ok(times.length > 3)
    for (const [index, time] of times.entries())
      assert.ok(index === 0 || time > (times[index - 1] ?? NaN), String(times))
    // Spark dates our versions by them, and finds each of them by its date.
    const history = await facts.spark.rows(`DESCRIBE HISTORY ${facts.table}`)
    for (const [index, time] of times.entries()) {
      const version = index + 2
      const entry = history.find((row) => row['version'] === version)
      assert.equal(Date.parse(String(entry?.['timestamp'])), time)
      const at = new Date(time).toISOString()
      const then = await facts.spark.sql(`SELECT * FROM ${facts.table} TIMESTAMP AS OF '${at}'`)
      assertSameRows(await ourRows(facts.path, BigInt(version)), then, at)
    }
    await goOn(facts)
  },
})

featureTests({
  name: 'rowTracking',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.enableRowTracking' = 'true')`,
    `INSERT INTO ${table} VALUES (-1, 'a'), (-2, 'b')`,
    `INSERT INTO ${table} VALUES (-3, 'c')`,
  ],
  record,
  check: async (facts) => {
    const { table } = facts
    const all = await numberOf(facts, `SELECT count(*) FROM ${table}`)
    assert.equal(all, APPENDED + 3)
    assert.equal(await numberOf(facts, `SELECT count(DISTINCT _metadata.row_id) FROM ${table}`), all)
    assert.equal(await numberOf(facts, `SELECT max(_metadata.row_id) FROM ${table}`), all - 1)
    const versions = await facts.spark.rows(
      `SELECT DISTINCT _metadata.row_commit_version AS v FROM ${table} WHERE id >= 0 ORDER BY v`,
    )
    assert.deepEqual(
      versions.map(({ v }) => v),
      [3, 4, 5],
    )
    const ids = await facts.spark.sql(`SELECT id, _metadata.row_id AS r FROM ${table} WHERE id % 100 <> 1`)
    await goOn(facts)
    const later = await facts.spark.sql(`SELECT id, _metadata.row_id AS r FROM ${table}`)
    assertSameRows(
      later,
      ids.filter((row) => later.includes(row)),
      'row ids stay',
    )
    await facts.spark.sql(`INSERT INTO ${table} VALUES (5000, 'new')`)
    const next = await numberOf(facts, `SELECT _metadata.row_id FROM ${table} WHERE id = 5000`)
    assert.ok(next >= all, `row id ${next}`)
  },
})

featureTests({
  name: 'clustering, and with it domainMetadata',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING, w INT) USING delta CLUSTER BY (v, id) TBLPROPERTIES ('delta.checkpointInterval' = '3')`,
    `INSERT INTO ${table} VALUES (-1, 'a', 1), (-2, 'b', NULL)`,
    `OPTIMIZE ${table}`,
  ],
  record: (id) => ({ id, v: `v${id}`, w: id }),
  check: async (facts) => {
    assert.ok((await logOf(facts)).some((name) => name.includes('.checkpoint')))
    await facts.spark.fresh(`OPTIMIZE ${facts.table}`)
    const [detail] = await facts.spark.rows(`DESCRIBE DETAIL ${facts.table}`)
    assert.deepEqual(detail?.['clusteringColumns'], ['v', 'id'])
    await goOn(facts)
  },
})

featureTests({
  name: 'changeDataFeed',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')`,
    `INSERT INTO ${table} VALUES (-1, 'a'), (-2, 'b')`,
    `UPDATE ${table} SET v = 'changed' WHERE id = -1`,
    `DELETE FROM ${table} WHERE id = -2`,
  ],
  record,
  check: async (facts) => {
    await goOn(facts)
    const changes = await facts.spark.rows(
      `SELECT _change_type AS kind, count(*) AS n FROM table_changes_by_path('${facts.path}', 4) GROUP BY ALL ORDER BY kind`,
    )
    assert.deepEqual(
      changes.map(({ kind, n }) => `${String(kind)} ${String(n)}`),
      ['delete 10', `insert ${APPENDED}`, 'update_postimage 1', 'update_preimage 1'],
    )
  },
})

featureTests({
  name: 'v2Checkpoint',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta
      TBLPROPERTIES ('delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '2')`,
    ...[1, 2, 3].map((id) => `INSERT INTO ${table} VALUES (-${id}, 'a')`),
  ],
  record,
  check: async (facts) => {
    const { version } = await loadSnapshot(new LocalStore(facts.path))
    const names = (await logOf(facts)).filter((name) =>
      /checkpoint\.[0-9a-f-]{36}\.(?:json|parquet)$/.test(name),
    )
    assert.ok(
      names.some((name) => BigInt(name.slice(0, 20)) > 3n),
      `a checkpoint of ours: ${names.join(' ')}`,
    )
    assert.equal(
      (await logOf(facts)).some((name) => /\d\.checkpoint\.parquet$/.test(name)),
      false,
    )
    assert.ok(version >= 6n)
    await goOn(facts)
  },
})

featureTests({
  name: 'checkpoints in parts',
  settings: ['SET spark.databricks.delta.checkpoint.partSize = 2'],
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '5')`,
    ...[1, 2, 3, 4, 5, 6].map((id) => `INSERT INTO ${table} VALUES (-${id}, 'a')`),
  ],
  prepare: async (facts) => {
    assert.ok((await logOf(facts)).some((name) => /checkpoint\.\d{10}\.\d{10}\.parquet$/.test(name)))
  },
  record,
  check: goOn,
})

featureTests({
  name: 'statistics as structs, and none as JSON, in checkpoints',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING, st STRUCT<x: DATE>, p INT) USING delta PARTITIONED BY (p) TBLPROPERTIES
      ('delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false', 'delta.checkpointInterval' = '3')`,
    ...[1, 2, 3, 4].map((id) => `INSERT INTO ${table} VALUES (-${id}, 'a', struct(DATE'2026-01-01'), ${id})`),
  ],
  record: (id) => ({ id, v: `v${id}`, st: { x: '2026-02-02' }, p: id % 3 }),
  check: async (facts) => {
    const names = await logOf(facts)
    assert.ok(names.includes('00000000000000000006.checkpoint.parquet'), names.join(' '))
    const checkpoint = `parquet.\`${facts.path}/_delta_log/00000000000000000006.checkpoint.parquet\``
    const rows = await facts.spark.rows(
      `SELECT sum(add.stats_parsed.numRecords) AS n, max(add.stats_parsed.maxValues.id) AS m, count(add.partitionValues_parsed.p) AS p
       FROM ${checkpoint} WHERE add IS NOT NULL`,
    )
    assert.ok(Number(rows[0]?.['n']) >= 800, JSON.stringify(rows))
    assert.ok(Number(rows[0]?.['m']) >= 799)
    assert.ok(Number(rows[0]?.['p']) >= 7)
    assert.equal(
      await numberOf(facts, `SELECT count(*) FROM ${facts.table} WHERE id = 7 AND st.x = '2026-02-02'`),
      1,
    )
    await goOn(facts)
  },
})

featureTests({
  name: 'version checksums',
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING) USING delta`,
    `INSERT INTO ${table} VALUES (-1, 'a')`,
    `INSERT INTO ${table} VALUES (-2, 'b')`,
  ],
  record,
  check: async (facts) => {
    const { version } = await loadSnapshot(new LocalStore(facts.path))
    const name = `${String(version).padStart(20, '0')}.crc`
    assert.ok((await logOf(facts)).includes(name), `${name} is there`)
    const crc = JSON.parse(await readFile(join(facts.path, '_delta_log', name), 'utf8')) as Record<
      string,
      unknown
    >
    const [detail] = await facts.spark.rows(`DESCRIBE DETAIL ${facts.table}`)
    assert.deepEqual(
      [crc['numFiles'], crc['tableSizeBytes']],
      [detail?.['numFiles'], detail?.['sizeInBytes']],
    )
    assert.deepEqual([crc['numMetadata'], crc['numProtocol']], [1, 1])
    await goOn(facts)
  },
})

featureTests({
  name: 'checkpointInterval, dataSkippingStatsColumns and the codec',
  // Spark knows no codec of a table, but others do.
  settings: ['SET spark.databricks.delta.allowArbitraryProperties.enabled = true'],
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT, v STRING, w INT, st STRUCT<x: INT, y: INT>) USING delta TBLPROPERTIES
      ('delta.checkpointInterval' = '4', 'delta.dataSkippingStatsColumns' = 'w,st.y', 'delta.parquet.compression.codec' = 'gzip')`,
    `INSERT INTO ${table} VALUES (-1, 'a', 1, struct(1, 1))`,
    `INSERT INTO ${table} VALUES (-2, 'b', 2, NULL)`,
  ],
  record: (id) => ({ id, v: `v${id}`, w: id, st: { x: id, y: -id } }),
  check: async (facts) => {
    assert.ok((await logOf(facts)).includes('00000000000000000004.checkpoint.parquet'))
    for (const add of await actionsOf<{ stats: string }>(facts, 'add')) {
      const stats = JSON.parse(add.stats) as Record<'minValues' | 'nullCount', Record<string, object>>
      assert.deepEqual(
        Object.keys(stats.minValues),
        stats.minValues['st'] === undefined ? ['w'] : ['w', 'st'],
      )
      assert.deepEqual(Object.keys(stats.nullCount).sort(), ['st', 'w'])
      assert.deepEqual(Object.keys(stats.nullCount['st'] ?? {}), ['y'])
    }
    await goOn(facts)
  },
})

featureTests({
  name: 'files of another place, of a shallow clone',
  statements: ({ table, path }) => [
    `CREATE TABLE delta.\`${path}-source\` (id BIGINT, v STRING, p STRING) USING delta PARTITIONED BY (p)`,
    `INSERT INTO delta.\`${path}-source\` VALUES (-1, 'a', 'x y'), (-2, 'b', NULL)`,
    `CREATE TABLE ${table} SHALLOW CLONE delta.\`${path}-source\``,
    `INSERT INTO ${table} VALUES (-3, 'c', 'x y')`,
  ],
  record: (id) => ({ id, v: 'v', p: `p ${id % 2}` }),
  notRead: { duckdb: /Cannot open file/ },
})

featureTests({
  name: 'many features at once',
  commandLine: true,
  statements: ({ table }) => [
    `CREATE TABLE ${table} (id BIGINT NOT NULL, old STRING, at TIMESTAMP, y INT GENERATED ALWAYS AS (YEAR(at)), n TIMESTAMP_NTZ) USING delta
      CLUSTER BY (id) TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true',
      'delta.enableRowTracking' = 'true', 'delta.enableInCommitTimestamps' = 'true', 'delta.enableChangeDataFeed' = 'true',
      'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '3', 'delta.feature.allowColumnDefaults' = 'supported')`,
    `INSERT INTO ${table} (id, old, at) VALUES (-1, 'a', TIMESTAMP'2026-01-01 00:00:00'), (-2, NULL, NULL)`,
    `ALTER TABLE ${table} ADD CONSTRAINT low CHECK (id < 10000)`,
    `ALTER TABLE ${table} RENAME COLUMN old TO v`,
    `DELETE FROM ${table} WHERE id = -2`,
  ],
  record: (id) => ({ id, v: `v${id}`, at: '2026-01-01T00:00:00.000001Z', n: '2026-01-01T00:00:00.000001' }),
  row: (id) => ({
    id,
    v: `v${id}`,
    at: '2026-01-01T00:00:00.000001Z',
    y: 2026,
    n: '2026-01-01T00:00:00.000001',
  }),
  refused: [{ id: 10_000 }, { v: 'no id' }],
  check: async (facts) => {
    await goOn(facts)
    const all = await numberOf(facts, `SELECT count(*) FROM ${facts.table}`)
    assert.equal(await numberOf(facts, `SELECT count(DISTINCT _metadata.row_id) FROM ${facts.table}`), all)
  },
})
