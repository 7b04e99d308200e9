// Goal: the id of a topic stands beside its offsets in the table, and offsets under other appIds are noticed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import type { Txn } from '../../../src/delta/protocol/actions.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { lookUpResumeOffsets } from '../../../src/kafka/source/offset-lookup.ts'
import { TopicIdentity } from '../../../src/kafka/source/topic-id.ts'
import { NO_UUID } from '../../../src/kafka/wire/schema.ts'
import { checkOtherAppIds, otherAppIdsOf, storedTopicIdOf } from '../../../src/service/topic/table-offsets.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { setTableProperties } from '../../../src/delta/maintenance/set-properties.ts'
import { emptyTable, hastyClock, someAppend, ONE_LONG } from '../../delta/table.ts'

test('The id is committed alone, survives a checkpoint, and is read by every writer', async () => {
  const store = new MemoryStore()
  await emptyTable(store, { 'delta.checkpointInterval': '1' })
  const [one, two] = [await openTableWriter(store), await openTableWriter(store)]
  const [mine, theirs] = [storedTopicIdOf(one, 'orders'), storedTopicIdOf(two, 'orders')]
  assert.equal(await mine.read(), undefined)
  assert.equal(await mine.write((1n << 63n) - 1n, undefined), (1n << 63n) - 1n)
  await one.idle()
  assert.equal(await theirs.read(), (1n << 63n) - 1n)
  await store.delete(commitKey(0n))
  await store.delete(commitKey(1n))
  const { txns } = await loadSnapshot(store)
  assert.deepEqual(
    [...txns].map(([appId, { version }]) => [appId, version]),
    [['orders-topic-id', (1n << 63n) - 1n]],
  )
  assert.ok(txns.get('orders-topic-id')?.lastUpdated !== undefined)
})

test('Two workers at first sight agree, and a worker with another topic learns of the first one', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const workers = await Promise.all([1, 2, 3].map(() => openTableWriter(store)))
  const [one, two, three] = workers.map((writer) => storedTopicIdOf(writer, 'orders'))
  assert.deepEqual(await Promise.all([one?.write(7n, undefined), two?.write(7n, undefined)]), [7n, 7n])
  assert.equal(await three?.write(9n, undefined), 7n)
  // With the id that it replaces, as acceptTopicId does.
  assert.equal(await three?.write(9n, 7n), 9n)
  assert.equal(await one?.read(), 9n)
})

test('A table whose properties change meanwhile takes the id', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const writer = await openTableWriter(store)
  await setTableProperties(store, { 'delta.checkpointInterval': '3' })
  // The writer learns of the change, but its files would be those of the table that it opened.
  assert.equal(await writer.txn('orders-0'), undefined)
  assert.equal(await storedTopicIdOf(writer, 'orders').write(7n, undefined), 7n)
})

test('A table that never had an id is not taken for one whose id has expired', async () => {
  const store = new MemoryStore()
  const configuration = {
    'delta.setTransactionRetentionDuration': 'interval 1 day',
    'delta.checkpointInterval': '1',
  }
  await createTable(store, { schema: ONE_LONG, partitionColumns: [], configuration })
  const writer = await openTableWriter(store)
  await writer.append(someAppend('orders-0', undefined, 4n))
  await writer.idle()
  await store.delete(commitKey(0n))
  assert.equal(await storedTopicIdOf(await openTableWriter(store), 'orders').read(), undefined)
})

const TXNS = txnsOf({
  'a-orders-0': 10n,
  'a-orders-11': 12n,
  'a-orders-topic-id': 7n,
  'a-orders-dlq-0': 3n,
  'a-orders-replay-0': 1n,
  'b-orders-0': 10n,
  'b-orders-topic-id': 8n,
  'old-0': 4n,
  'spark-query': 99n,
  'users-0': 5n,
})

for (const [what, appId, topicId, sameTopic, unknownTopic, hasOwn] of [
  ['a new appId over the same topic', 'new', 7n, ['a-orders'], ['old'], false],
  ['the appId of the table', 'a-orders', 7n, [], ['old'], true],
  ['two appIds over one topic', 'b-orders', 7n, ['a-orders'], ['old'], true],
  ['a topic that was created again', 'new', 9n, [], ['old'], false],
  ['brokers without ids', 'new', undefined, [], ['a-orders', 'b-orders', 'old'], false],
] as const) {
  test(`Other appIds in the table are told by the id of their topic: ${what}`, () => {
    const found = otherAppIdsOf(TXNS, appId, topicId, new Set([appId, 'users']))
    assert.deepEqual(found, { sameTopic, unknownTopic, hasOwn })
  })
}

