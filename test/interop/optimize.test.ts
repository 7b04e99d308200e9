// Goal: tables that Spark wrote, with features that ask something of files that are written anew, are the same tables for
// Spark after our OPTIMIZE, rows and row ids; Spark goes on with them: OPTIMIZE, DELETE, VACUUM, DESCRIBE HISTORY.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { runTable } from '../cli/table/table-run.ts'
import { sparkForTests, tableAt, type Spark } from './support/spark.ts'

async function command(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runTable(args)
  assert.equal(code, 0, stderr)
}

async function withTable(work: (spark: Spark, path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'interop-optimize-'))
  try {
    await work(await sparkForTests(), join(folder, 'table'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const text = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

/** Three files of 300 rows, of which some are deleted by vectors. */
async function fill(
  spark: Spark,
  path: string,
  columns: string,
  properties: string,
  cluster = '',
): Promise<void> {
  const table = tableAt(path)
  await spark.sql(`CREATE TABLE ${table} (${columns}) USING delta ${cluster} TBLPROPERTIES (${properties})`)
  for (const from of [0, 300, 600]) {
    const rows = `SELECT id, CAST((id * 7919) % 100 AS INT) AS x, CAST(id AS STRING) AS v FROM range(${from}, ${from + 300}, 1, 1)`
    await spark.sql(`INSERT INTO ${table} ${rows}`)
  }
  await spark.sql(`DELETE FROM ${table} WHERE id % 5 = 0`)
}

const COLUMNS = 'id BIGINT, x INT, v STRING'
const VECTORS = "'delta.enableDeletionVectors' = 'true'"

test('Rows keep their ids and commit versions, on a clustered table with in-commit timestamps too', async () => {
  await withTable(async (spark, path) => {
    const tracked = `${VECTORS}, 'delta.enableRowTracking' = 'true', 'delta.enableInCommitTimestamps' = 'true'`
    await fill(spark, path, COLUMNS, tracked, 'CLUSTER BY (x, v)')
    const select = `SELECT id, x, v, _metadata.row_id AS r, _metadata.row_commit_version AS c FROM ${tableAt(path)}`
    const before = text(await spark.rows(select))
    assert.equal(before.length, 720)
    await command('optimize', path)
    await spark.sql(`REFRESH TABLE ${tableAt(path)}`)
    assert.deepEqual(text(await spark.rows(select)), before)
    for await (const add of (await loadSnapshot(new LocalStore(path))).files()) {
      assert.equal(add.clusteringProvider, 'liquid')
      assert.equal(add.deletionVector, undefined)
    }
    // What Spark inserts gets ids above ours; it clusters on, and rows keep their ids.
    await spark.sql(`INSERT INTO ${tableAt(path)} SELECT id, 1, 'n' FROM range(900, 910)`)
    const after = text(await spark.rows(select))
    const ids = (await spark.rows(select)).map((row) => row['r'])
    assert.equal(new Set(ids).size, 730)
    await spark.sql(`OPTIMIZE ${tableAt(path)}`)
    assert.deepEqual(text(await spark.rows(select)), after)
  })
})

for (const mode of ['name', 'id']) {
  test(`Columns mapped by ${mode}, renamed and with vectors, are found in files that were written anew`, async () => {
    await withTable(async (spark, path) => {
      await fill(spark, path, COLUMNS, `${VECTORS}, 'delta.columnMapping.mode' = '${mode}'`)
      await spark.sql(`ALTER TABLE ${tableAt(path)} RENAME COLUMN x TO renamed`)
      const before = text(await spark.rows(`SELECT * FROM ${tableAt(path)}`))
      await command('optimize', path, '--zorder', 'renamed')
      await spark.sql(`REFRESH TABLE ${tableAt(path)}`)
      assert.deepEqual(text(await spark.rows(`SELECT * FROM ${tableAt(path)}`)), before)
      const some = await spark.rows(`SELECT count(*) AS n FROM ${tableAt(path)} WHERE renamed = 19`)
      const wanted = before.filter((row) => (JSON.parse(row) as { renamed: number }).renamed === 19).length
      assert.equal(Number(some[0]?.['n']), wanted)
      assert.ok(wanted > 0, 'rows with that value')
    })
  })
}

test('Spark vacuums, deletes from and describes a table that was packed and vacuumed by us', async () => {
  await withTable(async (spark, path) => {
    await fill(spark, path, COLUMNS, VECTORS)
    await command('optimize', path)
    await command('vacuum', path, '--retention-hours', '0', '--force', '--no-dry-run')
    await spark.sql(`REFRESH TABLE ${tableAt(path)}`)
    const history = (await spark.rows(`DESCRIBE HISTORY ${tableAt(path)}`)).map((row) =>
      String(row['operation']),
    )
    assert.deepEqual(history.slice(0, 3), ['VACUUM END', 'VACUUM START', 'OPTIMIZE'])
    await spark.sql(`DELETE FROM ${tableAt(path)} WHERE id % 5 = 1`)
    await spark.sql(`VACUUM ${tableAt(path)}`)
    const [count] = await spark.rows(`SELECT count(*) AS n FROM ${tableAt(path)}`)
    assert.equal(Number(count?.['n']), 540)
    await command('optimize', path)
    await spark.sql(`REFRESH TABLE ${tableAt(path)}`)
    const [again] = await spark.rows(`SELECT count(*) AS n FROM ${tableAt(path)}`)
    assert.equal(Number(again?.['n']), 540)
    await command('verify', path)
  })
})
