import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Credit } from '../../../src/core/credit/credit.ts'
import type { Clock } from '../../../src/core/clock.ts'
import { takeCreditWithHeartbeats } from '../../../src/kafka/source/credit-wait.ts'

/** A clock whose sleeps last one turn of the event loop. */
const clock: Clock = { now: () => 0, sleep: () => new Promise((resolve) => setImmediate(resolve)) }

function setUp(heartbeat: () => Promise<void>): {
  credit: Credit
  stop: AbortController
  taking: Promise<boolean>
} {
  const credit = new Credit(10)
  credit.tryTake(10)
  const stop = new AbortController()
  const taking = takeCreditWithHeartbeats(credit, 5, {
    heartbeat,
    heartbeatMs: 10,
    clock,
    signal: stop.signal,
  })
  return { credit, stop, taking }
}

test('heartbeats continue until credit is given back', async () => {
  let beats = 0
  const { credit, taking } = setUp(() => {
    beats += 1
    if (beats === 5) credit.give(10)
    return Promise.resolve()
  })
  assert.equal(await taking, true)
  assert.ok(beats >= 5)
  assert.equal(credit.taken, 5)
})

test('a failed heartbeat ends the wait with its error and holds nothing', async () => {
  const { credit, taking } = setUp(() => Promise.reject(new Error('rebalancing')))
  await assert.rejects(taking, /rebalancing/)
  assert.equal(credit.waiting, 0)
  assert.equal(credit.taken, 10)
})

test('credit granted in the turn in which a heartbeat fails is given back', async () => {
  const { credit, taking } = setUp(() => {
    credit.give(10)
    return Promise.reject(new Error('rebalancing'))
  })
  const held = await taking.then(
    () => 5,
    () => 0,
  )
  assert.equal(credit.taken, held)
})

test('an interrupted wait returns false and holds nothing', async () => {
  const { credit, stop, taking } = setUp(() => Promise.resolve())
  stop.abort()
  assert.equal(await taking, false)
  assert.equal(credit.waiting, 0)
  assert.equal(credit.taken, 10)
})