/** Its first 63 bits are 7. */
const SEVEN = Buffer.from(`000000000000000e${'0'.repeat(16)}`, 'hex').toString('base64url')

/** Checks the appIds of a table and returns the warnings. */
async function warned(
  appId: string,
  onSecondAppId: 'warn' | 'refuse' | 'allow' = 'warn',
  txns = () => Promise.resolve(TXNS),
): Promise<string[]> {
  const warnings: string[] = []
  const log = { debug: () => undefined, warn: (_: unknown, message?: string) => warnings.push(message ?? '') }
  const topic = { topic: 'orders', appId, topicId: SEVEN, configured: new Set<string>(), onSecondAppId }
  await checkOtherAppIds({ uri: 's3://lake/orders', txns }, topic, log as never)
  return warnings
}

test('The warning names both appIds: always for the same topic, for unknown ones until the own one has offsets', async () => {
  const first = await warned('new')
  assert.equal(first.length, 2)
  assert.match(
    first[0] ?? '',
    /already holds this topic under the appId "a-orders", and now reads it under "new"/,
  )
  assert.match(first[1] ?? '', /under the appId "old", "users" and none under "new"/)
  assert.deepEqual((await warned('b-orders')).length, 1)
  assert.deepEqual(await warned('a-orders'), [])
  const other = txnsOf({ 'new-0': 1n, 'spark-query': 3n })
  assert.deepEqual(await warned('new', 'warn', () => Promise.resolve(other)), [])
})

test('A second appId is refused with both appIds, or allowed without a word', async () => {
  const refused = { code: 'KD_CONFIG_INVALID', retryable: false }
  await assert.rejects(warned('new', 'refuse'), {
    ...refused,
    message: /topics\.orders\.onSecondAppId: .*"a-orders".*"new".*Nothing was read/,
  })
  const unknown = txnsOf({ 'old-0': 4n })
  await assert.rejects(
    warned('new', 'refuse', () => Promise.resolve(unknown)),
    { ...refused, message: /"old" and none under "new"/ },
  )
  assert.deepEqual(await warned('a-orders', 'refuse'), [])
  assert.deepEqual(await warned('new', 'allow'), [])
})

test('A table that cannot be read is no reason to warn or to fail, unless a second appId is refused', async () => {
  const failing = (): Promise<never> => Promise.reject(new Error('unavailable'))
  assert.deepEqual(await warned('new', 'warn', failing), [])
  assert.deepEqual(await warned('new', 'allow', failing), [])
  await assert.rejects(warned('new', 'refuse', failing), /unavailable/)
})

test('At a start, offsets, topic id and other appIds are read from one listing of the log', async () => {
  const requests: string[] = []
  const store = new MemoryStore('', {
    fault: ({ operation }) => {
      requests.push(operation)
      return undefined
    },
  })
  await emptyTable(store)
  const other = await openTableWriter(store)
  await other.append(someAppend('old-0', undefined, 4n))
  await other.idle()
  const table = await openTableWriter(store)
  const storedTopicId = storedTopicIdOf(table, 'new')
  const warnings: string[] = []
  const log = { debug: () => undefined, warn: (_: unknown, message?: string) => warnings.push(message ?? '') }
  const identity = new TopicIdentity({
    topic: 'orders',
    storedTopicId,
    onTopicConfirmed: (topicId) =>
      checkOtherAppIds(
        { uri: table.uri, txns: () => storedTopicId.lastTxns() },
        { topic: 'orders', appId: 'new', topicId, configured: new Set(), onSecondAppId: 'warn' },
        log as never,
      ),
  })
  requests.length = 0
  const partitions = [0, 1, 2, 3].map((partition) => ({ partition }))
  const { txns } = await lookUpResumeOffsets(partitions, {
    resume: (partition) => table.txn(`new-${partition}`),
    identity,
    watermarks: () => Promise.resolve({ topicId: NO_UUID, marks: new Map() }),
    clock: hastyClock,
  })
  assert.deepEqual(txns, [undefined, undefined, undefined, undefined])
  assert.equal(warnings.length, 1)
  // The reads prove that the table is still the same one.
  assert.deepEqual(requests, ['list', 'get', 'get'])
})

function txnsOf(versions: Readonly<Record<string, bigint>>): ReadonlyMap<string, Txn> {
  return new Map(Object.entries(versions).map(([appId, version]) => [appId, { appId, version }]))
}
