// Goal: nothing is written into the log of another table. Method: the table is deleted, replaced or set back before each
// request of a commit, one after the other, and the log that is there afterwards must be exactly the other one.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { PipelineError } from '../../../src/core/errors.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { MemoryStore, type MemoryRequest } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { emptyTable, hastyClock, ONE_LONG, someAppend } from '../table.ts'

/** Version of the table before the append that is tested. */
const BEFORE = 2
/** With this interval the append is due for a checkpoint. */
const DUE = '3'

type Change = (store: Store, interval: string) => Promise<void>

const CHANGES: readonly (readonly [name: string, interval: string, change: Change])[] = [
  ['deleted', '1000', deleteAll],
  ['deleted', DUE, deleteAll],
  ['replaced by one with fewer versions', '1000', (store) => replace(store, BEFORE - 1)],
  ['replaced by one with as many versions', '1000', (store) => replace(store, BEFORE)],
  ['replaced by one with one version more', '1000', (store) => replace(store, BEFORE + 1)],
  ['replaced by one with one version more', DUE, (store) => replace(store, BEFORE + 1, DUE)],
  ['replaced by one with more versions', '1000', (store) => replace(store, BEFORE + 3)],
  ['set back to an older version', '1000', (store) => setBack(store, BEFORE - 1)],
  ['set back to an older version', DUE, (store) => setBack(store, BEFORE - 1)],
  ['set back and written by others', '1000', setBackAndWrite],
]

for (const [name, interval, change] of CHANGES) {
  const due = interval === DUE ? 'due for a checkpoint' : 'due for none'
  test(`A table that is ${name} gets nothing of an append ${due}, before whichever request it happens`, async () => {
    const outcomes: string[] = []
    for (let at = 0; outcomes.at(-1) !== 'untouched'; at++) {
      assert.ok(at < 100, 'an append ends after a bounded number of requests')
      outcomes.push(await appendWhile(change, interval, at))
    }
    // The last requests belong to the checkpoint and the checksum of a commit that was made before.
    assert.deepEqual([...new Set(outcomes)], ['KD_TABLE_REPLACED', 'committed', 'untouched'])
  })
}

/** Appends, and changes the table before the request number `at`; returns how the append ended. */
async function appendWhile(change: Change, interval: string, at: number): Promise<string> {
  const name = randomUUID()
  const plain = new MemoryStore(name)
  let requests = 0
  let isCounting = false
  let expected: ReadonlyMap<string, string> | undefined
  const store = new MemoryStore(name, {
    fault: async () => {
      if (!isCounting || requests++ !== at) return undefined
      await change(plain, interval)
      expected = await contentsOf(plain)
      return undefined
    },
  })
  await emptyTable(plain, { 'delta.checkpointInterval': interval })
  await fill(plain, BEFORE)
  const writer = await openTableWriter(store, { clock: hastyClock })
  isCounting = true
  const outcome = await writer.append(someAppend('ours', undefined, 1n)).then(
    ({ kind }) => kind,
    (error: unknown) => codeOf(error),
  )
  await writer.idle()
  isCounting = false
  if (expected === undefined) return 'untouched'
  const where = `changed before request ${at}, ${outcome}`
  const contents = await contentsOf(plain)
  // A checkpoint of the other table may have been replaced by ours in a put, and is then missing.
  const isCommit = (key: string): boolean => /\d\.json$/u.test(key)
  for (const [key, text] of contents) assert.equal(text, expected.get(key), `${key}, ${where}`)
  assert.deepEqual([...contents.keys()].filter(isCommit), [...expected.keys()].filter(isCommit), where)
  if (expected.has(commitKey(0n))) assert.equal((await loadSnapshot(plain)).txns.has('ours'), false, where)
  return outcome
}

test('A writer of a replaced table writes nothing more, and a new one continues with the new table', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await writer.append(someAppend('ours', undefined, 1n))
  await writer.idle()
  await replace(store, 5)
  assert.equal(writer.isReplaced, false)
  const replaced = { code: 'KD_TABLE_REPLACED', retryable: false, message: /version 1 is not the commit/ }
  await assert.rejects(writer.txns(), replaced)
  assert.equal(writer.isReplaced, true)
  await assert.rejects(writer.append(someAppend('ours', 1n, 2n)), replaced)
  await assert.rejects(writer.txn('ours'), replaced)
  await assert.rejects(writer.findFenced([]), replaced)
  const next = await openTableWriter(store)
  assert.equal(await next.txn('ours'), undefined)
  assert.equal((await next.append(someAppend('ours', undefined, 1n))).kind, 'committed')
})

test('Commits of other writers and a log that they cleaned up are no other table', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  await fill(store, 3)
  const writer = await openTableWriter(store, { clock: hastyClock })
  await fill(store, 50)
  for (let version = 0n; version < 50n; version++) await store.delete(commitKey(version))
  assert.deepEqual(await writer.txns(), (await loadSnapshot(store)).txns)
  assert.equal((await writer.append(someAppend('ours', undefined, 1n))).kind, 'committed')
})

