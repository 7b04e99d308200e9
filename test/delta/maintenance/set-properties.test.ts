import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { setTableProperties } from '../../../src/delta/maintenance/set-properties.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { allCommits, emptyTable, featuredTable, operationOf, someAppend } from '../table.ts'

test('Properties are set, others stay, and an open writer does not commit files that it made before', async () => {
  const store = new MemoryStore()
  await emptyTable(store, { 'delta.checkpointInterval': '5', owner: 'us' })
  const writer = await openTableWriter(store)
  const done = await setTableProperties(store, {
    'delta.checkpointInterval': '7',
    'delta.targetFileSize': '64mb',
  })
  const expected = { 'delta.checkpointInterval': '7', owner: 'us', 'delta.targetFileSize': '64mb' }
  assert.deepEqual(done, { version: 1n, properties: expected })
  assert.deepEqual((await loadSnapshot(store)).metadata.configuration, expected)
  assert.equal(operationOf((await allCommits(store))[1] ?? { version: 0n, actions: [] }), 'SET TBLPROPERTIES')
  assert.equal((await writer.append(someAppend('app-0', undefined, 1n))).kind, 'changed')
  const outcome = await writer.append({ ...someAppend('app-0', undefined, 1n), baseSnapshot: writer.shape })
  assert.equal(outcome.kind, 'committed')
})

test('Values that the table already has make no version', async () => {
  const store = new MemoryStore()
  await emptyTable(store, { a: 'b' })
  assert.deepEqual(await setTableProperties(store, { a: 'b' }), { properties: { a: 'b' } })
  assert.equal((await loadSnapshot(store)).version, 0n)
})

test('An append in between is no conflict', async () => {
  const shared = `properties-${Math.random()}`
  const other = new MemoryStore(shared)
  const rival = { armed: false }
  const store = new MemoryStore(shared, {
    fault: async ({ operation }) => {
      if (operation !== 'putIfAbsent' || !rival.armed) return undefined
      rival.armed = false
      await (await openTableWriter(other)).append(someAppend('app-0', undefined, 1n))
      return undefined
    },
  })
  await emptyTable(other)
  rival.armed = true
  assert.equal((await setTableProperties(store, { a: 'b' })).version, 2n)
})

for (const [name, value] of [
  ['delta.enableDeletionVectors', 'true'],
  ['delta.columnMapping.mode', 'name'],
  ['delta.enableRowTracking', 'true'],
  ['delta.enableInCommitTimestamps', 'true'],
  ['delta.dataSkippingStatsColumns', 'a,,b'],
  ['delta.randomPrefixLength', '0'],
  ['delta.feature.rowTracking', 'supported'],
  ['delta.constraints.positive', 'id > 0'],
  ['delta.checkpointInterval', '0'],
  ['delta.appendOnly', 'yes'],
  ['delta.targetFileSize', 'large'],
  ['delta.deletedFileRetentionDuration', 'a while'],
  ['delta.parquet.compression.codec', 'rar'],
  ['delta.dataSkippingNumIndexedCols', '-2'],
] as const) {
  test(`${name}=${value} is refused by its name, and nothing is written`, async () => {
    const store = new MemoryStore()
    await emptyTable(store)
    await assert.rejects(setTableProperties(store, { a: 'b', [name]: value }), (error: Error) =>
      error.message.includes(name),
    )
    assert.equal((await loadSnapshot(store)).version, 0n)
  })
}

test('A property whose feature the table does not have is refused', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: [] }
  await store.put(commitKey(1n), serialiseActions([{ kind: 'protocol', protocol }]))
  await assert.rejects(setTableProperties(store, { 'delta.appendOnly': 'true' }), {
    code: 'KD_TABLE_UNSUPPORTED',
  })
  assert.equal((await setTableProperties(store, { 'delta.appendOnly': 'false' })).version, 2n)
})

test('Features that a property alone cannot enable are refused, even if the table supports them', async () => {
  const store = new MemoryStore()
  await featuredTable(store, ['rowTracking', 'domainMetadata', 'inCommitTimestamp', 'columnMapping'])
  for (const properties of [
    { 'delta.enableRowTracking': 'true' },
    { 'delta.enableInCommitTimestamps': 'true' },
    { 'delta.columnMapping.mode': 'id' },
  ]) {
    await assert.rejects(setTableProperties(store, properties), { code: 'KD_TABLE_UNSUPPORTED' })
  }
})
