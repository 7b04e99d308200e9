// Goal: tables that we create with features are tables with these features to Spark: it reads them, writes to them, and
// uses the features; and we append behind it.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { StructType } from '../../src/core/schema.ts'
import { createTable } from '../../src/delta/maintenance/create.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { carryRecords } from '../support/service.ts'
import { ourRows } from './support/feature.ts'
import { assertSameRows } from './support/same-rows.ts'
import { sparkForTests, tableAt, type Spark } from './support/spark.ts'

const field = (name: string, type: StructType['fields'][number]['type']): StructType['fields'][number] => ({
  name,
  type,
  nullable: true,
  metadata: {},
})
const schema: StructType = {
  type: 'struct',
  fields: [
    field('id', 'integer'),
    field('p', 'string'),
    field('st', { type: 'struct', fields: [field('x', 'integer'), field('y', 'string')] }),
    field('list', {
      type: 'array',
      elementType: { type: 'struct', fields: [field('q', 'integer')] },
      containsNull: true,
    }),
  ],
}

let folder: string
let spark: Spark
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interop-created-'))
  spark = await sparkForTests()
})
after(() => rm(folder, { recursive: true, force: true }))

const recordOf = (id: number): object => ({ id, p: `p ${id % 2}`, st: { x: id, y: 'y' }, list: [{ q: id }] })

for (const [name, configuration, statements] of [
  ['no feature', {}, []],
  [
    'columnMapping by name',
    { 'delta.columnMapping.mode': 'name' },
    ['ALTER TABLE T RENAME COLUMN st.y TO `y z`', 'ALTER TABLE T DROP COLUMN list'],
  ],
  ['columnMapping by id', { 'delta.columnMapping.mode': 'id' }, ['ALTER TABLE T RENAME COLUMN id TO key']],
  ['inCommitTimestamp', { 'delta.enableInCommitTimestamps': 'true' }, []],
  ['rowTracking', { 'delta.enableRowTracking': 'true' }, ['UPDATE T SET p = NULL WHERE id = 3']],
  ['deletionVectors', { 'delta.enableDeletionVectors': 'true' }, ['DELETE FROM T WHERE id = 3']],
  ['typeWidening', { 'delta.enableTypeWidening': 'true' }, ['ALTER TABLE T ALTER COLUMN id TYPE BIGINT']],
  ['v2Checkpoint', { 'delta.checkpointPolicy': 'v2', 'delta.checkpointInterval': '2' }, ['OPTIMIZE T']],
  ['changeDataFeed', { 'delta.enableChangeDataFeed': 'true' }, ['DELETE FROM T WHERE id = 3']],
  [
    'all of them',
    {
      'delta.columnMapping.mode': 'name',
      'delta.enableInCommitTimestamps': 'true',
      'delta.enableRowTracking': 'true',
      'delta.enableDeletionVectors': 'true',
      'delta.enableTypeWidening': 'true',
      'delta.enableChangeDataFeed': 'true',
      'delta.randomizeFilePrefixes': 'true',
      'delta.dataSkippingStatsColumns': 'id, st.x',
    },
    [
      'ALTER TABLE T ALTER COLUMN id TYPE BIGINT',
      'DELETE FROM T WHERE id = 3',
      'UPDATE T SET p = NULL WHERE id = 4',
      'OPTIMIZE T',
    ],
  ],
] as const) {
  test(`a table created with ${name} is one to Spark, and is appended to behind it`, async () => {
    const path = join(folder, name.replaceAll(' ', '-'))
    const table = tableAt(path)
    await createTable(new LocalStore(path), { schema, partitionColumns: ['p'], configuration })
    const records = Array.from({ length: 50 }, (_, id) => recordOf(id))
    await carryRecords(records, { uri: path, flushCount: 20 })
    await spark.sql(
      `INSERT INTO ${table} VALUES (-1, 'spark', named_struct('x', 1, 'y', 'z'), array(named_struct('q', 1)))`,
    )
    for (const statement of statements) await spark.sql(statement.replaceAll(/\bT\b/g, table))
    await carryRecords([{ p: 'p 1' }, { p: 'new' }], { uri: path, appId: 'another' })
    assertSameRows(await ourRows(path), await spark.fresh(`SELECT * FROM ${table}`), name)
    const [detail] = await spark.rows(`DESCRIBE DETAIL ${table}`)
    const properties = detail?.['properties'] as Record<string, string>
    for (const [key, value] of Object.entries(configuration)) assert.equal(properties[key], value, key)
    if ('delta.enableRowTracking' in configuration) {
      const [ids] = await spark.rows(
        `SELECT count(*) AS n, count(DISTINCT _metadata.row_id) AS ids FROM ${table}`,
      )
      assert.equal(ids?.['ids'], ids?.['n'])
    }
  })
}
