// Goal: a table that the service made is a table like any other to Spark, which changes it in every way while the service keeps
// appending without restart; no row is lost or there twice.
// Method: the service carries a topic that grows while Spark works; the rows of the end are known beforehand, as what Spark
// changes is what was there before.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { carry, outputOf } from '../e2e/support/carry.ts'
import { kafkaForTests, nameForTests } from '../support/servers/servers.ts'
import { ourRows } from './support/feature.ts'
import { READERS, readersForTests } from './support/readers.ts'
import { assertSameRows, jsonRows } from './support/same-rows.ts'
import { startService, type Carried, type RunningService } from '../support/service.ts'
import { sparkForTests, tableAt, type Spark } from './support/spark.ts'

interface Row {
  readonly id: number
  /** A partition: Spark changes what is `old` while the service appends what is `new`. */
  readonly lane: string
  readonly v: string | null
  readonly n: number
  readonly extra?: string | null
}

const OLD = 1_000
const BURST = 40
const PAUSE_MS = 400

const contract = {
  type: 'object',
  required: ['id', 'lane', 'n'],
  properties: {
    id: { type: 'integer' },
    lane: { type: 'string' },
    v: { type: 'string' },
    n: { type: 'integer' },
  },
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interop-ours-'))
  await writeFile(join(folder, 'contract.json'), JSON.stringify(contract))
})
after(() => rm(folder, { recursive: true, force: true }))

const recordOf = (id: number, lane: string): Row => ({ id, lane, v: `v${id}`, n: id % 97 })

