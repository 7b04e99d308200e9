import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AsyncCalls, retryLater, type AsyncCallback } from '../../../operators/rows/async-calls.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { HeldClock, settled } from '../../support/flow/held-clock.ts'

const info = { topic: 'events', partition: 3, offset: 7n, timestampMs: 0, key: undefined }
const retry = { attemptsMax: 100, minBackoffMs: 200, maxBackoffMs: 1_000, deadlineMs: 5_000 }

function callsOf(callback: AsyncCallback): { calls: AsyncCalls; clock: HeldClock } {
  const clock = new HeldClock()
  return { clock, calls: new AsyncCalls(callback, { timeoutMs: 1_000, retry, clock }) }
}

test('A result and a rejection are outcomes; no timer is left', async () => {
  const { calls, clock } = callsOf((row) =>
    row['n'] === 1 ? Promise.resolve(row) : Promise.reject(new Error('no')),
  )
  assert.deepEqual(await calls.run(() => ({ n: 1 }), info), { result: { n: 1 } })
  assert.deepEqual(await calls.run(() => ({ n: 2 }), info), { thrown: new Error('no') })
  assert.deepEqual(clock.sleeps, [1_000, 1_000])
})

test('Retries end at their deadline, not only after so many attempts', async () => {
  const { calls, clock } = callsOf(() => Promise.reject(retryLater('down')))
  const failed = assert.rejects(
    calls.run(() => ({}), info),
    /KD_OPERATOR_FAILED|down, after \d+ attempts/,
  )
  await clock.advance(10_000)
  await failed
  assert.ok(clock.now() >= 5_000)
})

test('A retryable error of the pipeline is an outage too', async () => {
  let attempts = 0
  const { calls, clock } = callsOf(() => {
    attempts++
    return attempts < 3
      ? Promise.reject(new PipelineError('KD_STORE_UNAVAILABLE', 'down'))
      : Promise.resolve({ ok: true })
  })
  let retries = 0
  const outcome = calls.run(
    () => ({}),
    info,
    () => retries++,
  )
  await clock.advance(5_000)
  assert.deepEqual(await outcome, { result: { ok: true } })
  assert.equal(retries, 2)
})

test('An abort ends a pause between attempts', async () => {
  const { calls } = callsOf(() => Promise.reject(retryLater(new Error('down'))))
  const ended = assert.rejects(calls.run(() => ({}), info))
  await settled()
  calls.abort()
  await ended
})