test('A commit whose file expired beside its checkpoint is followed by the next one', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  await fill(store, 10)
  for (let version = 0n; version <= 10n; version++) await store.delete(commitKey(version))
  const writer = await openTableWriter(store, { clock: hastyClock })
  const outcomes = [
    await writer.append(someAppend('ours', undefined, 1n)),
    await writer.append(someAppend('ours', 1n, 2n)),
  ]
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['committed', 'committed'],
  )
})

test('An opened table without its newest commit file is another one after it got another id', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  await fill(store, 10)
  for (let version = 0n; version <= 10n; version++) await store.delete(commitKey(version))
  const writer = await openTableWriter(store, { clock: hastyClock })
  await replace(store, 20, '10')
  await store.delete(commitKey(10n))
  await assert.rejects(writer.append(someAppend('ours', undefined, 1n)), {
    code: 'KD_TABLE_REPLACED',
    message: /has the id/,
  })
})

test('A deletion that missed one commit is found by the next one', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  await fill(store, 3)
  const writer = await openTableWriter(store, { clock: hastyClock })
  await writer.append(someAppend('ours', undefined, 1n))
  await writer.idle()
  for await (const { key } of store.list('')) if (key !== commitKey(4n)) await store.delete(key)
  await assert.rejects(writer.append(someAppend('ours', 1n, 2n)), { code: 'KD_TABLE_REPLACED' })
  assert.deepEqual(await keysOf(store), [commitKey(4n)])
})

test('A put whose response was lost is withdrawn from a table that was replaced meanwhile', async () => {
  const name = randomUUID()
  const plain = new MemoryStore(name)
  const store = new MemoryStore(name, {
    fault: async ({ operation, key }) => {
      if (operation !== 'putIfAbsent' || key !== commitKey(4n)) return undefined
      await replace(plain, 1)
      return 'answer-lost'
    },
  })
  await emptyTable(plain)
  await fill(plain, 3)
  const writer = await openTableWriter(store, { clock: hastyClock })
  await assert.rejects(writer.append(someAppend('ours', undefined, 1n)), { code: 'KD_TABLE_REPLACED' })
  assert.equal(await plain.size(commitKey(4n)), undefined)
})

test('A commit costs three reads of at most 4 KiB beside its put', async () => {
  const requests: MemoryRequest[] = []
  const store = new MemoryStore('', {
    fault: (request) => {
      requests.push(request)
      return undefined
    },
  })
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await writer.append(someAppend('ours', undefined, 1n))
  await writer.idle()
  requests.length = 0
  await writer.append(someAppend('ours', 1n, 2n))
  assert.deepEqual(
    requests.slice(0, 4).map(({ operation, key }) => `${operation} ${key}`),
    [`get ${commitKey(1n)}`, `get ${commitKey(0n)}`, `putIfAbsent ${commitKey(2n)}`, `get ${commitKey(1n)}`],
  )
  assert.deepEqual(
    requests.slice(4).filter(({ key }) => key.endsWith('.json')),
    [],
  )
})

async function deleteAll(store: Store): Promise<void> {
  for await (const { key } of store.list('')) await store.delete(key)
}

/** Deletes the table and creates another one of the same schema, as another engine would. */
async function replace(store: Store, version: number, interval = '1000'): Promise<void> {
  await deleteAll(store)
  await createTable(store, {
    schema: ONE_LONG,
    partitionColumns: [],
    configuration: { 'delta.checkpointInterval': interval },
  })
  await fill(store, version)
}

/** Removes the newest versions, as restoring a copy of the folder does. */
async function setBack(store: Store, version: number): Promise<void> {
  for await (const { key } of store.list('_delta_log/'))
    if (Number(/\/(\d{20})\./u.exec(key)?.[1] ?? Infinity) > version) await store.delete(key)
}

async function setBackAndWrite(store: Store): Promise<void> {
  await setBack(store, BEFORE - 1)
  await fill(store, BEFORE + 2)
}

/** Lets another writer append up to a version. */
async function fill(store: Store, version: number): Promise<void> {
  const writer = await openTableWriter(store, { clock: hastyClock })
  while (writer.version < BigInt(version)) {
    await writer.append(someAppend(randomUUID(), undefined, 1n))
    // So that each checkpoint and checksum is written.
    await writer.idle()
  }
}

async function contentsOf(store: Store): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>()
  for (const key of await keysOf(store))
    contents.set(key, Buffer.from(await store.get(key)).toString('latin1'))
  return contents
}

async function keysOf(store: Store): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}

function codeOf(error: unknown): string {
  return error instanceof PipelineError ? error.code : String(error)
}
