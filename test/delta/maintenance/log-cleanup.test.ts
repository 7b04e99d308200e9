import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { cleanUpLog } from '../../../src/delta/maintenance/log-cleanup.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { emptyTable, pathsOf, someAppend } from '../table.ts'

const DAY_MS = 86_400_000
const NOW_MS = 100 * DAY_MS + 5_000

/** Creates a table with one append a day, at noon of days 0 to 99, and checkpoints at these versions. */
async function table(
  checkpoints: readonly bigint[],
  configuration: Record<string, string> = {},
): Promise<Store> {
  const time = { ms: 0 }
  const store = new MemoryStore('', { now: () => time.ms })
  const clock = { now: () => time.ms, sleep: () => Promise.resolve() }
  await emptyTable(store, { 'delta.checkpointInterval': '1000', ...configuration })
  const writer = await openTableWriter(store, { clock })
  for (let day = 0; day < 100; day++) {
    time.ms = day * DAY_MS + DAY_MS / 2
    const version = BigInt(day + 1)
    await writer.append(someAppend('app-0', day === 0 ? undefined : BigInt(day - 1), BigInt(day), `f${day}`))
    if (checkpoints.includes(version)) await writeCheckpoint(store, version, { nowMs: time.ms })
  }
  return store
}

async function logOf(store: Store): Promise<string[]> {
  const names: string[] = []
  for await (const { key } of store.list('_delta_log/')) names.push(key.slice('_delta_log/'.length))
  return names
}

const clock = { now: () => NOW_MS, sleep: () => Promise.resolve() }
const versionOf = (name: string): number => Number(name.slice(0, 20))

test('Files before the newest checkpoint older than thirty days are deleted, and its commit stays', async () => {
  const store = await table([20n, 65n, 75n])
  const paths = await pathsOf((await loadSnapshot(store)).files())
  await store.put('_delta_log/00000000000000000003.crc', new Uint8Array(1))
  await store.put('_delta_log/00000000000000000065.00000000000000000070.compacted.json', new Uint8Array(1))
  await store.put('_delta_log/00000000000000000066.00000000000000000070.compacted.json', new Uint8Array(1))
  const before = await logOf(store)
  const done = await cleanUpLog(store, { clock })
  const after = await logOf(store)
  assert.equal(done.checkpoint, 65n)
  assert.equal(done.files, before.length - after.length)
  const versions = after.filter((name) => /^\d/.test(name))
  assert.equal(Math.min(...versions.map(versionOf)), 65)
  assert.ok(after.includes('00000000000000000065.json'))
  assert.ok(after.includes('00000000000000000065.checkpoint.parquet'))
  assert.ok(!after.includes('00000000000000000065.00000000000000000070.compacted.json'))
  assert.ok(after.includes('00000000000000000066.00000000000000000070.compacted.json'))
  assert.deepEqual(await pathsOf((await loadSnapshot(store)).files()), paths)
  assert.equal((await pathsOf((await loadSnapshot(store, { version: 66n })).files())).length, 66)
  await assert.rejects(loadSnapshot(store, { version: 64n }), { code: 'KD_COMMAND_INVALID' })
  assert.deepEqual(await cleanUpLog(store, { clock }), { files: 0, sidecars: 0 })
})

for (const [what, checkpoints, configuration] of [
  ['without a checkpoint', [], {}],
  ['whose only checkpoint is too young', [75n], {}],
  ['that disables the cleanup', [20n, 65n], { 'delta.enableExpiredLogCleanup': 'false' }],
  ['that keeps its log longer', [20n, 65n], { 'delta.logRetentionDuration': 'interval 100 days' }],
  ['with a retention that cannot be read', [20n, 65n], { 'delta.logRetentionDuration': 'a while' }],
] as const) {
  test(`Nothing of the log of a table ${what} is deleted`, async () => {
    const store = await table(checkpoints, configuration)
    const before = await logOf(store)
    assert.deepEqual(await cleanUpLog(store, { clock }), { files: 0, sidecars: 0 })
    assert.deepEqual(await logOf(store), before)
  })
}

test('A run that may delete few files leaves a complete log, and the next one continues', async () => {
  const store = await table([65n])
  assert.equal((await cleanUpLog(store, { clock, filesMax: 10 })).files, 10)
  const left = (await logOf(store)).filter((name) => /^\d{20}\.json$/.test(name)).map(versionOf)
  // The oldest go first.
  assert.deepEqual(
    left,
    Array.from({ length: left.length }, (_, at) => 101 - left.length + at),
  )
  assert.equal((await loadSnapshot(store)).version, 100n)
  await cleanUpLog(store, { clock })
  assert.equal(await store.size(commitKey(64n)), undefined)
})

test('A checkpoint that cannot be read keeps everything', async () => {
  const store = await table([65n])
  await store.put(
    '_delta_log/00000000000000000065.checkpoint.parquet',
    new TextEncoder().encode('no Parquet'),
  )
  await store.put('_delta_log/_last_checkpoint', new TextEncoder().encode('{"version":1,"size":1}'))
  await assert.rejects(cleanUpLog(store, { clock }))
  assert.notEqual(await store.size(commitKey(0n)), undefined)
})

test('Old sidecars that no checkpoint references are deleted; young ones stay', async () => {
  const store = await table([20n, 65n])
  await store.put('_delta_log/_sidecars/orphan.parquet', new Uint8Array(1))
  assert.equal((await cleanUpLog(store, { clock: { ...clock, now: () => NOW_MS + 2 * DAY_MS } })).sidecars, 1)
})

test('A writer that was idle during a cleanup continues at the newest version', async () => {
  const store = await table([20n, 65n])
  const sleeper = await openTableWriter(store, { clock })
  await cleanUpLog(store, { clock })
  assert.equal(await sleeper.txn('app-0'), 99n)
  const outcome = await sleeper.append(someAppend('app-0', 99n, 100n))
  assert.equal(outcome.kind, 'committed')
})
