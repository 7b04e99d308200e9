// Goal: in-commit timestamps of a table ascend, whatever clocks and other writers do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeCheckpoint } from '../../../src/delta/commit/checkpoint-write.ts'
import { commitKey } from '../../../src/delta/protocol/paths.ts'
import { commitInfoOf, inCommitTimestampOf } from '../../../src/delta/log/state.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { allCommits, emptyTable, featuredTable, hastyClock, someAppend } from '../table.ts'

const ENABLED = { 'delta.enableInCommitTimestamps': 'true' }
const START_MS = 5_000

const clockAt = (nowMs: number): typeof hastyClock => ({ ...hastyClock, now: () => nowMs })

test('A commit is dated now, or a millisecond after the one before where the clock is behind', async () => {
  const store = await timedTable()
  const ahead = await openTableWriter(store, { clock: clockAt(9_000) })
  await ahead.append(someAppend('a', undefined, 1n))
  const behind = await openTableWriter(store, { clock: clockAt(1_000) })
  await behind.append(someAppend('b', undefined, 1n))
  await behind.append(someAppend('b', 1n, 2n))
  assert.deepEqual(await timesOf(store), [START_MS, 9_000, 9_001, 9_002])
})

test('The timestamp is in the first action of the commit', async () => {
  const store = await timedTable()
  const writer = await openTableWriter(store, { clock: clockAt(9_000) })
  await writer.append(someAppend('a', undefined, 1n))
  const [first] = new TextDecoder().decode(await store.get(commitKey(1n))).split('\n')
  const { commitInfo } = JSON.parse(first ?? '') as { commitInfo: Record<string, unknown> }
  assert.equal(commitInfo['inCommitTimestamp'], 9_000)
})

test('A commit that loses to another is dated after the winner', async () => {
  const store = await timedTable()
  const late = await openTableWriter(store, { clock: clockAt(1_000) })
  const winner = await openTableWriter(store, { clock: clockAt(9_000) })
  await winner.append(someAppend('a', undefined, 1n))
  const outcome = await late.append(someAppend('b', undefined, 1n))
  assert.deepEqual([outcome.kind, outcome.conflicts], ['committed', 1])
  assert.deepEqual(await timesOf(store), [START_MS, 9_000, 9_001])
})

test('A writer that opened the table from a checkpoint continues after the timestamp of its commit', async () => {
  const store = await timedTable()
  const first = await openTableWriter(store, { clock: clockAt(9_000) })
  await first.append(someAppend('a', undefined, 1n))
  await writeCheckpoint(store, 1n, { nowMs: 9_000 })
  const second = await openTableWriter(store, { clock: clockAt(1_000) })
  await second.append(someAppend('b', undefined, 1n))
  assert.deepEqual(await timesOf(store), [START_MS, 9_000, 9_001])
})

test('Commits of a table that only supports the feature, or lacks it, carry no timestamp', async () => {
  for (const features of [['inCommitTimestamp'], []]) {
    const store = new MemoryStore()
    if (features.length > 0) await featuredTable(store, features)
    else await emptyTable(store)
    const writer = await openTableWriter(store)
    await writer.append(someAppend('a', undefined, 1n))
    assert.deepEqual(await timesOf(store), [undefined, undefined])
  }
})

test('A table whose newest commit lacks its timestamp is refused', async () => {
  const store = new MemoryStore()
  await featuredTable(store, ['inCommitTimestamp'], ENABLED)
  const writer = await openTableWriter(store)
  await assert.rejects(writer.append(someAppend('a', undefined, 1n)), { code: 'KD_TABLE_CORRUPT' })
})

async function timedTable(): Promise<Store> {
  const store = new MemoryStore()
  await featuredTable(store, ['inCommitTimestamp'], ENABLED, { inCommitTimestamp: START_MS })
  return store
}

async function timesOf(store: Store): Promise<(number | undefined)[]> {
  return (await allCommits(store)).map((commit) => inCommitTimestampOf(commitInfoOf(commit)))
}
