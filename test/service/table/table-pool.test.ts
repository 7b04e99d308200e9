// Goal: topics of one process with the same table share its store and writer, and the last of them closes the store.
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { TablePool } from '../../../src/service/table/table-pool.ts'
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

function tablesOver(store: Store): { tables: TablePool; opened: string[] } {
  const opened: string[] = []
  const tables = new TablePool((uri) => {
    opened.push(uri)
    return Promise.resolve(store)
  })
  return { tables, opened }
}

test('Topics of one table share one writer, in any spelling of its URI', async () => {
  const store = new CountedStore()
  await emptyTable(store)
  const { tables, opened } = tablesOver(store)
  const one = await tables.lease('lake/t')
  const two = await tables.lease(`${resolve('lake/t')}/`)
  assert.equal(await one.openExisting({}), await two.openExisting({}))
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
  assert.notEqual(await one.openExisting({}), await two.openExisting({}))
  assert.deepEqual(opened, ['memory:one', 'memory:two'])
})

test('Topics that create one table at once get the same writer', async () => {
  const store = new MemoryStore()
  const { tables } = tablesOver(store)
  const leases = await Promise.all(Array.from({ length: 5 }, () => tables.lease('memory:t')))
  assert.deepEqual(await Promise.all(leases.map((lease) => lease.openExisting({}))), Array(5).fill(undefined))
  const writers = await Promise.all(leases.map((lease) => lease.openOrCreate(NEW_TABLE, {})))
  assert.equal(new Set(writers).size, 1)
  assert.equal((await allCommits(store)).length, 1)
})

test('A table that could not be opened is tried again by the next caller', async () => {
  let refuses = true
  const store = new MemoryStore('', { fault: () => (refuses ? 'refused' : undefined) })
  const { tables } = tablesOver(store)
  const lease = await tables.lease('memory:t')
  await assert.rejects(lease.openExisting({}))
  refuses = false
  assert.equal(await lease.openExisting({}), undefined)
  await lease.openOrCreate(NEW_TABLE, {})
  await lease.release()
})

test('A table is opened again after its last lease was released', async () => {
  const store = new CountedStore()
  await emptyTable(store)
  const { tables, opened } = tablesOver(store)
  await (await tables.lease('memory:t')).release()
  await (await tables.lease('memory:t')).release()
  assert.deepEqual([opened.length, store.closed], [2, 2])
})

test('Queued commits of several topics share versions, and none is lost', async () => {
  const store = new MemoryStore()
  await emptyTable(store)
  const { tables } = tablesOver(store)
  const topics = 8
  await Promise.all(
    Array.from({ length: topics }, async (_, topic) => {
      const lease = await tables.lease('memory:t')
      const writer = await lease.openExisting({})
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

test('A topic that starts after the table was replaced gets a new writer, while another holds the former one', async () => {
  const store = new CountedStore()
  await emptyTable(store)
  const { tables } = tablesOver(store)
  const [one, two] = [await tables.lease('lake/t'), await tables.lease('lake/t')]
  const former = await one.openExisting({})
  assert.ok(former !== undefined)
  await store.delete('_delta_log/00000000000000000000.json')
  await emptyTable(store)
  await assert.rejects(former.append(someAppend('one', undefined, 1n)), { code: 'KD_TABLE_REPLACED' })
  const next = await two.openExisting({})
  assert.notEqual(next, former)
  assert.equal((await next?.append(someAppend('two', undefined, 1n)))?.kind, 'committed')
  await Promise.all([one.release(), two.release()])
  assert.equal(store.closed, 1)
})