/** Appends bursts while `work` goes on; the rows. */
async function feedDuring(service: RunningService, from: number, work: () => Promise<void>): Promise<Row[]> {
  const rows: Row[] = []
  const working = { on: true }
  const feeding = (async () => {
    while (working.on) {
      const burst = Array.from({ length: BURST }, (_, index) => recordOf(from + rows.length + index, 'new'))
      rows.push(...burst)
      service.push(burst)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  })()
  try {
    await work()
  } finally {
    working.on = false
    await feeding
  }
  await service.settled()
  return rows
}

/** The rows of a table as Spark's statements leave them. */
class Model {
  readonly rows = new Map<number, Row>()

  add(rows: readonly Row[]): void {
    for (const row of rows) this.rows.set(row.id, row)
  }

  change(edit: (row: Row) => Row | undefined): void {
    for (const row of [...this.rows.values()]) {
      const edited = edit(row)
      if (edited === undefined) this.rows.delete(row.id)
      else this.rows.set(row.id, edited)
    }
  }

  get json(): string[] {
    return jsonRows([...this.rows.values()])
  }
}

/** Every kind of change that does not read what is appended meanwhile; of that Spark would say that it conflicts. */
async function changeAll(spark: Spark, table: string, model: Model): Promise<void> {
  await spark.sql(`OPTIMIZE ${table}`)
  await spark.sql(`ALTER TABLE ${table} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`)
  await spark.sql(`DELETE FROM ${table} WHERE lane = 'old' AND id % 10 = 3`)
  model.change((row) => (row.id % 10 === 3 ? undefined : row))
  await spark.sql(`UPDATE ${table} SET v = NULL, n = n + 1 WHERE lane = 'old' AND id % 10 = 4`)
  model.change((row) => (row.id % 10 === 4 ? { ...row, v: null, n: row.n + 1 } : row))
  await spark.sql(`MERGE INTO ${table} t USING (SELECT id, 'merged' AS v FROM range(0, 1500, 5)) s
    ON t.id = s.id AND t.lane = 'old' WHEN MATCHED AND s.id >= 500 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v`)
  model.change((row) => (row.id % 5 !== 0 ? row : row.id >= 500 ? undefined : { ...row, v: 'merged' }))
  await spark.sql(`ALTER TABLE ${table} ADD COLUMN extra STRING`)
  model.change((row) => ({ ...row, extra: null }))
  await spark.sql(`UPDATE ${table} SET extra = 'x' WHERE lane = 'old' AND id = 1`)
  model.change((row) => (row.id === 1 ? { ...row, extra: 'x' } : row))
  await spark.sql(`ALTER TABLE ${table} SET TBLPROPERTIES ('delta.checkpointInterval' = '7', 'note' = 'set')`)
  await spark.sql(`VACUUM ${table}`)
  await spark.sql(`REORG TABLE ${table} WHERE lane = 'old' APPLY (PURGE)`)
  await spark.sql(`ALTER TABLE ${table} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')`)
  await spark.sql(`OPTIMIZE ${table} ZORDER BY (id)`)
}

test('Spark reads, travels, packs, deletes, updates, merges, vacuums and alters while the service appends', async () => {
  const path = join(folder, 'lanes')
  const table = tableAt(path)
  const spark = await sparkForTests()
  const more = {
    contract: join(folder, 'contract.json'),
    kafkaColumns: false,
    table: { uri: path, partitionColumns: ['lane'] },
  }
  const service = startService({ uri: path, more })
  const model = new Model()
  let carried: Carried
  let pushed = 0
  const push = async (rows: readonly Row[]): Promise<void> => {
    service.push(rows)
    pushed += rows.length
    await service.settled()
  }
  try {
    const old = Array.from({ length: OLD }, (_, id) => recordOf(id, 'old'))
    model.add(old)
    await push(old)
    assertSameRows(await spark.sql(`SELECT * FROM ${table}`), model.json, 'Spark')
    const { version } = await loadSnapshot(new LocalStore(path))
    for (let then = 0n; then <= version; then++) {
      const theirs = await spark.sql(`SELECT * FROM ${table} VERSION AS OF ${then}`)
      assertSameRows(await ourRows(path, then), theirs, `version ${then}`)
    }
    const fresh = await feedDuring(service, OLD, () => changeAll(spark, table, model))
    pushed += fresh.length
    model.add(fresh.map((row) => ({ ...row, extra: null })))
    // Both read the whole table, or what is not committed yet.
    await spark.sql(`VACUUM ${table} RETAIN 0 HOURS`)
    await spark.sql(`ALTER TABLE ${table} ADD CONSTRAINT positive CHECK (id >= 0)`)
    const last = Array.from({ length: 100 }, (_, index) => recordOf(pushed + index, 'last'))
    model.add(last.map((row) => ({ ...row, extra: null })))
    await push(last)
  } finally {
    carried = await service.stop()
  }
  assert.deepEqual(carried.deadLetters, [])
  assert.equal(
    carried.commits.reduce((sum, { counts }) => sum + counts.rows, 0),
    pushed,
  )
  assertSameRows(await spark.fresh(`SELECT * FROM ${table}`), model.json, 'Spark')
  assertSameRows(await ourRows(path), model.json, 'rowLines')
  const readers = await readersForTests()
  for (const reader of readers === undefined ? [] : READERS)
    assertSameRows((await readers?.rows(reader, path)) ?? [], model.json, reader)
  const end = await loadSnapshot(new LocalStore(path))
  assert.equal(end.txns.get('interop-events-0')?.version, BigInt(pushed - 1))
})

test('A topic of a real broker is carried into a table that Spark has given features', async () => {
  const brokers = await kafkaForTests()
  const spark = await sparkForTests()
  const path = join(folder, 'carried')
  const table = tableAt(path)
  const carryOnce = async (seed: number): Promise<number> => {
    const topic = nameForTests('interop')
    const { expected } = await carry({
      brokers,
      topic,
      uri: path,
      folder,
      records: 1_000,
      badEvery: 100,
      flushCount: 300,
      seed,
    })
    return expected.good
  }
  const first = await carryOnce(1)
  await spark.sql(`ALTER TABLE ${table} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name',
    'delta.enableDeletionVectors' = 'true', 'delta.enableInCommitTimestamps' = 'true', 'delta.checkpointPolicy' = 'v2',
    'delta.checkpointInterval' = '4')`)
  await spark.sql(`ALTER TABLE ${table} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')`)
  const [gone] = await spark.rows(`DELETE FROM ${table} WHERE _kafka_offset % 10 = 0`)
  const second = await carryOnce(2)
  const theirs = await spark.fresh(`SELECT * FROM ${table}`)
  assert.equal(theirs.length, first + second - Number(gone?.['num_affected_rows']))
  assertSameRows(await outputOf(['table', 'cat', path]), theirs, 'table cat')
  const [ids] = await spark.rows(`SELECT count(DISTINCT _metadata.row_id) AS n FROM ${table}`)
  assert.equal(ids?.['n'], theirs.length)
  const readers = await readersForTests()
  if (readers !== undefined) assertSameRows(await readers.rows('delta-rs', path), theirs, 'delta-rs')
})
