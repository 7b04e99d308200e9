import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../src/core/schema.ts'
import { createTable, tableExists } from '../../src/delta/create.ts'
import { commitKey } from '../../src/delta/paths.ts'
import { loadSnapshot } from '../../src/delta/snapshot.ts'
import { openTableWriter } from '../../src/delta/writer.ts'
import { MemoryStore } from '../../src/storage/memory.ts'

const schema: StructType = {
  type: 'struct',
  fields: [{ name: 'id', type: 'long', nullable: true, metadata: {} }],
}

test('A table that did not exist takes an append and shows it in the next snapshot', async () => {
  const store = new MemoryStore()
  assert.equal(await tableExists(store), false)
  assert.deepEqual(await createTable(store, { schema, partitionColumns: [] }), { created: true })
  const writer = await openTableWriter(store)
  assert.equal(await writer.txn('app-0'), undefined)
  const outcome = await writer.append({
    adds: [{ path: 'a.parquet', partitionValues: {}, size: 1, modificationTime: 1, dataChange: true }],
    txns: [{ appId: 'app-0', version: 9007199254740993n, follows: undefined }],
    operationParameters: {},
    operationMetrics: {},
  })
  assert.deepEqual(outcome, { kind: 'committed', version: 1n, attempts: 1, conflicts: 0, ambiguous: 0 })
  assert.equal(await writer.txn('app-0'), 9007199254740993n)
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.version, 1n)
  assert.equal(snapshot.txns.get('app-0')?.version, 9007199254740993n)
  const paths: string[] = []
  for await (const add of snapshot.files()) paths.push(add.path)
  assert.deepEqual(paths, ['a.parquet'])
})

test('Every tenth commit leaves a checkpoint, and the table reopens from it alone', async () => {
  const warnings: unknown[] = []
  const store = new MemoryStore()
  await createTable(store, { schema, partitionColumns: [] })
  const writer = await openTableWriter(store, { onWarning: (warning) => warnings.push(warning) })
  for (let i = 0; i < 20; i++) {
    await writer.append({
      adds: [{ path: `${i}.parquet`, partitionValues: {}, size: 1, modificationTime: 1, dataChange: true, stats: '{}' }],
      txns: [{ appId: 'app-0', version: BigInt(i), follows: i === 0 ? undefined : BigInt(i - 1) }],
      operationParameters: {},
      operationMetrics: {},
    })
  }
  assert.deepEqual(warnings, [])
  for (let version = 0n; version <= 20n; version++) await store.delete(commitKey(version))
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.version, 20n)
  assert.equal(snapshot.txns.get('app-0')?.version, 19n)
  const paths: string[] = []
  for await (const add of snapshot.files()) paths.push(add.path)
  assert.deepEqual(paths, Array.from({ length: 20 }, (_, i) => `${i}.parquet`))
})
