import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitTableChange, type TableChange } from '../../../src/delta/commit/change.ts'
import { findMetadataConflict } from '../../../src/delta/commit/conflicts.ts'
import { openMaintainedTable } from '../../../src/delta/maintenance/maintained-table.ts'
import { checkpointKey, commitKey } from '../../../src/delta/protocol/paths.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore, type MemoryFault } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { allCommits, emptyTable, hastyClock, operationOf, someAdd, someAppend } from '../table.ts'

const change: TableChange = {
  operation: 'TEST',
  operationParameters: {},
  operationMetrics: {},
  isolationLevel: 'SnapshotIsolation',
  actions: [{ kind: 'add', add: someAdd('new.parquet') }],
  conflict: findMetadataConflict,
}

/** Creates a table whose conditional puts meet these faults, one after the other, once it is armed. */
async function faulty(faults: (MemoryFault | undefined)[]): Promise<{ store: Store; arm: () => void }> {
  let armed = false
  const store = new MemoryStore('', {
    fault: ({ operation }) => (armed && operation === 'putIfAbsent' ? faults.shift() : undefined),
  })
  await emptyTable(store, { 'delta.checkpointInterval': '2' })
  return {
    store,
    arm: () => {
      armed = true
    },
  }
}

for (const [what, faults, attempts] of [
  ['whose answer was lost', ['answer-lost'], 1],
  ['that never arrived', ['lost'], 2],
  ['that never arrived, and then lost its answer', ['lost', 'lost', 'answer-lost'], 3],
] as const) {
  test(`A put ${what} makes one version, not two`, async () => {
    const { store, arm } = await faulty([...faults])
    const { state } = await openMaintainedTable(store, 'commit')
    arm()
    const outcome = await commitTableChange(store, state, change, { clock: hastyClock })
    assert.equal(outcome.kind, 'committed')
    assert.deepEqual([outcome.state.version, outcome.attempts], [1n, attempts])
    assert.deepEqual((await allCommits(store)).map(operationOf), ['CREATE TABLE', 'TEST'])
  })
}

test('A change that loses every attempt says so, and is not in the log', async () => {
  const { store, arm } = await faulty(Array.from({ length: 5 }, () => 'lost' as const))
  const { state } = await openMaintainedTable(store, 'commit')
  arm()
  await assert.rejects(commitTableChange(store, state, change, { clock: hastyClock, attemptsMax: 5 }), {
    code: 'KD_COMMIT_CONTENDED',
  })
  assert.equal((await loadSnapshot(store)).version, 0n)
})

test('A change that commits a version at which a checkpoint is due writes the checkpoint, after earlier appends', async () => {
  const { store } = await faulty([])
  const { state } = await openMaintainedTable(store, 'commit')
  const writer = await openTableWriter(store)
  await writer.append(someAppend('app-0', undefined, 7n))
  const outcome = await commitTableChange(store, state, change)
  assert.equal(outcome.state.version, 2n)
  assert.equal(outcome.state.txns.get('app-0')?.version, 7n)
  assert.notEqual(await store.size(checkpointKey(2n)), undefined)
  for (const version of [0n, 1n, 2n]) await store.delete(commitKey(version))
  assert.equal((await loadSnapshot(store)).txns.get('app-0')?.version, 7n)
})
