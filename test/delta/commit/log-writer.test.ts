import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { createTable, tableExists } from '../../../src/delta/maintenance/create.ts'
import {
  checkpointKey,
  checkpointPartKey,
  commitKey,
  LAST_CHECKPOINT_KEY,
} from '../../../src/delta/protocol/paths.ts'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter, type TableWriterOptions } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { allCommits, emptyTable, ONE_LONG, operationOf, pathsOf, someAppend } from '../table.ts'

const encoder = new TextEncoder()

test('A table that did not exist takes an append and shows it in the next snapshot', async () => {
  const store = new MemoryStore()
  assert.equal(await tableExists(store), false)
  assert.deepEqual(await createTable(store, { schema: ONE_LONG, partitionColumns: [] }), { created: true })
  const writer = await openTableWriter(store)
  assert.equal(await writer.txn('app-0'), undefined)
  const outcome = await writer.append(someAppend('app-0', undefined, 9007199254740993n, 'a.parquet'))
  assert.deepEqual(outcome, { kind: 'committed', version: 1n, attempts: 1, conflicts: 0, ambiguous: 0 })
  assert.equal(await writer.txn('app-0'), 9007199254740993n)
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.version, 1n)
  assert.equal(snapshot.txns.get('app-0')?.version, 9007199254740993n)
  assert.deepEqual(await pathsOf(snapshot.files()), ['a.parquet'])
  assert.deepEqual((await allCommits(store)).map(operationOf), ['CREATE TABLE', 'STREAMING UPDATE'])
})

test('Exactly one of many concurrent creators creates the table, and all can open it', async () => {
  const store = new MemoryStore()
  const results = await Promise.all(
    Array.from({ length: 10 }, () => createTable(store, { schema: ONE_LONG, partitionColumns: [] })),
  )
  assert.equal(results.filter(({ created }) => created).length, 1)
  assert.equal((await openTableWriter(store)).version, 0n)
})

test('Every tenth commit leaves a checkpoint, and the table reopens from it alone', async () => {
  const store = new MemoryStore()
  await filledTable(store, 20)
  assert.notEqual(await store.size(checkpointKey(10n)), undefined)
  const last = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_KEY))) as Record<
    string,
    unknown
  >
  assert.equal(last['version'], 20)
  // Protocol, metadata, one txn and twenty files.
  assert.equal(last['size'], 23)
  assert.equal(last['numOfAddFiles'], 20)
  assert.equal(last['sizeInBytes'], await store.size(checkpointKey(20n)))
  for (let version = 0n; version <= 20n; version++) await store.delete(commitKey(version))
  await assertFilled(store, 20)
})

test('A checkpoint interval of the table is respected', async () => {
  const store = new MemoryStore()
  await filledTable(store, 7, { 'delta.checkpointInterval': '3' })
  const sizes = await Promise.all([3n, 6n, 7n].map((version) => store.size(checkpointKey(version))))
  assert.deepEqual(
    sizes.map((size) => size !== undefined),
    [true, true, false],
  )
})

for (const [situation, body] of [
  ['missing', undefined],
  ['stale', '{"version":10,"size":13}'],
  ['garbage', '{"version":'],
  ['empty', ''],
  ['pointing past the end', '{"version":4000,"size":13}'],
  ['pointing at a version without a checkpoint', '{"version":13,"size":13}'],
  ['of a wrong checksum', '{"version":10,"size":13,"checksum":"00000000000000000000000000000000"}'],
] as const) {
  test(`A table whose _last_checkpoint is ${situation} opens at its newest version`, async () => {
    const store = new MemoryStore()
    await filledTable(store, 23)
    await store.delete(LAST_CHECKPOINT_KEY)
    if (body !== undefined) await store.put(LAST_CHECKPOINT_KEY, encoder.encode(body))
    for (let version = 0n; version <= 9n; version++) await store.delete(commitKey(version))
    await assertFilled(store, 23)
  })
}

test('A checkpoint that cannot be written fails no commit, causes a warning, and is written after the next commit', async () => {
  const warnings: PipelineError[] = []
  let broken = true
  const store = new MemoryStore('', {
    fault: ({ operation, key }) =>
      broken && operation === 'put' && key.endsWith('.parquet') ? 'refused' : undefined,
  })
  const writer = await filledTable(store, 10, {}, { onWarning: (warning) => warnings.push(warning) })
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['KD_CHECKPOINT_FAILED'],
  )
  broken = false
  await writer.append(someAppend('other', undefined, 1n))
  await writer.idle()
  assert.notEqual(await store.size(checkpointKey(11n)), undefined)
})

test('A log read that fails while a checkpoint is written leaves no checkpoint, whole or short', async () => {
  let broken = false
  const store = new MemoryStore('', {
    fault: ({ operation, key }) =>
      broken && operation === 'get' && key === commitKey(5n) ? 'refused' : undefined,
  })
  const writer = await filledTable(store, 9)
  broken = true
  await writer.append(someAppend('other', undefined, 1n))
  await writer.idle()
  assert.equal(await store.size(checkpointKey(10n)), undefined)
})

test('A multi-part checkpoint is read when all its parts exist, and ignored when one is missing', async () => {
  const store = new MemoryStore()
  await filledTable(store, 10)
  // Two parts with the same contents: duplicate actions reconcile to the same state.
  const body = await store.get(checkpointKey(10n))
  await store.delete(checkpointKey(10n))
  await store.put(checkpointPartKey(10n, 1, 2), body)
  await assertFilled(store, 10)
  await store.delete(commitKey(0n))
  await assert.rejects(loadSnapshot(store), corrupt(/version 0 is missing/))
  await store.put(checkpointPartKey(10n, 2, 2), body)
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.txns.get('app-0')?.version, 9n)
})

