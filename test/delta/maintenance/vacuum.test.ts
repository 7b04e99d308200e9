import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { checkpointKey, commitKey, encodePath } from '../../../src/delta/protocol/paths.ts'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { vacuumTable, type VacuumOptions, type VacuumResult } from '../../../src/delta/maintenance/vacuum.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { readCommitsFrom } from '../../../src/delta/commit/commit.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { commitInfoOf } from '../../../src/delta/log/state.ts'
import type { Store } from '../../../src/storage/store.ts'
import { structOf } from '../../support/flow/batches.ts'
import { someAdd } from '../table.ts'

const HOUR_MS = 3_600_000
const NOW_MS = 1_800_000_000_000
const clock = { now: () => NOW_MS, sleep: () => Promise.resolve() }
const body = new Uint8Array(7)

/** Creates a table with live, removed, young, foreign and hidden files; `_p` partitions it. */
async function filled(configuration: Record<string, string> = {}): Promise<Store> {
  let nowMs = NOW_MS
  const store = new MemoryStore('', { now: () => nowMs })
  const schema = structOf({ id: 'long', _p: 'string' })
  await createTable(store, { schema, partitionColumns: ['_p'], configuration })
  const put = async (key: string, hours: number): Promise<void> => {
    nowMs = NOW_MS - hours * HOUR_MS
    await store.put(key, body)
  }
  for (const key of ['live.parquet', '_p=a b/live é.parquet', 'gone-200h.parquet', 'gone-300h.parquet'])
    await put(key, 1_000)
  await put('gone-1h.parquet', 1_000)
  await put('orphan-old.parquet', 169)
  await put('orphan-young.parquet', 167)
  await put('_p=x/orphan.parquet', 1_000)
  await put('_change_data/cdc-old.parquet', 1_000)
  await put('_spark_metadata/0', 1_000)
  await put('.hidden/file', 1_000)
  await put('sub/_temporary/file', 1_000)
  await put('_delta_log/_sidecars/x.parquet', 1_000)
  const remove = (path: string, hours: number) => ({
    kind: 'remove' as const,
    remove: { path, deletionTimestamp: NOW_MS - hours * HOUR_MS, dataChange: true },
  })
  nowMs = NOW_MS - 1_000 * HOUR_MS
  const adds = ['live.parquet', '_p=a b/live é.parquet'].map((key) => ({
    kind: 'add' as const,
    add: someAdd(encodePath(key)),
  }))
  await store.put(commitKey(1n), serialiseActions(adds))
  nowMs = NOW_MS - 200 * HOUR_MS
  await store.put(
    commitKey(2n),
    serialiseActions([remove('gone-200h.parquet', 200), remove('gone-300h.parquet', 300)]),
  )
  nowMs = NOW_MS - HOUR_MS
  await store.put(commitKey(3n), serialiseActions([remove('gone-1h.parquet', 1)]))
  return store
}

async function run(
  store: Store,
  options: Partial<VacuumOptions> = {},
): Promise<{ done: VacuumResult; keys: string[] }> {
  const keys: string[] = []
  const done = await vacuumTable(store, {
    dryRun: false,
    clock,
    onFile: (key) => {
      keys.push(key)
      return Promise.resolve()
    },
    ...options,
  })
  return { done, keys }
}

const OLD = [
  '_change_data/cdc-old.parquet',
  '_p=x/orphan.parquet',
  'gone-200h.parquet',
  'gone-300h.parquet',
  'orphan-old.parquet',
]

test('A dry run lists old files that no version within a week references, and deletes nothing', async () => {
  const store = await filled()
  const { done, keys } = await run(store, { dryRun: true })
  assert.deepEqual(keys, OLD)
  assert.deepEqual(done, {
    dryRun: true,
    retentionHours: 168,
    files: 5,
    bytes: 35,
    filesKept: 4,
    stopped: false,
    logFiles: 0,
  })
  for (const key of keys) assert.equal(await store.size(key), 7)
})

test('Exactly the files of the dry run are deleted, and two commits record it', async () => {
  const store = await filled()
  const { version } = await loadSnapshot(store)
  const before: string[] = []
  for await (const { key } of store.list('')) before.push(key)
  await run(store, { retentionHours: 168 })
  const recorded = [commitKey(version + 1n), commitKey(version + 2n)]
  const after: string[] = []
  for await (const { key } of store.list('')) if (!recorded.includes(key)) after.push(key)
  assert.deepEqual(
    after,
    before.filter((key) => !OLD.includes(key)),
  )
  const infos = (await readCommitsFrom(store, version + 1n)).map((commit) => {
    assert.equal(commit.actions.length, 1)
    const info = commitInfoOf(commit)
    return [info?.['operation'], info?.['operationParameters'], info?.['operationMetrics']]
  })
  assert.deepEqual(infos, [
    [
      'VACUUM START',
      {
        retentionCheckEnabled: 'true',
        defaultRetentionMillis: '604800000',
        specifiedRetentionMillis: '604800000',
      },
      { numFilesToDelete: '5', sizeOfDataToDelete: '35' },
    ],
    ['VACUUM END', { status: 'COMPLETED' }, { numDeletedFiles: '5', numVacuumedDirectories: '0' }],
  ])
  assert.deepEqual((await run(store)).keys, [])
  assert.equal((await loadSnapshot(store)).version, version + 2n)
})

