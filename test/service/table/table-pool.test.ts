// Goal: topics of one process that go into one table share its store and writer, and the last of them closes the store.
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Tables } from '../../../src/service/table/table-pool.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import type { Store } from '../../../src/storage/store.ts'
import { allCommits, emptyTable, ONE_LONG, someAppend, txnsOf } from '../../delta/table.ts'

const NEW_TABLE = { schema: ONE_LONG, partitionColumns: [] }

class CountedStore extends MemoryStore {
  closed = 0

  override close(): Promise<void> {
    this.closed++
    return Promise.resolve()
  }
}

function tablesOver(store: Store): { tables: Tables; opened: string[] } {
  const opened: string[] = []
  const tables = new Tables((uri) => {
    opened.push(uri)
    return Promise.resolve(store)
  })
  return { tables, opened }
}

test('Topics of one table share one writer, however its URI is written', async () => {
  const store = new CountedStore()
  await emptyTable(store)
  const { tables, opened } = tablesOver(store)
  const one = await tables.lease('lake/t')
  const two = await tables.lease(`${resolve('lake/t')}/`)
  assert.equal(await one.existing({}), await two.existing({}))
  assert.equal(opened.length, 1)
  await one.release()
  assert.equal(store.closed, 0)
  await two.release()
  assert.equal(store.closed, 1)
})

test('Topics of different tables share nothing', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const { tables, opened } = tablesOver(store)
  const one = await tables.lease('memory:one')
  const two = await tables.lease('memory:two')
  assert.notEqual(await one.existing({}), await two.existing({}))
  assert.deepEqual(opened, ['memory:one', 'memory:two'])
})

test('Of topics that create one table at once each gets the same writer', async () => {
  const store = new MemoryStore()
  const { tables } = tablesOver(store)
  const leases = await Promise.all(Array.from({ length: 5 }, () => tables.lease('memory:t')))
  assert.deepEqual(await Promise.all(leases.map((lease) => lease.existing({}))), Array(5).fill(undefined))
  const writers = await Promise.all(leases.map((lease) => lease.create(NEW_TABLE, {})))
  assert.equal(new Set(writers).size, 1)
  assert.equal((await allCommits(store)).length, 1)
})

test('A table that cannot be opened is tried anew by who asks next', async () => {
  let refuses = true
  const store = new MemoryStore('', { fault: () => (refuses ? 'refused' : undefined) })
  const { tables } = tablesOver(store)
  const lease = await tables.lease('memory:t')
  await assert.rejects(lease.existing({}))
  refuses = false
  assert.equal(await lease.existing({}), undefined)
  await lease.create(NEW_TABLE, {})
  await lease.release()
})

test('A table is opened again after its last topic has left', async () => {
  const store = new CountedStore()
  await emptyTable(store)
  const { tables, opened } = tablesOver(store)
  await (await tables.lease('memory:t')).release()
  await (await tables.lease('memory:t')).release()
  assert.deepEqual([opened.length, store.closed], [2, 2])
})

test('Commits of topics that queue up share versions, and none is lost', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const { tables } = tablesOver(store)
  const topics = 8
  await Promise.all(
    Array.from({ length: topics }, async (_, topic) => {
      const lease = await tables.lease('memory:t')
      const writer = await lease.existing({})
      for (let step = 0n; step < 5n; step++) {
        const outcome = await writer?.append(
          someAppend(`app-${topic}`, step === 0n ? undefined : step - 1n, step),
        )
        assert.equal(outcome?.kind, 'committed')
      }
      await lease.release()
    }),
  )
  const commits = await allCommits(store)
  assert.ok(commits.length - 1 < topics * 5, `${commits.length - 1} versions`)
  for (let topic = 0; topic < topics; topic++) {
    assert.deepEqual(txnsOf(commits, `app-${topic}`), [0n, 1n, 2n, 3n, 4n])
  }
})
