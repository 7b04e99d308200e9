import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../src/core/clock.ts'
import { createUnlimitedRate, createRateLimiter } from '../../src/sample/rate-limiter.ts'

/** A clock that advances only by sleeping, and when told to. */
class TestClock implements Clock {
  ms = 1_000_000
  sleeps = 0
  now(): number {
    return this.ms
  }
  sleep(ms: number): Promise<void> {
    this.sleeps++
    this.ms += ms
    return Promise.resolve()
  }
}

const never = new AbortController().signal

/** Acquires until `untilMs` have passed; resolves to the numbers acquired. */
async function takenIn(perSecond: number, untilMs: number, clock: TestClock): Promise<number> {
  const pace = createRateLimiter(perSecond, clock, never)
  const endMs = clock.ms + untilMs
  let taken = 0
  for (;;) {
    const count = await pace.acquire(2_000)
    if (clock.ms > endMs) return taken
    taken += count
  }
}

for (const perSecond of [0.5, 1, 7, 999, 5_000, 123_456]) {
  test(`${perSecond} a second are allowed as ${perSecond} a second, in few portions`, async () => {
    const clock = new TestClock()
    const taken = await takenIn(perSecond, 10_000, clock)
    // The first record is due at once; the records of the last tick may be missing.
    assert.ok(taken >= perSecond * 9.97 && taken <= perSecond * 10 + 1, String(taken))
    assert.ok(clock.sleeps <= 1_000, `${clock.sleeps} waits`)
  })
}

test('the first record is due at once', async () => {
  const clock = new TestClock()
  const pace = createRateLimiter(1, clock, never)
  assert.equal(await pace.acquire(2_000), 1)
  assert.equal(clock.sleeps, 0)
})

test('after a stop at most one second is made up for', async () => {
  const clock = new TestClock()
  const pace = createRateLimiter(100, clock, never)
  await pace.acquire(2_000)
  clock.ms += 60_000
  assert.equal(await pace.acquire(2_000), 100)
  const before = clock.ms
  assert.equal(await pace.acquire(2_000), 2)
  assert.ok(clock.ms - before <= 20, 'then the rate is as before')
})

test('more than the maximum is acquired in several portions without waiting', async () => {
  const clock = new TestClock()
  const pace = createRateLimiter(1_000, clock, never)
  await pace.acquire(10)
  clock.ms += 500
  const portions = []
  for (let index = 0; index < 5; index++) portions.push(await pace.acquire(100))
  assert.deepEqual(portions, [100, 100, 100, 100, 100])
  assert.equal(clock.sleeps, 0)
})

test('both limiters end when the signal aborts', async () => {
  const stopping = new AbortController()
  const clock = new TestClock()
  const paces = [createRateLimiter(1_000, clock, stopping.signal), createUnlimitedRate(stopping.signal)]
  for (const pace of paces) assert.ok((await pace.acquire(5)) > 0, 'goes before')
  stopping.abort()
  for (const pace of paces) assert.equal(await pace.acquire(5), 0)
})
