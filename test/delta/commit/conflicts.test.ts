// Goal: a blind append succeeds after any file and domain changes of other writers; it only stops if the table has
// changed for its files or its offsets were committed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialiseActions } from '../../../src/delta/protocol/action-json.ts'
import type { Action } from '../../../src/delta/protocol/actions.ts'
import { commitTableChange, type TableChange } from '../../../src/delta/commit/change.ts'
import { findLogSegment } from '../../../src/delta/log/log-segment.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot, loadState } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { featuredTable, hastyClock, pathsOf, someAdd, someAppend } from '../table.ts'

const FEATURES = ['appendOnly', 'domainMetadata']

const info = (operation: string): Action => ({ kind: 'commitInfo', commitInfo: { operation } })
const add = (path: string, dataChange: boolean, more: object = {}): Action => ({
  kind: 'add',
  add: { ...someAdd(path), dataChange, ...more },
})
const remove = (path: string, dataChange: boolean): Action => ({
  kind: 'remove',
  remove: {
    path,
    dataChange,
    deletionTimestamp: 1,
    extendedFileMetadata: true,
    size: 100,
    partitionValues: {},
  },
})
const domain = (name: string, configuration: string, removed = false): Action => ({
  kind: 'domainMetadata',
  domainMetadata: { domain: name, configuration, removed },
})
const vector = { storageType: 'i', pathOrInlineDv: 'x', sizeInBytes: 1, cardinality: 1 }

for (const [what, actions, files] of [
  ['OPTIMIZE', [info('OPTIMIZE'), remove('one', false), add('packed', false)], ['packed', 'ours']],
  ['DELETE', [info('DELETE'), remove('one', true)], ['ours']],
  [
    'DELETE with a deletion vector',
    [info('DELETE'), remove('one', true), add('one', true, { deletionVector: vector })],
    ['one', 'ours'],
  ],
  ['an overwrite', [info('WRITE'), remove('one', true), add('theirs', true)], ['theirs', 'ours']],
  ['a domain that is written', [domain('own.domain', '1')], ['one', 'ours']],
  ['a domain that is removed', [domain('own.domain', '1', true)], ['one', 'ours']],
] as const) {
  test(`An append that loses to ${what} is committed after it`, async () => {
    const store = new MemoryStore()
    await featuredTable(store, FEATURES)
    await store.putIfAbsent(commitKey(1n), serialiseActions([add('one', true)]))
    const writer = await openTableWriter(store, { clock: hastyClock })
    await store.putIfAbsent(commitKey(2n), serialiseActions(actions))
    const outcome = await writer.append(someAppend('a', undefined, 1n, 'ours'))
    assert.deepEqual(outcome, { kind: 'committed', version: 3n, attempts: 2, conflicts: 1, ambiguous: 0 })
    assert.deepEqual((await pathsOf((await loadSnapshot(store)).files())).sort(), [...files].sort())
  })
}

for (const [held, follows, isConstant, fenced] of [
  ['nothing', undefined, true, false],
  ['the same value', undefined, true, false],
  ['the value that it follows', 7n, true, false],
  ['another value', undefined, true, true],
  ['a value where another was to be', 3n, true, true],
  ['the same value, of offsets', undefined, undefined, true],
] as const) {
  test(`A ${isConstant === true ? 'constant' : 'txn'} finds ${held} in the table: ${fenced ? 'fenced' : 'committed'}`, async () => {
    const store = new MemoryStore()
    await featuredTable(store, FEATURES)
    const writer = await openTableWriter(store, { clock: hastyClock })
    const there = held === 'nothing' ? [] : held.startsWith('the same') ? [8n] : [7n]
    for (const version of there)
      await (await openTableWriter(store)).append(someAppend('topic', undefined, version))
    if (follows !== undefined) await writer.txn('topic')
    const append = someAppend('a', undefined, 1n)
    const constant = { appId: 'topic', version: 8n, follows, ...(isConstant === true ? { isConstant } : {}) }
    const outcome = await writer.append({ ...append, txns: [...append.txns, constant] })
    assert.equal(outcome.kind, fenced ? 'fenced' : 'committed')
    if (outcome.kind === 'fenced') assert.deepEqual(outcome.appIds, ['topic'])
    else assert.equal((await loadSnapshot(store)).txns.get('topic')?.version, 8n)
  })
}

test('Two writers that both have not seen a constant commit the same value; a third does not commit another', async () => {
  const store = new MemoryStore()
  await featuredTable(store, FEATURES)
  const options = { clock: hastyClock }
  const open = (): ReturnType<typeof openTableWriter> => openTableWriter(store, options)
  const [one, two, three] = [await open(), await open(), await open()]
  const append = (writer: typeof one, appId: string, version: bigint): ReturnType<typeof one.append> => {
    const flush = someAppend(appId, undefined, 1n)
    const constant = { appId: 'topic', version, follows: undefined, isConstant: true } as const
    return writer.append({ ...flush, txns: [...flush.txns, constant] })
  }
  const outcomes = await Promise.all([append(one, 'app-0', 8n), append(two, 'app-1', 8n)])
  outcomes.push(await append(three, 'app-2', 9n))
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['committed', 'committed', 'fenced'],
  )
})

test('An append keeps the domains of other writers', async () => {
  const store = new MemoryStore()
  await featuredTable(store, FEATURES)
  await store.putIfAbsent(commitKey(1n), serialiseActions([domain('own.domain', '1'), domain('other', '2')]))
  const writer = await openTableWriter(store)
  await writer.append(someAppend('a', undefined, 1n))
  const { domains } = await loadState(store, await findLogSegment(store))
  assert.deepEqual([...domains.keys()], ['own.domain', 'other'])
})

for (const [theirs, conflicts] of [
  ['own.domain', true],
  ['other', false],
] as const) {
  test(`A change of own.domain ${conflicts ? 'conflicts with' : 'is committed after'} a commit that writes ${theirs}`, async () => {
    const store = new MemoryStore()
    await featuredTable(store, FEATURES)
    const state = await loadState(store, await findLogSegment(store))
    await store.putIfAbsent(commitKey(1n), serialiseActions([domain(theirs, '1')]))
    const change: TableChange = {
      operation: 'CLUSTER BY',
      operationParameters: {},
      operationMetrics: {},
      isolationLevel: 'Serializable',
      actions: [domain('own.domain', '2')],
      conflict: () => undefined,
    }
    const outcome = await commitTableChange(store, state, change, { clock: hastyClock })
    assert.equal(outcome.kind, conflicts ? 'conflict' : 'committed')
    if (outcome.kind === 'conflict') assert.match(outcome.reason, /own\.domain/)
  })
}
