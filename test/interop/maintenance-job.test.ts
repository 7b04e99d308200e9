// Goal: the job that deploy/spark has for tables of `table.maintenance: external` packs and vacuums beside the service, and
// what the table knows of Kafka stays.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { sortedRows } from '../delta/rows-table.ts'
import { pathsOf } from '../delta/table.ts'
import { startService } from '../support/service.ts'
import { sparkForTests } from './support/spark.ts'

const ROWS = 1_000

test('The job of Spark packs the table while the service appends, and the place in Kafka stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maintenance-job-'))
  const path = join(folder, 'table')
  const store = new LocalStore(path)
  const statements = readFileSync('deploy/spark/maintenance.sql', 'utf8')
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim().replaceAll('${table}', path))
    .filter((statement) => statement !== '')
  const contract = join(folder, 'contract.json')
  writeFileSync(contract, JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } }))
  const spark = await sparkForTests()
  const service = startService({
    uri: path,
    more: { contract, table: { uri: path, maintenance: 'external' } },
  })
  const push = async (from: number): Promise<void> => {
    service.push(Array.from({ length: ROWS }, (_, i) => ({ id: from + i })))
    await service.settled()
  }
  try {
    await push(0)
    const before = (await pathsOf((await loadSnapshot(store)).files())).length
    assert.ok(before > 1, `${before} files are to be packed`)
    for (const statement of statements) await spark.sql(statement)
    const packed = await loadSnapshot(store)
    assert.equal((await pathsOf(packed.files())).length, 1)
    assert.equal(packed.txns.get('interop-events-0')?.version, BigInt(ROWS - 1))
    await push(ROWS)
  } finally {
    await service.stop()
  }
  const { txns } = await loadSnapshot(store)
  assert.equal(txns.get('interop-events-0')?.version, BigInt(2 * ROWS - 1))
  assert.equal(new Set(await sortedRows(store)).size, 2 * ROWS)
  await rm(folder, { recursive: true, force: true })
})
