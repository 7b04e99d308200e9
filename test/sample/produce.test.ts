import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutgoingRecord } from '../../src/kafka/produce/record-batch.ts'
import type { Sender } from '../../src/kafka/produce/sender.ts'
import { generateRecords } from '../../src/sample/event.ts'
import { produceEvents } from '../../src/sample/produce.ts'
import { generateUserEvents, USER_EVENTS } from '../../src/sample/user-events.ts'

/** Returns a sender that passes the keys of each batch to `send`. */
function senderOf(send: (keys: readonly string[]) => Promise<unknown>): Pick<Sender, 'append' | 'flush'> {
  let keys: string[] = []
  return {
    append: ({ key }: OutgoingRecord) => {
      keys.push(String(key))
    },
    flush: async () => {
      const batch = keys
      keys = []
      await send(batch)
    },
  }
}

test('all events are sent once, in order, one batch at a time', async () => {
  const keys: string[] = []
  const told: number[] = []
  let underWay = 0
  let most = 0
  const send = async (batch: readonly string[]): Promise<void> => {
    keys.push(...batch)
    underWay++
    most = Math.max(most, underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
  }
  const produced = await produceEvents(
    generateUserEvents({ seed: 1, count: 5_456, badEvery: 500 }),
    senderOf(send),
    {
      onSent: ({ records }) => told.push(records),
    },
  )
  assert.deepEqual(
    keys,
    [...generateUserEvents({ seed: 1, count: 5_456, badEvery: 500 })].map(({ key }) => key),
  )
  assert.equal(produced.records, 5_456)
  assert.equal(produced.bad, 10)
  assert.equal(produced.badByKind.get('not-json'), 1)
  assert.deepEqual(told, [2_000, 4_000, 5_456])
  assert.equal(most, 1)
})

test('events are sent in the portions of the rate limiter, until it ends', async () => {
  const portions = [1, 250, 3, 0]
  const asked: number[] = []
  const sizes: number[] = []
  const produced = await produceEvents(
    generateUserEvents({ seed: 1 }),
    senderOf((batch) => Promise.resolve(sizes.push(batch.length))),
    {
      rateLimiter: {
        acquire: (max) => {
          asked.push(max)
          return Promise.resolve(portions.shift() ?? 0)
        },
      },
    },
  )
  assert.deepEqual(sizes, [1, 250, 3])
  assert.equal(produced.records, 254)
  assert.deepEqual(new Set(asked), new Set([2_000]))
})

test('records that the brokers have not acknowledged are not counted', async () => {
  let sent = 0
  let batches = 0
  const produced = produceEvents(
    generateUserEvents({ seed: 1, count: 20_000 }),
    senderOf(() => (++batches < 3 ? Promise.resolve() : Promise.reject(new Error('not leader')))),
    { onSent: ({ records }) => (sent = records) },
  )
  await assert.rejects(produced, /not leader/)
  assert.equal(sent, 4_000)
})

test('no events cause no request', async () => {
  const produced = await produceEvents(
    [],
    senderOf(() => Promise.reject(new Error('called'))),
  )
  assert.deepEqual([produced.records, produced.bytes, produced.bad], [0, 0, 0])
})

test('events in memory that is used again have the totals of events that are kept, with several batches under way', async () => {
  const options = { seed: 3, count: 9_000, badEvery: 100, traceparentEvery: 40 }
  const [kept, again]: [string[], string[]] = [[], []]
  let underWay = 0
  let most = 0
  const expected = await produceEvents(
    generateUserEvents(options),
    senderOf((keys) => Promise.resolve(kept.push(...keys))),
  )
  const totals = await produceEvents(
    generateRecords(USER_EVENTS, options),
    senderOf(async (keys) => {
      again.push(...keys)
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setTimeout(resolve, 5))
      underWay--
    }),
    { inFlightMax: 3 },
  )
  assert.deepEqual(again, kept)
  assert.deepEqual({ ...totals }, { ...expected })
  assert.deepEqual([totals.bad, most], [90, 3])
})
