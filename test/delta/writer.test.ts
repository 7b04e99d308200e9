import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../src/core/schema.ts'
import { createTable, tableExists } from '../../src/delta/create.ts'
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