test('The file of a deletion vector stays while a version within the retention references it', async () => {
  const store = await filled()
  const { version } = await loadSnapshot(store)
  const name = 'ab^-aqEH.-t@S}K{vb[*k^'
  const kept = 'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin'
  await store.put(kept, new Uint8Array(7))
  await store.put('deletion_vector_00000000-0000-0000-0000-000000000000.bin', new Uint8Array(7))
  const deletionVector = {
    storageType: 'u',
    pathOrInlineDv: name,
    offset: 4,
    sizeInBytes: 40,
    cardinality: 6,
  }
  const add = { ...someAdd('with-vector.parquet'), stats: '{"numRecords":10}', deletionVector }
  await store.put(commitKey(version + 1n), serialiseActions([{ kind: 'add', add }]))
  const later = { ...clock, now: () => NOW_MS + 1_000 * HOUR_MS }
  const { keys } = await run(store, { clock: later })
  assert.ok(!keys.includes(kept))
  assert.ok(keys.includes('deletion_vector_00000000-0000-0000-0000-000000000000.bin'))
})

for (const checkpointed of [false, true]) {
  test(`A longer retention keeps files removed within it${checkpointed ? ', also if a checkpoint dropped their tombstones' : ''}`, async () => {
    const store = await filled()
    if (checkpointed) {
      await writeCheckpoint(store, 3n, { nowMs: NOW_MS })
      assert.notEqual(await store.size(checkpointKey(3n)), undefined)
    }
    const { keys } = await run(store, { retentionHours: 250, dryRun: true })
    // A commit within the retention keeps all files that it removed, even those with an older deletion time.
    const kept = ['gone-200h.parquet', 'gone-300h.parquet']
    assert.deepEqual(
      keys,
      OLD.filter((key) => !kept.includes(key) && key !== 'orphan-old.parquet'),
    )
  })
}

test('A retention shorter than the table has is refused, unless forced', async () => {
  const store = await filled()
  await assert.rejects(run(store, { retentionHours: 167 }), { code: 'KD_COMMAND_INVALID' })
  const { keys } = await run(store, { retentionHours: 0, force: true })
  assert.deepEqual(keys, [...OLD, 'gone-1h.parquet', 'orphan-young.parquet'].sort())
  assert.notEqual(await store.size('live.parquet'), undefined)
  assert.notEqual(await store.size('_p=a b/live é.parquet'), undefined)
})

test('The retention of the table is the default and the minimum', async () => {
  const store = await filled({ 'delta.deletedFileRetentionDuration': 'interval 250 hours' })
  await assert.rejects(run(store, { retentionHours: 200 }), { code: 'KD_COMMAND_INVALID' })
  const { keys, done } = await run(store)
  assert.equal(done.retentionHours, 250)
  assert.ok(!keys.includes('gone-200h.parquet') && keys.includes('gone-300h.parquet'))
})

test('A retention of the table that cannot be read keeps everything', async () => {
  const store = await filled({ 'delta.deletedFileRetentionDuration': 'a while' })
  assert.deepEqual((await run(store)).keys, [])
})

for (const feature of ['icebergCompatV2', 'catalogManaged', 'somethingNew']) {
  test(`A table with ${feature}, which may have other files, is refused by that name`, async () => {
    const store = await filled()
    const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: [feature] }
    await store.put(commitKey(4n), serialiseActions([{ kind: 'protocol', protocol }]))
    await assert.rejects(run(store), (error: Error) => error.message.includes(feature))
  })
}

test('A table with files at absolute paths is refused', async () => {
  const store = await filled()
  const add = someAdd('s3://elsewhere/live.parquet')
  await store.put(commitKey(4n), serialiseActions([{ kind: 'add', add }]))
  await assert.rejects(run(store), { code: 'KD_TABLE_UNSUPPORTED' })
})

test('A deletion that fails is reported as the error, although its record cannot be committed either', async () => {
  const store = await filled()
  const fault = new Error('the deletion was refused')
  const broken = new Proxy(store, {
    get(target, name) {
      if (name === 'delete') return () => Promise.reject(fault)
      if (name === 'putIfAbsent')
        return async (key: string, bytes: Uint8Array) => {
          if (Buffer.from(bytes).includes('VACUUM END')) throw new Error('the record was refused')
          return await target.putIfAbsent(key, bytes)
        }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  await assert.rejects(vacuumTable(broken, { dryRun: false, clock }), fault)
})
