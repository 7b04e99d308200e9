import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type ExpiringToken, cacheToken } from '../../../src/kafka/client/tokens.ts'

/** Returns tokens `1`, `2`, … with a lifetime of 100 s; `fail` makes the next request fail. */
function issuer(): {
  ask: () => Promise<ExpiringToken>
  fail: () => void
  clock: { ms: number; now(): number }
} {
  const clock = { ms: 0, now: () => clock.ms }
  let count = 0
  let isFailing = false
  return {
    clock,
    fail: () => (isFailing = true),
    ask: async () => {
      await Promise.resolve()
      if (isFailing) {
        isFailing = false
        throw new Error('no token')
      }
      count += 1
      return { value: String(count), expiresAtMs: clock.ms + 100_000 }
    },
  }
}

it('concurrent calls share one token, which is kept for four fifths of its lifetime', async () => {
  const { ask, clock } = issuer()
  const token = cacheToken(ask, clock)
  assert.deepEqual(
    (await Promise.all([token(), token()])).map(({ value }) => value),
    ['1', '1'],
  )
  clock.ms = 79_999
  assert.equal((await token()).value, '1')
  clock.ms = 80_000
  assert.deepEqual(
    (await Promise.all([token(), token()])).map(({ value }) => value),
    ['2', '2'],
  )
})

it('while renewal fails, a valid token is used, and the next call tries again', async () => {
  const { ask, fail, clock } = issuer()
  const token = cacheToken(ask, clock)
  await token()
  clock.ms = 90_000
  fail()
  assert.equal((await token()).value, '1')
  assert.equal((await token()).value, '2')
})

it('without a valid token the failure is thrown, and the next call tries again', async () => {
  const { ask, fail, clock } = issuer()
  const token = cacheToken(ask, clock)
  fail()
  await assert.rejects(token(), /no token/)
  assert.equal((await token()).value, '1')
  clock.ms = 100_000
  fail()
  await assert.rejects(token(), /no token/)
})