test('A gap in the versions is a corrupt log, named by the missing version', async () => {
  const store = new MemoryStore()
  await filledTable(store, 5)
  await store.delete(commitKey(3n))
  await assert.rejects(loadSnapshot(store), corrupt(/version 3\b/))
})

test('A log without version 0 and without a checkpoint is corrupt', async () => {
  const store = new MemoryStore()
  await filledTable(store, 5)
  await store.delete(commitKey(0n))
  await assert.rejects(loadSnapshot(store), corrupt(/version 0 is missing/))
})

test('A truncated line is a corrupt log, named by version and line', async () => {
  const store = new MemoryStore()
  await filledTable(store, 2)
  const body = await store.get(commitKey(2n))
  await store.put(commitKey(2n), body.subarray(0, body.length - 20))
  await assert.rejects(loadSnapshot(store), corrupt(/version 2, line 3\b/))
})

test('A first commit without metadata is corrupt', async () => {
  const store = new MemoryStore()
  const protocol = { minReaderVersion: 1, minWriterVersion: 2 }
  await store.put(commitKey(0n), serialiseActions([{ kind: 'protocol', protocol }]))
  await assert.rejects(loadSnapshot(store), corrupt(/no metaData action/))
})

test('A directory without a log is a missing table', async () => {
  await assert.rejects(openTableWriter(new MemoryStore()), coded('KD_TABLE_MISSING'))
})

test('A version that does not exist yet, or was cleaned up, is refused as an invalid command', async () => {
  const store = new MemoryStore()
  await filledTable(store, 12)
  await assert.rejects(loadSnapshot(store, { version: 13n }), coded('KD_COMMAND_INVALID'))
  await store.delete(commitKey(0n))
  await assert.rejects(loadSnapshot(store, { version: 3n }), coded('KD_COMMAND_INVALID'))
  assert.equal((await loadSnapshot(store, { version: 11n })).version, 11n)
})

test('An appId that txn retention may have expired is not taken for one that was never there', async () => {
  const store = new MemoryStore()
  const writer = await filledTable(store, 12, { 'delta.setTransactionRetentionDuration': 'interval 1 day' })
  assert.equal(await writer.txn('never'), undefined)
  await store.delete(commitKey(0n))
  await assert.rejects(writer.txn('never'), coded('KD_OFFSETS_VANISHED'))
  // A `txn` that the table still holds counts.
  assert.equal(await writer.txn('app-0'), 11n)
})

test('Lookups that wait are answered from one listing of the log, each with its own outcome', async () => {
  const store = new CountingStore()
  const writer = await filledTable(store, 12, { 'delta.setTransactionRetentionDuration': 'interval 1 day' })
  store.listings = 0
  const appIds = Array.from({ length: 1_000 }, (_, partition) => `app-${partition}`)
  const versions = await Promise.all(appIds.map((appId) => writer.txn(appId)))
  assert.deepEqual([versions[0], versions[999], store.listings], [11n, undefined, 1])
  assert.deepEqual(
    [...(await writer.txns())].map(([appId, { version }]) => [appId, version]),
    [['app-0', 11n]],
  )
  await store.delete(commitKey(0n))
  const outcomes = await Promise.allSettled(['app-1', 'app-0', 'app-2'].map((appId) => writer.txn(appId)))
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected'],
  )
})

test('Lookups in vain leave the next ones unharmed', async () => {
  const store = new CountingStore()
  const writer = await filledTable(store, 2)
  store.failure = new Error('No listing')
  await assert.rejects(Promise.all([writer.txn('app-0'), writer.txn('app-1')]), /No listing/)
  store.failure = undefined
  assert.equal(await writer.txn('app-0'), 1n)
})

/** A store in memory that counts its listings, and fails them on request. */
class CountingStore extends MemoryStore {
  listings = 0
  failure: Error | undefined

  override list(...range: Parameters<MemoryStore['list']>): ReturnType<MemoryStore['list']> {
    this.listings++
    if (this.failure !== undefined) throw this.failure
    return super.list(...range)
  }
}

async function filledTable(
  store: Store,
  appends: number,
  configuration: Record<string, string> = {},
  options: TableWriterOptions = {},
): ReturnType<typeof openTableWriter> {
  await emptyTable(store, configuration)
  const writer = await openTableWriter(store, options)
  for (let i = 0n; i < BigInt(appends); i++) {
    await writer.append(someAppend('app-0', i === 0n ? undefined : i - 1n, i, `${i}.parquet`))
    await writer.idle()
  }
  return writer
}

async function assertFilled(store: Store, appends: number): Promise<void> {
  const snapshot = await loadSnapshot(store)
  assert.equal(snapshot.version, BigInt(appends))
  assert.equal(snapshot.txns.get('app-0')?.version, BigInt(appends - 1))
  const paths = await pathsOf(snapshot.files())
  assert.deepEqual(
    paths,
    Array.from({ length: appends }, (_, index) => `${index}.parquet`),
  )
  assert.equal((await openTableWriter(store)).version, BigInt(appends))
}

function corrupt(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'KD_TABLE_CORRUPT')
    assert.match(error.message, message)
    return true
  }
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PipelineError && error.code === code
}
