import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookAtTable } from '../../../src/console/look/table-health.ts'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { setTableProperties } from '../../../src/delta/maintenance/set-properties.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { checksumKey, commitKey } from '../../../src/delta/protocol/paths.ts'
import { serialiseSchema } from '../../../src/delta/schema/schema-json.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { emptyTable, ONE_LONG, someAdd, someAppend } from '../../delta/table.ts'

const MIB = 2 ** 20
const NOW_MS = 1_700_000_100_000

/** Commits a version as another engine would, with its operation at a time. */
async function commit(
  store: MemoryStore,
  version: bigint,
  operation: string,
  timestamp: number,
): Promise<void> {
  const info = { kind: 'commitInfo', commitInfo: { operation, timestamp } } as const
  await store.putIfAbsent(commitKey(version), serialiseActions([info]))
}

test('Files are counted by size, and small ones are those below the size that optimize packs', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const sizes = [100, MIB, 5 * MIB, 130 * MIB, 600 * MIB]
  const adds = sizes.map((size) => ({ ...someAdd(), size }))
  const writer = await openTableWriter(store)
  await writer.append({ ...someAppend('a', undefined, 1n), adds })
  await writer.idle()
  const { health } = await lookAtTable(store, { nowMs: NOW_MS })
  assert.deepEqual([health.files, health.version, health.atMs, health.smallShare], [5, '1', NOW_MS, 3 / 5])
  assert.equal(
    health.bytes,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  assert.deepEqual(
    health.sizes.map(({ upToBytes, files }) => [upToBytes === null ? null : upToBytes / MIB, files]),
    [
      [1, 2],
      [4, 0],
      [16, 1],
      [64, 0],
      [128, 0],
      [512, 1],
      [null, 1],
    ],
  )
  assert.equal((await lookAtTable(store, { nowMs: NOW_MS, targetBytes: MIB })).health.smallShare, 1 / 5)
  await setTableProperties(store, { 'delta.targetFileSize': '1gb' })
  assert.equal((await lookAtTable(store, { nowMs: NOW_MS })).health.smallShare, 1)
})

test('An empty table has no share of small files, and what did not happen is null', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const { health } = await lookAtTable(store, { nowMs: NOW_MS })
  const { files, bytes, smallShare, schemaChanges, isPartial } = health
  assert.deepEqual([files, bytes, smallShare, schemaChanges, isPartial], [0, 0, null, 0, undefined])
  const { checkpointVersion, checkpointAtMs, lastOptimizeAtMs, lastVacuumAtMs } = health
  assert.deepEqual(
    [checkpointVersion, checkpointAtMs, lastOptimizeAtMs, lastVacuumAtMs],
    [null, null, null, null],
  )
})

test('The last optimize, vacuum and checkpoint are found in the log, whoever did them', async () => {
  const store = new MemoryStore('', { now: () => 77_000 })
  await emptyTable(store)
  for (const [at, operation] of ['WRITE', 'OPTIMIZE', 'WRITE', 'OPTIMIZE', 'VACUUM END', 'WRITE'].entries())
    await commit(store, BigInt(at + 1), operation, 1_000 * (at + 1))
  await writeCheckpoint(store, 4n, { nowMs: 0 })
  const { health } = await lookAtTable(store, { nowMs: NOW_MS })
  assert.deepEqual([health.lastOptimizeAtMs, health.lastVacuumAtMs], [4_000, 5_000])
  assert.deepEqual([health.checkpointVersion, health.checkpointAtMs], ['4', 77_000])
})

test('Changes of the columns count, those of properties do not', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  await setTableProperties(store, { note: 'a' })
  const { fields } = ONE_LONG
  const wider = { ...ONE_LONG, fields: [...fields, { ...fields[0], name: 'more' }] } as typeof ONE_LONG
  const format = { provider: 'parquet', options: {} }
  const metaData = {
    id: 'x',
    format,
    schemaString: serialiseSchema(wider),
    partitionColumns: [],
    configuration: {},
  }
  await store.putIfAbsent(commitKey(2n), serialiseActions([{ kind: 'metaData', metaData }]))
  assert.equal((await lookAtTable(store, { nowMs: NOW_MS })).health.schemaChanges, 1)
})

test('A further look reads the new commits alone, and at most a hundred are kept', async () => {
  const reads: string[] = []
  const store = new MemoryStore('', {
    fault: ({ operation, key }) => {
      if (operation === 'get') reads.push(key)
      return undefined
    },
  })
  await emptyTable(store)
  for (let version = 1n; version <= 150n; version++) await commit(store, version, 'WRITE', Number(version))
  await writeCheckpoint(store, 150n, { nowMs: 0 })
  const first = await lookAtTable(store, { nowMs: NOW_MS })
  assert.equal(first.commits.length, 100)
  await commit(store, 151n, 'OPTIMIZE', 9)
  reads.length = 0
  const second = await lookAtTable(store, { nowMs: NOW_MS, before: first })
  assert.equal(second.health.lastOptimizeAtMs, 9)
  assert.deepEqual([second.commits.length, second.commits[0]?.version], [100, 151n])
  assert.ok(!reads.includes(commitKey(149n)), 'it was read before')
})

test('Of a table with more files than are looked at, the checksum has the totals; without one they are lower bounds', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await writer.append({
    ...someAppend('a', undefined, 1n),
    adds: Array.from({ length: 20 }, () => someAdd()),
  })
  await writer.idle()
  const options = { nowMs: NOW_MS, filesMax: 10 }
  const known = (await lookAtTable(store, options)).health
  assert.deepEqual([known.files, known.bytes, known.isPartial], [20, 2_000, true])
  assert.deepEqual([known.sizes, known.smallShare], [[], null])
  await store.delete(checksumKey(1n))
  const partial = (await lookAtTable(store, options)).health
  assert.deepEqual(
    [partial.files, partial.bytes, partial.isPartial, partial.smallShare],
    [10, 1_000, true, null],
  )
})

test('A table that was replaced begins with its own commits', async () => {
  const old = new MemoryStore()
  await emptyTable(old)
  for (let version = 1n; version <= 5n; version++) await commit(old, version, 'OPTIMIZE', 7)
  const before = await lookAtTable(old, { nowMs: NOW_MS })
  const store = new MemoryStore()
  await emptyTable(store)
  const { health, commits } = await lookAtTable(store, { nowMs: NOW_MS, before })
  assert.deepEqual([health.lastOptimizeAtMs, commits.length], [null, 1])
  await assert.rejects(lookAtTable(new MemoryStore(), { nowMs: NOW_MS }), { code: 'KD_TABLE_MISSING' })
})
