import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type ExpiringToken, keptToken } from '../../../src/kafka/client/tokens.ts'

/** Tokens `1`, `2`, … of 100 s life; `fail` makes the next asking fail. */
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

it('all who ask at once share one token, which is kept until four fifths of its life are over', async () => {
  const { ask, clock } = issuer()
  const token = keptToken(ask, clock)
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

it('while none can be had, one that is still good is used, and asked for again by the next', async () => {
  const { ask, fail, clock } = issuer()
  const token = keptToken(ask, clock)
  await token()
  clock.ms = 90_000
  fail()
  assert.equal((await token()).value, '1')
  assert.equal((await token()).value, '2')
})

it('without a good one the failure is told, and the next asks again', async () => {
  const { ask, fail, clock } = issuer()
  const token = keptToken(ask, clock)
  fail()
  await assert.rejects(token(), /no token/)
  assert.equal((await token()).value, '1')
  clock.ms = 100_000
  fail()
  await assert.rejects(token(), /no token/)
})
