import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../src/core/errors.ts'
import { Circuits } from '../../src/resilience/circuit-registry.ts'
import { Retries, DEFAULT_RETRY_POLICY } from '../../src/resilience/retries.ts'
import { HeldClock } from '../support/flow/held-clock.ts'

const passing = new PipelineError('KD_STORE_UNAVAILABLE', 'SlowDown', { status: 503 })
const refused = new PipelineError('KD_STORE_FAILED', 'AccessDenied', { status: 403 })

/** Returns the current state of a promise. */
function watched<T>(promise: Promise<T>): { outcome: string } {
  const seen = { outcome: 'waits' }
  promise.then(
    (value) => (seen.outcome = String(value)),
    (error: unknown) => (seen.outcome = (error as Error).message),
  )
  return seen
}

test('Retryable failures are retried up to the maximum attempts with growing pauses and full jitter', async () => {
  const clock = new HeldClock()
  const counts: number[] = []
  const run = new Retries(DEFAULT_RETRY_POLICY, undefined, clock).run((count) => {
    counts.push(count)
    return Promise.reject(passing)
  })
  const seen = watched(run)
  await clock.advance(60_000)
  assert.equal(seen.outcome, passing.message)
  assert.deepEqual(counts, [1, 2, 3, 4, 5, 6])
  clock.sleeps.forEach((ms, index) =>
    assert.ok(ms >= 0 && ms < Math.min(10_000, 200 * 2 ** index), `pause ${index} was ${ms} ms`),
  )
  assert.equal(clock.sleeps.length, 5)
})

test('Errors that are not retryable are thrown immediately', async () => {
  const clock = new HeldClock()
  await assert.rejects(
    new Retries(DEFAULT_RETRY_POLICY, undefined, clock).run(() => Promise.reject(refused)),
    refused,
  )
  assert.deepEqual(clock.sleeps, [])
})

test('No attempt starts after the deadline', async () => {
  const clock = new HeldClock()
  let attempts = 0
  const run = new Retries(
    { ...DEFAULT_RETRY_POLICY, attemptsMax: 1000, deadlineMs: 30_000 },
    undefined,
    clock,
  ).run(async () => {
    attempts++
    await clock.sleep(20_000)
    throw passing
  })
  const seen = watched(run)
  await clock.advance(300_000)
  assert.equal(seen.outcome, passing.message)
  assert.equal(attempts, 2)
})

test('While the server answers no request none gives up, and waiting requests continue when it answers', async () => {
  const clock = new HeldClock()
  const circuits = new Circuits({}, { clock })
  const lake = circuits.store('s3://lake')
  const retries = new Retries({ ...DEFAULT_RETRY_POLICY, attemptsMax: 2, deadlineMs: 1_000 }, lake, clock)
  let isDown = true
  let attempts = 0
  const request = (): Promise<string> => {
    attempts++
    return isDown ? Promise.reject(passing) : Promise.resolve('answer')
  }
  const all = [1, 2, 3].map(() => watched(retries.run(request)))
  await clock.advance(600_000)
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ['waits', 'waits', 'waits'],
  )
  assert.ok(attempts < 30, `${attempts} attempts in ten minutes`)
  assert.ok(lake.circuit.openedCount >= 9, `opened ${lake.circuit.openedCount} times`)
  isDown = false
  await clock.advance(61_000)
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ['answer', 'answer', 'answer'],
  )
  assert.equal(lake.circuit.state, 'closed')
  assert.ok(lake.circuit.retries > 0, 'repeated requests are counted')
})

test('A single request that fails while others are answered gives up, and the circuit stays closed', async () => {
  const clock = new HeldClock()
  const lake = new Circuits({}, { clock }).store('s3://lake')
  // Pauses of half their bounds: all attempts fall into the time in which others are answered.
  const retries = new Retries(DEFAULT_RETRY_POLICY, lake, clock, () => 0.5)
  let attempts = 0
  const poisoned = watched(
    retries.run(() => {
      attempts++
      return Promise.reject(passing)
    }),
  )
  for (let second = 0; second < 60; second++) {
    await retries.run(() => Promise.resolve())
    await clock.advance(100)
  }
  await clock.advance(60_000)
  for (let turn = 0; turn < 10 && poisoned.outcome === 'waits'; turn++) {
    await retries.run(() => Promise.resolve())
    await clock.advance(10_000)
  }
  assert.equal(poisoned.outcome, passing.message)
  assert.ok(attempts >= DEFAULT_RETRY_POLICY.attemptsMax, `${attempts} attempts`)
})

test('A single failing request without others opens the circuit, and later requests still reach the server', async () => {
  const clock = new HeldClock()
  const lake = new Circuits({}, { clock }).store('s3://lake')
  const retries = new Retries(DEFAULT_RETRY_POLICY, lake, clock)
  const poisoned = watched(retries.run(() => Promise.reject(passing)))
  // No other requests are sent, so that the circuit opens.
  await clock.advance(20_000)
  assert.equal(lake.circuit.state, 'open')
  let answered = 0
  const other = watched(
    (async () => {
      for (; answered < 20; answered++) await retries.run(() => Promise.resolve())
      return 'all'
    })(),
  )
  await clock.advance(30 * 60_000)
  assert.equal(other.outcome, 'all')
  assert.equal(poisoned.outcome, passing.message, 'it is given up in the end, for the server answers others')
})

test('When the signal aborts, a request ends with its last failure', async () => {
  const clock = new HeldClock()
  const stopping = new AbortController()
  const lake = new Circuits({ failures: 1 }, { clock, signal: stopping.signal }).store('s3://lake')
  const run = watched(new Retries(DEFAULT_RETRY_POLICY, lake, clock).run(() => Promise.reject(passing)))
  await clock.advance(1_000)
  assert.equal(run.outcome, 'waits')
  stopping.abort()
  await clock.advance(0)
  assert.match(run.outcome, /gave up waiting.*SlowDown/)
})
