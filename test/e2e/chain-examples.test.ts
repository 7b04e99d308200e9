// Goal: the examples of chains do with a real broker what they say.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs'
import { carryLocatedOrders } from '../../examples/http-lookup.ts'
import { carryMeasured } from '../../examples/own-operator.ts'
import { carryEvents, carryEventsForever } from '../../examples/shortest-chain.ts'
import { carryDistinctEvents } from '../../examples/state.ts'
import type { DeadLetter } from '../../src/core/batch.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { sortedRows } from '../delta/rows-table.ts'
import { testTopic } from '../kafka/topic.ts'

/** Returns the options of a chain that reads `values` once, and the rows that its table has then. */
async function topicWith(values: readonly unknown[]): Promise<{
  readonly options: {
    readonly brokers: string[]
    readonly topic: string
    readonly groupId: string
    readonly table: MemoryStore
    readonly until: 'latest'
  }
  readonly rows: () => Promise<unknown[]>
}> {
  const { brokers, topic, produce } = await testTopic(1)
  await produce(values.map((value) => ({ partition: 0, value: JSON.stringify(value) })))
  const table = new MemoryStore()
  return {
    options: { brokers, topic, groupId: topic, table, until: 'latest' },
    rows: async () => (await sortedRows(table)).map((line): unknown => JSON.parse(line)),
  }
}

test('the shortest chain filters, maps and commits, and goes on where it ended', async () => {
  const at = '2026-03-01T10:00:00.000000Z'
  const { options, rows } = await topicWith([
    { id: 1, at, amount: 1.5 },
    { id: 2, at },
    { id: 3, at, amount: 0.25 },
  ])
  await firstValueFrom(carryEventsForever({ ...options, flush: { ageMs: 100 } }))
  assert.deepEqual(await lastValueFrom(carryEvents(options).pipe(toArray())), [])
  assert.deepEqual(await rows(), [
    { id: 1, at, cents: 150 },
    { id: 3, at, cents: 25 },
  ])
})

test('orders get the countries of their customers over HTTP, and a service that fails is asked again', async () => {
  let requests = 0
  const server = createServer((request, response) => {
    const customer = request.url?.slice(1)
    response.statusCode = ++requests === 1 ? 503 : customer === 'nobody' ? 404 : 200
    response.end(`country of ${customer}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const letters: DeadLetter[] = []
  const { options, rows } = await topicWith([
    { id: 1, customer: 'a' },
    { id: 2, customer: 'nobody' },
    { id: 3, customer: 'b' },
  ])
  try {
    await lastValueFrom(
      carryLocatedOrders({
        ...options,
        customersUrl: `http://127.0.0.1:${port}`,
        deadLetters: { write: (more) => Promise.resolve(letters.push(...more)) },
      }),
    )
  } finally {
    server.closeAllConnections()
    server.close()
  }
  assert.deepEqual(await rows(), [
    { id: 1, customer: 'a', country: 'country of a' },
    { id: 3, customer: 'b', country: 'country of b' },
  ])
  assert.deepEqual(
    letters.map(({ offset, message }) => [offset, message]),
    [[1n, 'no customer nobody']],
  )
})

test('duplicates are left out and the others are counted', async () => {
  const { options, rows } = await topicWith(['a', 'b', 'a', 'c'].map((id) => ({ id, kind: 'x' })))
  await lastValueFrom(carryDistinctEvents(options))
  assert.deepEqual(await rows(), [
    { id: 'a', kind: 'x', count: 1 },
    { id: 'b', kind: 'x', count: 2 },
    { id: 'c', kind: 'x', count: 3 },
  ])
})

test('an operator of one’s own sees every row', async () => {
  const { options, rows } = await topicWith([{ id: 1 }, { id: 2 }])
  const seen: number[] = []
  await lastValueFrom(
    carryMeasured(options, (count, ageMs) => {
      assert.ok(Number.isFinite(ageMs))
      seen.push(count)
    }),
  )
  assert.deepEqual([seen.reduce((sum, count) => sum + count, 0), (await rows()).length], [2, 2])
})
