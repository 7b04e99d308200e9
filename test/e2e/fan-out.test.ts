// Goal: one topic into two tables, exactly once into each, also while the store of one of them refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom } from 'rxjs'
import { carryIntoTwoTables } from '../../examples/fan-out.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { readGroupOffsets } from '../../src/kafka/client/admin.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { sortedRows } from '../delta/rows-table.ts'
import { testTopic, type TestMessage } from '../kafka/topic.ts'

const RECORDS = 300

test('one topic goes into two tables, each record once, and a store that refuses keeps the other table from nothing', async () => {
  const { brokers, topic, produce } = await testTopic(2)
  let refuses = false
  const payments = new MemoryStore('', {
    fault: ({ operation }) => (refuses && operation === 'putIfAbsent' ? 'refused' : undefined),
  })
  const others = new MemoryStore()
  const letters: DeadLetter[] = []
  /** Carries the topic to its end, and returns the routes that failed. */
  const run = async (): Promise<string[]> => {
    const failed: string[] = []
    const topicOptions = { brokers, topic, groupId: topic, until: 'latest' } as const
    const deadLetters = { write: (more: readonly DeadLetter[]) => Promise.resolve(letters.push(...more)) }
    const log = createLogger({ level: 'silent' })
    const commits = carryIntoTwoTables(
      { ...topicOptions, payments, others, deadLetters, log },
      { onRouteFailed: (route) => failed.push(route) },
    )
    await lastValueFrom(commits).catch((error: unknown) => assert.match(String(error), /refused/))
    return failed
  }

  await produce(messages(0))
  assert.deepEqual(await run(), [])

  refuses = true
  await produce(messages(RECORDS))
  assert.deepEqual(await run(), ['payments'])
  assert.deepEqual(await idsIn(payments), idsOf(RECORDS, isPayment))
  assert.deepEqual(
    await idsIn(others),
    idsOf(2 * RECORDS, (id) => !isPayment(id)),
  )

  refuses = false
  assert.deepEqual(await run(), [])
  assert.deepEqual(await idsIn(payments), idsOf(2 * RECORDS, isPayment))
  assert.deepEqual(
    await idsIn(others),
    idsOf(2 * RECORDS, (id) => !isPayment(id)),
  )
  // The letter of the flush that failed went out before its commit: a sink of one's own sees it again, Kafka's does not.
  assert.deepEqual([...new Set(letters.map(({ partition, offset }) => `${partition}/${offset}`))].sort(), [
    '0/0',
    '0/151',
  ])

  // No group is ahead of its table.
  for (const [name, store] of Object.entries({ payments, others })) {
    const appId = `${topic}-${name}-${topic}`
    const offsets = await readGroupOffsets({ brokers, clientId: 'test' }, `${topic}-${name}`, topic)
    const { txns } = await loadSnapshot(store)
    assert.deepEqual([...offsets.keys()].sort(), [0, 1])
    for (const [partition, next] of offsets)
      assert.equal(next, (txns.get(`${appId}-${partition}`)?.version ?? -1n) + 1n, `${name}-${partition}`)
  }
})

/** One record that is none, then as many as there are to be, over both partitions. */
function messages(from: number): TestMessage[] {
  const good = Array.from({ length: RECORDS }, (_, i) => {
    const id = from + i
    return {
      partition: id % 2,
      value: JSON.stringify({ id, kind: isPayment(id) ? 'payment' : 'visit', amount: 1 }),
    }
  })
  return [{ partition: 0, value: 'no json' }, ...good]
}

function isPayment(id: number): boolean {
  return id % 3 === 0
}

function idsOf(count: number, keep: (id: number) => boolean): number[] {
  return Array.from({ length: count }, (_, id) => id).filter(keep)
}

async function idsIn(store: Store): Promise<number[]> {
  const lines = await sortedRows(store)
  return lines.map((line) => (JSON.parse(line) as { readonly id: number }).id).sort((a, b) => a - b)
}
