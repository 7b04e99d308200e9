import assert from 'node:assert/strict'
import { test } from 'node:test'
import { produceEvents } from '../../src/sample/produce.ts'
import type { UserEvent } from '../../src/sample/user-events.ts'
import { userEvents } from '../../src/sample/user-events.ts'

test('all events are sent once, in order, with at most two batches under way', async () => {
  const keys: string[] = []
  const told: number[] = []
  let underWay = 0
  let most = 0
  const send = async (batch: readonly UserEvent[]): Promise<void> => {
    keys.push(...batch.map(({ key }) => key))
    underWay++
    most = Math.max(most, underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
  }
  const produced = await produceEvents(
    userEvents({ seed: 1, count: 23_456, badEvery: 1_000 }),
    send,
    (sent) => told.push(sent),
  )
  assert.deepEqual(
    keys,
    [...userEvents({ seed: 1, count: 23_456, badEvery: 1_000 })].map(({ key }) => key),
  )
  assert.equal(produced.records, 23_456)
  assert.equal(produced.bad, 23)
  assert.equal(produced.badByKind.get('not-json'), 3)
  assert.deepEqual(told, [5_000, 10_000, 15_000, 20_000, 23_456])
  assert.ok(most <= 2, String(most))
})

test('nothing to send is sent as nothing', async () => {
  const produced = await produceEvents([], () => Promise.reject(new Error('called')))
  assert.deepEqual([produced.records, produced.bytes, produced.bad], [0, 0, 0])
})

test('an error of the broker comes through', async () => {
  const send = (): Promise<void> => Promise.reject(new Error('not leader'))
  await assert.rejects(produceEvents(userEvents({ seed: 1, count: 20_000 }), send), /not leader/)
})
